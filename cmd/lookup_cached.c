/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/lookup_cached.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "wire/message.h"
#include "cmd/lookup_hide.h"
#include "cmd/lookup_show.h"
#include "cmd/reply.h"
#include "cmd/upstream_list.h"

/* entry VERDICT KIND AGE_S TTL_LEFT_S HITS DO CD AD ORIGIN SEGMENT REASON COST_US EDE; an older
 * daemon says the first ten. */
#define ENTRY_WORDS_LEAST 10
#define ENTRY_WORDS       14
#define ORIGIN_MAX        UINT16_MAX

struct entry {
    const char *verdict;
    const char *kind;
    uint64_t age_s;
    uint64_t ttl_left_s;
    uint64_t hits;
    uint64_t wants_dnssec;
    uint64_t checking_disabled;
    uint64_t is_ad;
    uint64_t origin;
    const char *segment; /* NULL: not told. */
    const char *reason;
    uint64_t cost_us; /* 0: not known. */
    const char *ede;
};

static bool entry_read(char *const words[], size_t count, struct entry *entry_out)
{
    if (count < ENTRY_WORDS_LEAST) {
        return false;
    }
    *entry_out = (struct entry){.segment = NULL};
    if (count == ENTRY_WORDS) {
        entry_out->segment = words[10];
        entry_out->reason = words[11];
        entry_out->ede = words[13];
        if (!reply_number(words[12], UINT32_MAX, &entry_out->cost_us)) {
            return false;
        }
    }
    entry_out->verdict = words[1];
    entry_out->kind = words[2];
    return reply_number(words[3], UINT32_MAX, &entry_out->age_s) &&
           reply_number(words[4], UINT32_MAX, &entry_out->ttl_left_s) &&
           reply_number(words[5], UINT32_MAX, &entry_out->hits) &&
           reply_number(words[6], 1, &entry_out->wants_dnssec) &&
           reply_number(words[7], 1, &entry_out->checking_disabled) &&
           reply_number(words[8], 1, &entry_out->is_ad) &&
           reply_number(words[9], ORIGIN_MAX, &entry_out->origin);
}

/* The second word for the first; a newer daemon's is shown as it is. */
struct phrase {
    const char *word;
    const char *words;
};

static const struct phrase kinds[] = {
    {"answer", "an answer"},
    {"nodata", "no records of this type"},
    {"nxdomain", "there is no such name"},
    {"failure", "asking failed a moment ago (SERVFAIL)"},
    {NULL, NULL},
};

static const struct phrase reasons[] = {
    {"client", "fetched for a client"},
    {"refresh", "fetched to keep the name fresh"},
    {"ahead", "fetched before a client asked"},
    {"snapshot", "from before the restart"},
    {NULL, NULL},
};

static const struct phrase segments[] = {
    {"probation", "on probation"},
    {"protected", "protected, for it was asked again"},
    {"list", "among the answers of DNS lists"},
    {NULL, NULL},
};

/* Why a failure failed, by its extended error. */
static const struct phrase failures[] = {
    {"0", ": every server failed"},
    {"18", ": it was refused"},
    {"22", ": no server answered"},
    {"23", ": connections broke"},
    {NULL, NULL},
};

static const char *phrase_of(const struct phrase *phrases, const char *word)
{
    while (phrases->word != NULL && strcmp(phrases->word, word) != 0) {
        phrases++;
    }
    return phrases->word != NULL ? phrases->words : NULL;
}

static const char *words_of(const struct phrase *phrases, const char *word)
{
    const char *words = phrase_of(phrases, word);
    return words != NULL ? words : word;
}

static void add_seconds(struct text *text, uint64_t seconds)
{
    text_addf(text, "%" PRIu64 " s", seconds);
}

/* Where it came from: a group, or the zone's own name servers. */
static void add_origin(
    struct text *text, const struct entry *entry, const struct upstream_list *servers)
{
    static const char direct[] = "direct:";
    const char *group = upstream_list_group(servers, (uint16_t)entry->origin);
    if (strncmp(group, direct, sizeof direct - 1) == 0) {
        text_addf(text, ", from the name servers of %s", group + sizeof direct - 1);
    } else {
        text_addf(text, ", from upstream group %s", group);
    }
}

/* What an older daemon does not tell. */
static void add_past(struct text *text, const struct entry *entry, bool is_failure)
{
    if (entry->segment == NULL || is_failure) {
        return;
    }
    text_addf(text, "    %s", words_of(reasons, entry->reason));
    if (entry->cost_us > 0) {
        text_add(text, " in ");
        text_add_latency(text, entry->cost_us);
    }
    text_addf(text, "; %s\n", words_of(segments, entry->segment));
}

static void add_flags(struct text *text, const struct entry *entry)
{
    if (entry->wants_dnssec == 1 || entry->checking_disabled == 1) {
        text_addf(text, ", for questions with%s%s", entry->wants_dnssec == 1 ? " DO" : "",
            entry->checking_disabled == 1 ? " CD" : "");
    }
}

static void add_entry(
    struct text *text, const struct entry *entry, const struct upstream_list *servers)
{
    bool is_failure = strcmp(entry->kind, "failure") == 0;
    const char *why = is_failure && entry->ede != NULL ? phrase_of(failures, entry->ede) : NULL;
    text_addf(text, "cached, %s", entry->verdict);
    add_flags(text, entry);
    text_addf(text, ": %s%s%s\n    ", words_of(kinds, entry->kind), why != NULL ? why : "",
        entry->is_ad == 1 ? ", authentic (AD)" : "");
    add_seconds(text, entry->age_s);
    text_add(text, " old, ");
    add_seconds(text, entry->ttl_left_s);
    text_addf(text, " left, given %" PRIu64 " time%s", entry->hits, entry->hits == 1 ? "" : "s");
    if (!is_failure) {
        add_origin(text, entry, servers);
    }
    text_add(text, "\n");
    add_past(text, entry, is_failure);
}

static bool hex_digit(char c, uint8_t *digit_out)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    if (found == NULL) {
        return false;
    }
    *digit_out = (uint8_t)(found - digits);
    return true;
}

/* Writes over the word: two digits become one byte. */
static bool hex_decode(char *word, size_t *len_out)
{
    size_t len = strlen(word);
    uint8_t *bytes = (uint8_t *)word;
    if (len % 2 != 0 || len / 2 > MESSAGE_SIZE_MAX) {
        return false;
    }
    for (size_t i = 0; i < len / 2; i++) {
        uint8_t upper;
        uint8_t lower;
        if (!hex_digit(word[2 * i], &upper) || !hex_digit(word[2 * i + 1], &lower)) {
            return false;
        }
        bytes[i] = (uint8_t)(upper << 4 | lower);
    }
    *len_out = len / 2;
    return true;
}

bool lookup_cached_add_message(
    struct text *text, const struct lookup_hide *hide, char *word, uint32_t age_s)
{
    struct message message;
    size_t len;
    if (strcmp(word, "-") == 0) {
        return true;
    }
    if (!hex_decode(word, &len) ||
        message_read((const uint8_t *)word, len, &message) != MESSAGE_GOOD) {
        return false;
    }
    lookup_show_records(text, hide, &message, age_s);
    return true;
}

/* One line; what is not known is passed over. */
static bool add_line(
    const struct lookup_cached *cached, char *words[], size_t count, struct entry *entry)
{
    if (strcmp(words[0], "list") == 0) {
        return lookup_hide_read(cached->hide, words, count);
    }
    if (strcmp(words[0], "entry") == 0) {
        if (!entry_read(words, count, entry)) {
            return false;
        }
        add_entry(cached->text, entry, cached->servers);
    } else if (strcmp(words[0], "message") == 0) {
        return entry->verdict != NULL && count > 1 &&
               lookup_cached_add_message(
                   cached->text, cached->hide, words[1], (uint32_t)entry->age_s);
    }
    return true;
}

bool lookup_cached_add(const struct lookup_cached *cached, struct reply *reply)
{
    struct entry entry = {.verdict = NULL};
    for (char *line = reply_next(reply); line != NULL; line = reply_next(reply)) {
        char *words[ENTRY_WORDS];
        size_t count = reply_words(line, words, ENTRY_WORDS);
        if (count > 0 && !add_line(cached, words, count, &entry)) {
            return false;
        }
    }
    if (entry.verdict == NULL) {
        text_add(cached->text, "not cached\n");
    }
    return true;
}
