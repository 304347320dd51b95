/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "cache/cache.h"
#include "tests/bench/policy_replay.h"
#include "tests/bench/policy_trace.h"
#include "wire/header.h"

/* One shard, as small caches have; and stale answers are kept for a day, as by default. */
#define REAL_SHARDS    1
#define REAL_STALE_US  (INT64_C(86400) * CLOCK_US_PER_S)
#define REAL_BYTES     160 /* Of budget for an entry, unless the smallest budget gives more. */
#define REAL_LEN_MIN   40
#define REAL_LEN_MAX   1200
#define REAL_START     (INT64_C(1000) * CLOCK_US_PER_S)
#define REAL_NAME_LEN  15
#define REAL_STEPS     256 /* How finely the budget is chosen. */
#define REAL_FILL_MORE 2   /* To see how many entries fit, this many times as many are stored. */

struct real_size {
    uint64_t budget_bytes;
    size_t message_len;
};

struct real {
    struct cache *cache;
    size_t message_len;
    uint8_t message[REAL_LEN_MAX];
};

/* The name <number in eight hexadecimal digits>.mail. */
static struct cache_key real_key(uint32_t number)
{
    struct cache_key key = {.name_len = REAL_NAME_LEN, .type = 1, .class = 1};
    char label[16];
    struct text text;
    text_init(&text, label, sizeof(label));
    text_addf(&text, "%08x", number);
    key.name[0] = 8;
    memcpy(key.name + 1, label, 8);
    memcpy(key.name + 9, "\4mail", 6);
    return key;
}

static void real_store(struct real *real, const struct policy_ask *ask, int64_t now)
{
    struct cache_key key = real_key(ask->name);
    struct cache_fill fill = {
        .kind = CACHE_KIND_ANSWER,
        .message = real->message,
        .len = real->message_len,
        .ttl_s = ask->ttl_s,
        .is_list = ask->is_list,
    };
    memcpy(real->message + HEADER_SIZE, key.name, key.name_len);
    cache_store(real->cache, &key, &fill, now);
}

static bool real_open(struct real *real, uint64_t budget_bytes, unsigned list_share)
{
    struct cache_options options = {
        .budget_bytes = budget_bytes,
        .shard_count = REAL_SHARDS,
        .stale_max_us = REAL_STALE_US,
        .list_share = list_share,
        .secret = {.k0 = 1, .k1 = 2},
    };
    real->cache = cache_new(&options);
    return real->cache != NULL;
}

static uint64_t real_count(struct real *real)
{
    struct cache_metrics metrics;
    cache_read_metrics(real->cache, &metrics);
    return metrics.cache_entries;
}

/* How many entries does a cache of this size hold? 0: memory is short. */
static uint64_t real_capacity(const struct real_size *size, uint32_t entries)
{
    struct real real = {.message_len = size->message_len};
    if (!real_open(&real, size->budget_bytes, 100)) {
        return 0;
    }
    for (uint32_t name = 0; name < entries * REAL_FILL_MORE; name++) {
        struct policy_ask ask = {.name = name, .ttl_s = 3600};
        real_store(&real, &ask, REAL_START);
    }
    uint64_t count = real_count(&real);
    cache_free(&real.cache);
    return count;
}

/* What makes a cache that holds so many entries. Entries take whole steps of size, and no budget is
 * below the least: so first the shortest message of which not too many fit, then the budget. */
static bool real_fit(struct real_size *size, uint32_t entries)
{
    size_t len_low = REAL_LEN_MIN;
    size_t len_high = REAL_LEN_MAX;
    while (len_low < len_high) {
        size->message_len = (len_low + len_high) / 2;
        if (real_capacity(size, entries) > entries) {
            len_low = size->message_len + 1;
        } else {
            len_high = size->message_len;
        }
    }
    size->message_len = len_low;
    uint64_t low = size->budget_bytes;
    uint64_t high = low * 2;
    while (high - low > low / REAL_STEPS) {
        size->budget_bytes = (low + high) / 2;
        if (real_capacity(size, entries) < entries) {
            low = size->budget_bytes;
        } else {
            high = size->budget_bytes;
        }
    }
    return real_capacity(size, entries) > 0;
}

static void real_run(
    struct real *real, const struct policy_trace *trace, struct policy_score *score)
{
    uint8_t answer[REAL_LEN_MAX];
    struct cache_found found;
    for (uint32_t i = 0; i < trace->count; i++) {
        const struct policy_ask *ask = &trace->asks[i];
        int64_t now = REAL_START + ask->second * CLOCK_US_PER_S;
        struct cache_key key = real_key(ask->name);
        bool is_hit =
            cache_lookup(real->cache, &key, now, answer, sizeof(answer), &found) == CACHE_FRESH;
        if (!is_hit) {
            real_store(real, ask, now);
        }
        score->asks++;
        score->hits += is_hit;
        score->other_asks += !ask->is_list;
        score->other_hits += is_hit && !ask->is_list;
    }
    score->entries = real_count(real);
}

bool policy_replay_real(const struct policy_trace *trace, uint32_t entries, unsigned list_share,
    struct policy_score *score_out)
{
    struct real_size size = {.budget_bytes = (uint64_t)entries * REAL_BYTES};
    *score_out = (struct policy_score){.asks = 0};
    if (size.budget_bytes < CACHE_BUDGET_MIN) {
        size.budget_bytes = CACHE_BUDGET_MIN;
    }
    if (!real_fit(&size, entries)) {
        return false;
    }
    struct real real = {.message_len = size.message_len};
    if (!real_open(&real, size.budget_bytes, list_share)) {
        return false;
    }
    real_run(&real, trace, score_out);
    cache_free(&real.cache);
    return true;
}
