/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/record.h"

#include <string.h>

#include "base/clock.h"

#include "cache/cache_private.h"
#include "cache/mark.h"

/* Messages that are copied under one hold of the lock: the largest one fits beside some others. */
#define RECORD_ROOM (2u * (CACHE_MESSAGE_MAX + 1))

/* Older than this, nothing is of use whatever its TTL; and times can be subtracted. */
#define RECORD_AGE_MAX_US (INT64_C(366) * 86400 * CLOCK_US_PER_S)

/* Above the position within the shard: which shard. */
#define RECORD_SHARD_SHIFT SHARD_PLACE_BITS

/* What has been copied out and not been shown yet. On the stack of cache_walk(): walking needs no
 * memory that could be short. */
struct record_batch {
    struct cache_record records[CACHE_WALK_STEP];
    size_t count;
    size_t used;
    int64_t stale_max_us;
    uint8_t bytes[RECORD_ROOM];
};

static void record_read(struct cache_record *record, const struct entry *entry)
{
    memset(record, 0, sizeof *record);
    memcpy(record->key.name, entry_name(entry), entry->name_len);
    record->key.name_len = entry->name_len;
    record->key.type = entry->type;
    record->key.class = entry_class(entry);
    record->key.wants_dnssec = (entry->flags & ENTRY_WANTS_DNSSEC) != 0;
    record->key.checking_disabled = (entry->flags & ENTRY_CHECKING_DISABLED) != 0;
    record->fill = (struct cache_fill){
        .kind = (enum cache_kind)entry->kind,
        .len = entry->message_len,
        .ttl_s = entry->ttl_s,
        .is_ad = (entry->flags & ENTRY_IS_AD) != 0,
        .is_list = (entry->flags & ENTRY_IS_LIST) != 0,
        .is_any_type = (entry->flags & ENTRY_IS_ANY_TYPE) != 0,
        .ahead = entry->ahead,
        .origin = entry->origin,
    };
    record->hits = entry->hits;
}

static bool record_collect(void *context, const struct shard *shard, const struct entry *entry)
{
    struct record_batch *batch = context;
    size_t len = entry->message_len;
    if (batch->count == CACHE_WALK_STEP || len > sizeof batch->bytes - batch->used) {
        return false;
    }
    bool is_dead = entry_state_at(entry, shard->latest, batch->stale_max_us) == ENTRY_DEAD;
    if (entry->kind == CACHE_KIND_FAILURE || is_dead) {
        return true;
    }
    struct cache_record *record = &batch->records[batch->count];
    uint8_t *message = batch->bytes + batch->used;
    record_read(record, entry);
    record->fill.message = message;
    record->stored_at = shard->latest - entry_age_us(entry, shard->latest);
    shelf_read(&shard->shelf, entry, entry->type, message);
    batch->count++;
    batch->used += len;
    return true;
}

bool cache_walk(struct cache *cache, uint64_t *cursor, cache_visit *visit, void *context)
{
    struct record_batch batch;
    uint32_t shard = (uint32_t)(*cursor >> RECORD_SHARD_SHIFT);
    uint64_t place = *cursor & ((UINT64_C(1) << RECORD_SHARD_SHIFT) - 1);
    if (shard >= cache->shard_count) {
        return false;
    }
    batch.count = 0;
    batch.used = 0;
    batch.stale_max_us = atomic_load_explicit(&cache->stale_max_us, memory_order_relaxed);
    place = shard_walk(&cache->shards[shard], place, record_collect, &batch);
    for (size_t i = 0; i < batch.count; i++) {
        visit(context, &batch.records[i]);
    }
    if (place == 0) {
        shard++;
    }
    *cursor = (uint64_t)shard << RECORD_SHARD_SHIFT | place;
    return shard < cache->shard_count;
}

bool cache_restore(struct cache *cache, const struct cache_record *record, int64_t now)
{
    struct shard_call call;
    struct shard *shard = cache_shard_for(cache, &record->key, now, &call);
    if (record->stored_at < now - RECORD_AGE_MAX_US) {
        return false;
    }
    const struct shard_past past = {
        /* A clock that is ahead of ours makes no answer younger than new. */
        .stored_at = record->stored_at < now ? record->stored_at : now,
        .hits = record->hits,
    };
    struct cache_fill fill = record->fill;
    fill.mark = CACHE_MARK_START; /* It is older than this cache, and than its flushes. */
    return shard_restore(shard, &call, &fill, &past);
}
