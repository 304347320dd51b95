/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot from disk. The first byte says what the rest is: a whole file (even), read in windows
 * as small as may be, or the body of one entry (odd), which a fuzzer could not give a right sum.
 * Whatever is believed goes the way of a real start: into a cache, out of it, and into an answer.
 */
#include <stdlib.h>

#include "base/must.h"
#include "wire/answer.h"
#include "wire/header.h"
#include "wire/question.h"
#include "cache/snapshot_private.h"
#include "resolver/cut.h"

#define NOW INT64_C(100000000000)

struct ways {
    struct cache *cache;
    uint8_t stored[MESSAGE_SIZE_MAX];
    uint8_t answer[MESSAGE_SIZE_MAX];
};

static void answer_make(
    struct ways *ways, const struct cache_key *key, size_t len, const struct cache_found *found)
{
    const struct answer_form form = {.size_max = MESSAGE_SIZE_MAX, .has_edns = true};
    const struct answer_stored stored = {
        .bytes = ways->stored, .len = len, .extra = {.age_s = found->age_s, .ttl_cap = UINT32_MAX}};
    struct question question = {.name_len = key->name_len, .type = key->type, .class = key->class};
    memcpy(question.name, key->name, key->name_len);
    must(answer_from_stored(&form, &question, &stored, ways->answer, sizeof ways->answer) > 0);
}

static void entry_use(struct ways *ways, struct cache_record *record)
{
    struct cache_found found;
    record->stored_at += NOW;
    must(record->stored_at <= NOW);
    if (!cache_restore(ways->cache, record, NOW) ||
        cache_lookup(ways->cache, &record->key, NOW, ways->stored, sizeof ways->stored, &found) ==
            CACHE_MISS) {
        return;
    }
    must(found.len == record->fill.len && found.ttl_left_s <= record->fill.ttl_s);
    if (record->key.type != 0) {
        answer_make(ways, &record->key, found.len, &found);
        return;
    }
    struct cache_key asked = record->key;
    asked.type = 1;
    size_t len = cut_compose(&asked, ways->stored, found.len, ways->answer, sizeof ways->answer);
    memcpy(ways->stored, ways->answer, len);
    if (len > 0) {
        answer_make(ways, &asked, len, &found);
    }
}

static void blob_check(const struct snapshot_blob *blob, const struct snapshot_window *window)
{
    const uint8_t *end = window->bytes + window->len;
    must(blob->bytes + blob->len <= end && blob->subject + blob->subject_len <= blob->bytes);
}

static void file_read(struct ways *ways, const uint8_t *data, size_t size)
{
    struct snapshot_scan scan = {0};
    struct snapshot_window window = {.bytes = data, .is_last = size == 0};
    enum snapshot_item item = SNAPSHOT_MORE;
    while (item < SNAPSHOT_END) {
        struct snapshot_found found;
        item = snapshot_next(&scan, &window, &found);
        if (item == SNAPSHOT_ENTRY) {
            entry_use(ways, &found.entry);
        } else if (item == SNAPSHOT_BLOB) {
            blob_check(&found.blob, &window);
        } else if (item == SNAPSHOT_MORE) {
            must(!window.is_last);
            window.len += 1 + size / 64;
            window.len = window.len < size ? window.len : size;
            window.is_last = window.len == size;
        }
    }
    must(item == SNAPSHOT_FOREIGN || window.at == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ways *ways = calloc(1, sizeof *ways);
    struct cache_record record;
    if (ways == NULL || size == 0) {
        free(ways);
        return 0;
    }
    ways->cache = cache_new(&(struct cache_options){.budget_bytes = CACHE_BUDGET_MIN,
        .shard_count = 1,
        .stale_max_us = INT64_C(86400000000),
        .list_share = 100});
    must(ways->cache != NULL);
    if ((data[0] & 1u) == 0) {
        file_read(ways, data + 1, size - 1);
    } else if (snapshot_body_read_entry(data + 1, size - 1, &record)) {
        entry_use(ways, &record);
    }
    cache_free(&ways->cache);
    free(ways);
    return 0;
}
