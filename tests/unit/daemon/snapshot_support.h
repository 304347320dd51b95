/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "wire/bytes.h"
#include "cache/cache.h"

/*
 * For the tests of the snapshot on disk: a folder of its own, and a cache with numbered answers in
 * their stored form.
 */
#define SUPPORT_BUDGET  (UINT64_C(16) << 20)
#define SUPPORT_TTL_S   300
#define SUPPORT_MESSAGE 64

static char folder[64];
static char path[96];

/* When the answers were last made: a slow machine makes them older than they were made to be. */
static int64_t made_at;

static inline int folder_make(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/mxcache-snapshot-XXXXXX");
    assert_non_null(mkdtemp(folder));
    made_at = clock_now();
    (void)snprintf(path, sizeof path, "%s/cache.snapshot", folder);
    return 0;
}

static inline int folder_remove(void **state)
{
    char beside[128];
    (void)state;
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    (void)unlink(beside);
    (void)unlink(path);
    return rmdir(folder);
}

static inline struct cache *cache_make(void)
{
    struct cache *cache = cache_new(&(struct cache_options){.budget_bytes = SUPPORT_BUDGET,
        .shard_count = 2,
        .stale_max_us = 600 * CLOCK_US_PER_S,
        .list_share = 100});
    assert_non_null(cache);
    return cache;
}

static inline struct cache_key cache_key_at(unsigned n)
{
    struct cache_key key = {.name_len = 15, .type = 1, .class = 1};
    char label[9];
    (void)snprintf(label, sizeof label, "%08x", n);
    key.name[0] = 8;
    memcpy(key.name + 1, label, 8);
    memcpy(key.name + 9, "\4test", 6);
    return key;
}

/* Answers `from` to `to`, stored at `now`. */
static inline void cache_fill_with(struct cache *cache, unsigned from, unsigned to, int64_t now)
{
    for (unsigned n = from; n < to; n++) {
        uint8_t bytes[SUPPORT_MESSAGE];
        struct writer writer = writer_of(bytes, sizeof bytes);
        struct cache_key key = cache_key_at(n);
        writer_bytes(&writer, (const uint8_t *)"\0\0\201\200\0\1\0\1\0\0\0\0", 12);
        writer_bytes(&writer, key.name, key.name_len);
        writer_bytes(&writer, (const uint8_t *)"\0\1\0\1\300\14\0\1\0\1\0\0\1\54\0\4", 16);
        writer_u32(&writer, n);
        const struct cache_fill fill = {
            .kind = CACHE_KIND_ANSWER, .message = bytes, .len = writer.len, .ttl_s = SUPPORT_TTL_S};
        cache_store(cache, &key, &fill, now);
    }
}

/* How many of those answers are there and right, fresh at `now`; their ages are `age_s`, give or
 * take one, and what has passed since they were made. */
static inline unsigned cache_count(
    struct cache *cache, unsigned from, unsigned to, int64_t now, uint32_t age_s)
{
    unsigned count = 0;
    uint32_t age_max = age_s + 1 + (uint32_t)((now - made_at) / CLOCK_US_PER_S);
    for (unsigned n = from; n < to; n++) {
        uint8_t bytes[SUPPORT_MESSAGE];
        struct cache_found found;
        struct cache_key key = cache_key_at(n);
        if (cache_peek(cache, &key, now, bytes, sizeof bytes, &found) != CACHE_FRESH) {
            continue;
        }
        assert_int_equal(bytes_get_u32(bytes + found.len - 4), n);
        assert_in_range(found.age_s, age_s > 0 ? age_s - 1 : 0, age_max);
        count++;
    }
    return count;
}
