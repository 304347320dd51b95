/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/cache.h"
#include "cache/flush.h"
#include "cache/pace.h"
#include "cache/shelf.h"

/*
 * One part of the cache with a lock of its own, which every function here takes for a short and
 * bounded time: it judges what stands on the shelf by the clock, makes room, and counts. The only
 * system calls under the lock map and unmap chunks. Owned by the cache.
 */
struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct shelf shelf;
    struct flush_scope flushed; /* The last flush. */
    cache_pace *pace;           /* NULL: nobody. Of whoever flushes or changes the limit. */
    void *pace_world;
    int64_t latest; /* The greatest `now` of any call; entries know only part of theirs. */
    struct cache_metrics counts; /* The gauges are filled in by shard_add_metrics(). */
};

/* What one call is about. */
struct shard_call {
    const struct cache_key *key;
    uint32_t hash;
    int64_t now;
    int64_t stale_max_us;
    bool is_peek;    /* Leaves order, hits and counters alone. */
    uint32_t keep_s; /* Of a failure; 0: by the number of failures in a row. */
};

/* Where a lookup puts the message. */
struct shard_room {
    uint8_t *bytes;
    size_t size;
};

/* False when memory is short; nothing to shard_fini() then. */
bool shard_init(struct shard *shard, uint64_t bytes_max, const struct hash_key *secret);
void shard_fini(struct shard *shard);

enum cache_verdict shard_lookup(struct shard *shard, const struct shard_call *call,
    const struct shard_room *room, struct cache_found *found_out);
bool shard_read_birth(
    struct shard *shard, const struct shard_call *call, struct cache_birth *birth_out);
void shard_store(struct shard *shard, const struct shard_call *call, const struct cache_fill *fill);
void shard_store_failure(struct shard *shard, const struct shard_call *call, int ede);

/* Removes the matching entries, with the lock released now and then. Returns their number. Two must
 * not run beside each other, nor beside shard_set_max(). */
size_t shard_flush(struct shard *shard, shelf_match *is_match, const void *context);
size_t shard_flush_all(struct shard *shard);

/* Before that: what comes from now on, and was asked for before, is judged by this flush. */
void shard_note_flush(struct shard *shard, const struct flush_scope *scope);

/* Something known at `mark` under the call's key has been flushed since. */
bool shard_is_flushed(struct shard *shard, const struct shard_call *call, uint64_t mark);

/*
 * Shows the entries from `place` on, 0 at first, until `visit` wants no more or a bounded number of
 * buckets has been looked through; all under one hold of the lock, so `visit` only copies. What it
 * refused comes first the next time. Returns where to go on, 0 at the end. A place stays good when
 * the shelf changes its number of buckets.
 */
typedef bool shard_visit(void *context, const struct shard *shard, const struct entry *entry);
#define SHARD_PLACE_BITS 48
uint64_t shard_walk(struct shard *shard, uint64_t place, shard_visit *visit, void *context);

/* What an entry had behind it. */
struct shard_past {
    int64_t stored_at;
    uint32_t hits;
};

/* Puts an answer back, without making room for it. False: it is dead, a newer one stands there, or
 * there is no room. */
bool shard_restore(struct shard *shard, const struct shard_call *call,
    const struct cache_fill *fill, const struct shard_past *past);

/* Lowered: the least recently used entries go at once, with the lock released now and then. */
void shard_set_max(struct shard *shard, uint64_t bytes_max);

/* In per cent, 1 to 100; takes effect as entries come. */
void shard_set_list_share(struct shard *shard, unsigned list_share);

/* Adds this shard's rows; cache_bytes_max is the cache's own. */
void shard_add_metrics(struct shard *shard, struct cache_metrics *sum);
