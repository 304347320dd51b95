/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "cache/cache.h"
#include "cache/shard.h"

/*
 * The inside of the cache, for cache.c, flush.c and record.c. The secret and the number of shards
 * never change. `admin_lock` puts flushes and changes of the budget in a row; lookups and stores
 * never take it. The budget holds this struct and all shards.
 */
struct cache {
    struct hash_key secret;
    uint32_t shard_count; /* A power of two. */
    _Atomic int64_t stale_max_us;
    _Atomic uint64_t budget_bytes;
    _Atomic uint64_t mark;
    pthread_mutex_t admin_lock;
    struct shard shards[];
};

void cache_admin_lock(struct cache *cache);
void cache_admin_unlock(struct cache *cache);

/* The shard in which the key stands, and the call to make there. */
struct shard *cache_shard_for(
    struct cache *cache, const struct cache_key *key, int64_t now, struct shard_call *call_out);
