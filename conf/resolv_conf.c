/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/resolv_conf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "conf/source.h"

/* libc's own bounds and defaults. */
#define RESOLV_CONF_PORT         53
#define RESOLV_CONF_TIMEOUT      5
#define RESOLV_CONF_TIMEOUT_MAX  30
#define RESOLV_CONF_ATTEMPTS     2
#define RESOLV_CONF_ATTEMPTS_MAX 5
#define RESOLV_CONF_NDOTS        1
#define RESOLV_CONF_NDOTS_MAX    15

/* A run of bytes between blanks. */
struct resolv_conf_word {
    const char *bytes;
    size_t len;
};

static bool resolv_conf_is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

/* The next word from *at on; empty at the end of the line or at a comment. */
static struct resolv_conf_word resolv_conf_take_word(const char **at, const char *end)
{
    while (*at < end && resolv_conf_is_blank(**at)) {
        (*at)++;
    }
    struct resolv_conf_word word = {.bytes = *at};
    while (*at < end && !resolv_conf_is_blank(**at) && **at != '#' && **at != ';') {
        (*at)++;
    }
    word.len = (size_t)(*at - word.bytes);
    return word;
}

static bool resolv_conf_word_is(const struct resolv_conf_word *word, const char *string)
{
    return word->len == strlen(string) && memcmp(word->bytes, string, word->len) == 0;
}

static void resolv_conf_add_server(struct resolv_conf *out, const struct resolv_conf_word *word)
{
    struct address address;
    bool has_port = memchr(word->bytes, '@', word->len) != NULL;
    if (has_port || !address_parse(word->bytes, word->len, RESOLV_CONF_PORT, &address)) {
        out->servers_bad++;
        return;
    }
    if (out->server_count == RESOLV_CONF_SERVERS_MAX) {
        out->servers_dropped++;
        return;
    }
    out->servers[out->server_count++] = address;
}

/* "NAME:NUMBER": the number, at most `max`. False: another option. */
static bool resolv_conf_read_option(
    const struct resolv_conf_word *word, const char *name, unsigned max, unsigned *number_out)
{
    size_t name_len = strlen(name);
    uint64_t number = 0;
    if (word->len <= name_len || memcmp(word->bytes, name, name_len) != 0 ||
        !text_parse_u64(word->bytes + name_len, word->len - name_len, UINT64_MAX, &number)) {
        return false;
    }
    *number_out = number > max ? max : (unsigned)number;
    return true;
}

static unsigned resolv_conf_option_bit(const struct resolv_conf_word *word)
{
    static const struct {
        const char *name;
        enum resolv_conf_option bit;
    } rows[] = {
        {"rotate", RESOLV_CONF_ROTATE},
        {"use-vc", RESOLV_CONF_USE_VC},
        {"trust-ad", RESOLV_CONF_TRUST_AD},
        {"edns0", RESOLV_CONF_EDNS0},
        {"single-request", RESOLV_CONF_SINGLE_REQUEST},
        {"single-request-reopen", RESOLV_CONF_SINGLE_REQUEST},
        {"no-aaaa", RESOLV_CONF_NO_AAAA},
        {"no-reload", RESOLV_CONF_NO_RELOAD},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (resolv_conf_word_is(word, rows[i].name)) {
            return rows[i].bit;
        }
    }
    return 0;
}

static void resolv_conf_read_options(struct resolv_conf *out, const char *at, const char *end)
{
    while (true) {
        struct resolv_conf_word word = resolv_conf_take_word(&at, end);
        if (word.len == 0) {
            return;
        }
        if (resolv_conf_read_option(&word, "timeout:", RESOLV_CONF_TIMEOUT_MAX, &out->timeout_s)) {
            out->has_timeout = true;
        }
        resolv_conf_read_option(&word, "attempts:", RESOLV_CONF_ATTEMPTS_MAX, &out->attempts);
        resolv_conf_read_option(&word, "ndots:", RESOLV_CONF_NDOTS_MAX, &out->ndots);
        out->options |= resolv_conf_option_bit(&word);
    }
}

/* `search` and `domain`: the last line counts. */
static void resolv_conf_read_search(struct resolv_conf *out, const char *at, const char *end)
{
    out->search_count = 0;
    out->search_first[0] = '\0';
    while (true) {
        struct resolv_conf_word word = resolv_conf_take_word(&at, end);
        if (word.len == 0) {
            return;
        }
        if (resolv_conf_word_is(&word, ".")) {
            continue;
        }
        if (out->search_count++ == 0) {
            size_t room = sizeof out->search_first - 1;
            size_t len = word.len < room ? word.len : room;
            memcpy(out->search_first, word.bytes, len);
            out->search_first[len] = '\0';
        }
    }
}

/* A keyword counts only in the first column. */
static void resolv_conf_read_line(struct resolv_conf *out, const char *start, const char *end)
{
    if (start == end || resolv_conf_is_blank(*start)) {
        return;
    }
    const char *at = start;
    struct resolv_conf_word keyword = resolv_conf_take_word(&at, end);
    if (resolv_conf_word_is(&keyword, "nameserver")) {
        struct resolv_conf_word address = resolv_conf_take_word(&at, end);
        resolv_conf_add_server(out, &address);
    } else if (resolv_conf_word_is(&keyword, "options")) {
        resolv_conf_read_options(out, at, end);
    } else if (resolv_conf_word_is(&keyword, "search") || resolv_conf_word_is(&keyword, "domain")) {
        resolv_conf_read_search(out, at, end);
    }
}

void resolv_conf_parse(const char *bytes, size_t len, struct resolv_conf *out)
{
    memset(out, 0, sizeof *out);
    out->timeout_s = RESOLV_CONF_TIMEOUT;
    out->attempts = RESOLV_CONF_ATTEMPTS;
    out->ndots = RESOLV_CONF_NDOTS;
    const char *at = bytes;
    const char *end = bytes + len;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline == NULL ? end : newline;
        resolv_conf_read_line(out, at, line_end);
        at = newline == NULL ? end : newline + 1;
    }
}

bool resolv_conf_read(const char *path, struct resolv_conf *out)
{
    resolv_conf_parse("", 0, out);
    size_t len = 0;
    char *bytes = source_read(path, RESOLV_CONF_SIZE_MAX, &len);
    if (bytes == NULL) {
        return false;
    }
    resolv_conf_parse(bytes, len, out);
    free(bytes);
    return true;
}

unsigned resolv_conf_stall_s(const struct resolv_conf *file)
{
    unsigned servers = 1;
    if (file->server_count > 0) {
        servers = file->server_count < RESOLV_CONF_LIBC_MAX ? (unsigned)file->server_count
                                                            : RESOLV_CONF_LIBC_MAX;
    }
    unsigned round_s = 0;
    for (unsigned i = 0; i < servers; i++) {
        unsigned wait_s = (file->timeout_s << i) / (i > 0 ? servers : 1);
        round_s += wait_s > 0 ? wait_s : 1;
    }
    return round_s * file->attempts;
}
