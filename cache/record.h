/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "cache/cache.h"

/*
 * The cache's contents as a row of records, for those who keep them elsewhere (cache/snapshot.h).
 * Any thread.
 */

/* One entry as the snapshot keeps it: an answer, fresh or stale. Times are of the cache's clock. */
struct cache_record {
    struct cache_key key;
    struct cache_fill fill; /* Its message is the visitor's to read during the call only. */
    int64_t stored_at;
    uint32_t hits;
};

typedef void cache_visit(void *context, const struct cache_record *record);

/*
 * Shows every answer to `visit`, some at a time: under one hold of a lock up to CACHE_WALK_STEP
 * entries, which are copied out before `visit` is called. Starts with *cursor 0. False: all have
 * been shown. What is stored, moved or removed meanwhile may be shown twice or not at all. Failures
 * and what has expired for good, but still lies there, are not shown.
 */
#define CACHE_WALK_STEP 64
bool cache_walk(struct cache *cache, uint64_t *cursor, cache_visit *visit, void *context);

/* Puts a record back as it was. What stands there already and is newer stays; what is dead at `now`
 * or does not fit any more without evicting is left out. False: left out. */
bool cache_restore(struct cache *cache, const struct cache_record *record, int64_t now);
