/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

struct verb_word {
    const char *word;
    enum capture_verb verb;
};

static const struct verb_word verb_words[] = {
    {"EHLO", CAPTURE_HELO},
    {"HELO", CAPTURE_HELO},
    {"LHLO", CAPTURE_HELO},
    {"STARTTLS", CAPTURE_STARTTLS},
    {"AUTH", CAPTURE_AUTH},
    {"MAIL", CAPTURE_MAIL},
    {"RCPT", CAPTURE_RCPT},
    {"DATA", CAPTURE_DATA},
    {"BDAT", CAPTURE_BDAT},
    {"RSET", CAPTURE_RSET},
    {"QUIT", CAPTURE_QUIT},
    {"NOOP", CAPTURE_OTHER_VERB},
    {"VRFY", CAPTURE_OTHER_VERB},
    {"EXPN", CAPTURE_OTHER_VERB},
    {"HELP", CAPTURE_OTHER_VERB},
    {"ETRN", CAPTURE_OTHER_VERB},
    {"XCLIENT", CAPTURE_OTHER_VERB},
    {"XFORWARD", CAPTURE_OTHER_VERB},
    {"X-ANONYMOUSTLS", CAPTURE_OTHER_VERB},
};

#define VERB_WORDS (sizeof verb_words / sizeof verb_words[0])

enum capture_verb capture_verb_read(const char *line, size_t len)
{
    size_t word_len = 0;
    while (word_len < len && (isalpha((unsigned char)line[word_len]) || line[word_len] == '-')) {
        word_len++;
    }
    if (word_len < len && line[word_len] != ' ' && line[word_len] != '\t') {
        return CAPTURE_NO_VERB;
    }
    for (size_t i = 0; i < VERB_WORDS; i++) {
        const char *word = verb_words[i].word;
        if (strlen(word) == word_len && strncasecmp(word, line, word_len) == 0) {
            return verb_words[i].verb;
        }
    }
    return CAPTURE_NO_VERB;
}

const char *capture_verb_name(enum capture_verb verb)
{
    static const char *const names[] = {
        [CAPTURE_HELO] = "EHLO",
        [CAPTURE_STARTTLS] = "STARTTLS",
        [CAPTURE_AUTH] = "AUTH",
        [CAPTURE_MAIL] = "MAIL FROM",
        [CAPTURE_RCPT] = "RCPT TO",
        [CAPTURE_DATA] = "DATA",
        [CAPTURE_BDAT] = "BDAT",
        [CAPTURE_DOT] = "the end of the message",
        [CAPTURE_RSET] = "RSET",
        [CAPTURE_QUIT] = "QUIT",
        [CAPTURE_OTHER_VERB] = "a command",
        [CAPTURE_NO_VERB] = "the greeting",
    };
    return names[verb];
}

bool capture_chunk_read(const char *line, size_t len, uint64_t *size_out, bool *is_last_out)
{
    size_t at = strlen("BDAT");
    while (at < len && line[at] == ' ') {
        at++;
    }
    size_t begin = at;
    while (at < len && isdigit((unsigned char)line[at])) {
        at++;
    }
    const char *rest = line + at;
    *is_last_out = len - at >= 5 && strncasecmp(rest, " LAST", 5) == 0;
    return begin < len && text_parse_u64(line + begin, at - begin, UINT32_MAX, size_out);
}

struct capture_reply capture_reply_read(const char *line, size_t len)
{
    struct capture_reply reply = {0};
    if (len < 3 || line[0] < '2' || line[0] > '5' || !isdigit((unsigned char)line[1]) ||
        !isdigit((unsigned char)line[2])) {
        return reply;
    }
    reply.code = (uint16_t)((line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'));
    reply.is_last = len == 3 || line[3] != '-';
    return reply;
}

static bool line_has(const char *line, size_t len, const char *words)
{
    size_t words_len = strlen(words);
    for (size_t i = 0; i + words_len <= len; i++) {
        if (strncasecmp(line + i, words, words_len) == 0) {
            return true;
        }
    }
    return false;
}

static bool line_has_one(const char *line, size_t len, const char *const words[], size_t word_count)
{
    for (size_t i = 0; i < word_count; i++) {
        if (line_has(line, len, words[i])) {
            return true;
        }
    }
    return false;
}

bool capture_reply_is_greylist(uint16_t code, const char *line, size_t len)
{
    /* In turn: who says so; rspamd; postscreen after its deep tests. */
    static const char *const words[] = {
        "greylist",
        "graylist",
        "grey list",
        "gray list",
        "grey-list",
        "4.7.1 Try again later",
        "450 4.3.2 Service currently unavailable",
    };
    return code / 100 == 4 && line_has_one(line, len, words, sizeof words / sizeof words[0]);
}

bool capture_reply_is_dns(uint16_t code, const char *line, size_t len)
{
    static const char *const words[] = {
        "Host not found",
        "Domain not found",
        "cannot find your",
        "Name service error",
        "could not complete sender verify",
        "temporarily unable to verify",
        "lookup failure",
        "lookup failed",
        "DNS",
    };
    return code / 100 == 4 && line_has_one(line, len, words, sizeof words / sizeof words[0]);
}
