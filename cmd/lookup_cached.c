/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/lookup_cached.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "wire/message.h"
#include "cmd/lookup_show.h"
#include "cmd/reply.h"
#include "cmd/upstream_list.h"

#define ENTRY_WORDS 10 /* entry VERDICT KIND AGE_S TTL_LEFT_S HITS DO CD AD ORIGIN */
#define ORIGIN_MAX  UINT16_MAX

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
};

static bool entry_read(char *const words[], size_t count, struct entry *entry_out)
{
    if (count < ENTRY_WORDS) {
        return false;
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

/* A kind of a newer daemon is shown by its own word. */
static const char *kind_words(const char *kind)
{
    static const char *const kinds[][2] = {
        {"answer", "an answer"},
        {"nodata", "no records of this type"},
        {"nxdomain", "there is no such name"},
        {"failure", "asking failed a moment ago (SERVFAIL)"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i][0], kind) == 0) {
            return kinds[i][1];
        }
    }
    return kind;
}

static void add_seconds(struct text *text, uint64_t seconds)
{
    text_addf(text, "%" PRIu64 " s", seconds);
}

static void add_entry(
    struct text *text, const struct entry *entry, const struct upstream_list *servers)
{
    text_addf(text, "cached, %s", entry->verdict);
    if (entry->wants_dnssec == 1 || entry->checking_disabled == 1) {
        text_addf(text, ", for questions with%s%s", entry->wants_dnssec == 1 ? " DO" : "",
            entry->checking_disabled == 1 ? " CD" : "");
    }
    text_addf(
        text, ": %s%s\n    ", kind_words(entry->kind), entry->is_ad == 1 ? ", authentic (AD)" : "");
    add_seconds(text, entry->age_s);
    text_add(text, " old, ");
    add_seconds(text, entry->ttl_left_s);
    text_addf(text, " left, given %" PRIu64 " time%s", entry->hits, entry->hits == 1 ? "" : "s");
    if (strcmp(entry->kind, "failure") != 0) {
        text_addf(text, ", from upstream group %s",
            upstream_list_group(servers, (uint16_t)entry->origin));
    }
    text_add(text, "\n");
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

static bool add_message(struct text *text, char *word, const struct entry *entry)
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
    lookup_show_records(text, &message, (uint32_t)entry->age_s);
    return true;
}

bool lookup_cached_add(struct text *text, struct reply *reply, const struct upstream_list *servers)
{
    struct entry entry = {.verdict = NULL};
    for (char *line = reply_next(reply); line != NULL; line = reply_next(reply)) {
        char *words[ENTRY_WORDS];
        size_t count = reply_words(line, words, ENTRY_WORDS);
        if (count > 0 && strcmp(words[0], "entry") == 0) {
            if (!entry_read(words, count, &entry)) {
                return false;
            }
            add_entry(text, &entry, servers);
        } else if (count > 0 && strcmp(words[0], "message") == 0) {
            if (entry.verdict == NULL || count < 2 || !add_message(text, words[1], &entry)) {
                return false;
            }
        }
    }
    if (entry.verdict == NULL) {
        text_add(text, "not cached\n");
    }
    return true;
}
