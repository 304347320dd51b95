/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "doctor/mail_log.h"

/* Any bytes as a mail log, fed whole and in pieces: the same is counted, within its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tally(const struct mail_log_tally *tally)
{
    uint64_t keys = 0;
    must(tally->key_count <= MAIL_LOG_KEYS);
    must(memchr(tally->example, '\0', MAIL_LOG_EXAMPLE_SIZE) != NULL);
    must((tally->count == 0) == (tally->example[0] == '\0'));
    must(tally->first_s <= tally->last_s);
    for (size_t i = 0; i < tally->key_count; i++) {
        must(memchr(tally->keys[i].text, '\0', MAIL_LOG_KEY_SIZE) != NULL);
        must(tally->keys[i].text[0] != '\0');
        keys += tally->keys[i].count;
    }
    must(keys <= tally->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mail_log *whole = malloc(sizeof *whole);
    struct mail_log *pieces = malloc(sizeof *pieces);
    must(whole != NULL && pieces != NULL);
    mail_log_init(whole, 1795267890, 3600);
    mail_log_init(pieces, 1795267890, 3600);
    mail_log_feed(whole, (const char *)data, size);
    mail_log_end(whole);
    for (size_t at = 0; at < size; at += 7) {
        mail_log_feed(pieces, (const char *)data + at, size - at < 7 ? size - at : 7);
    }
    mail_log_end(pieces);
    must(whole->lines == pieces->lines && whole->sent == pieces->sent);
    must(whole->first_s <= whole->last_s);
    for (int i = 0; i < (int)LOG_PATTERNS; i++) {
        check_tally(&whole->tallies[i]);
        must(whole->tallies[i].count == pieces->tallies[i].count);
        must(strcmp(whole->tallies[i].example, pieces->tallies[i].example) == 0);
    }
    free(whole);
    free(pieces);
    return 0;
}
