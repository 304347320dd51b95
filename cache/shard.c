/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/shard.h"

#include <string.h>

#include "base/clock.h"
#include "base/must.h"

/* Work under one hold of the lock while flushing or shrinking: buckets or entries. */
#define SHARD_STEP 256

#define SHARD_FAILURES_MAX 255

#define SHARD_SHOWN_BITS (SHARD_PLACE_BITS - 32)

bool shard_init(struct shard *shard, uint64_t bytes_max)
{
    memset(shard, 0, sizeof *shard);
    if (!shelf_init(&shard->shelf, bytes_max)) {
        shelf_fini(&shard->shelf);
        return false;
    }
    must(pthread_mutex_init(&shard->lock, NULL) == 0);
    return true;
}

void shard_fini(struct shard *shard)
{
    shelf_fini(&shard->shelf);
    must(pthread_mutex_destroy(&shard->lock) == 0);
}

static void shard_lock(struct shard *shard)
{
    must(pthread_mutex_lock(&shard->lock) == 0);
}

static void shard_unlock(struct shard *shard)
{
    must(pthread_mutex_unlock(&shard->lock) == 0);
}

/* Fills in what a caller learns of the entry. */
static void shard_describe(const struct entry *entry, const struct shard_call *call,
    enum entry_state state, struct cache_found *found_out)
{
    bool is_fresh = state == ENTRY_FRESH;
    uint32_t age_s = entry_age_s(entry, call->now);
    *found_out = (struct cache_found){
        .kind = (enum cache_kind)entry->kind,
        .len = entry->message_len,
        .age_s = age_s,
        .ttl_left_s = is_fresh ? entry->ttl_s - age_s : 0,
        .is_ad = (entry->flags & ENTRY_IS_AD) != 0,
        .is_list = (entry->flags & ENTRY_IS_LIST) != 0,
        .is_refresh_due = is_fresh && entry_is_refresh_due(entry, call->now),
        .is_failing = !is_fresh && entry_is_failing(entry, call->now),
        .hits = entry->hits,
        .origin = entry->origin,
        .ede = entry->ede,
        .ttl_s = entry->ttl_s,
        .expired_us = entry_expired_us(entry, call->now),
        .ahead = entry->ahead,
    };
}

static void shard_count_hit(
    struct shard *shard, uint32_t id, const struct shard_call *call, struct cache_found *found)
{
    struct entry *entry = shelf_at(&shard->shelf, id);
    if (entry->hits < UINT32_MAX) {
        entry->hits++;
    }
    found->hits = entry->hits;
    entry->ahead = 0;
    if (found->is_refresh_due) {
        entry_note_asked(entry, ENTRY_WAS_TOLD, call->now);
    }
    shelf_touch(&shard->shelf, id);
}

static enum cache_verdict shard_find(struct shard *shard, const struct shard_call *call,
    const struct shard_room *room, struct cache_found *found_out)
{
    uint32_t id = shelf_find(&shard->shelf, call->key, call->hash);
    if (id == SLAB_NONE) {
        return CACHE_MISS;
    }
    const struct entry *entry = shelf_at(&shard->shelf, id);
    enum entry_state state = entry_state_at(entry, call->now, call->stale_max_us);
    if (state == ENTRY_DEAD && !call->is_peek) {
        shard->counts.cache_expirations++;
        shelf_remove(&shard->shelf, id);
        return CACHE_MISS;
    }
    if (state == ENTRY_DEAD || state == ENTRY_SPENT || entry->message_len > room->size) {
        return CACHE_MISS;
    }
    if (entry->message_len > 0) {
        memcpy(room->bytes, entry_message(entry), entry->message_len);
    }
    shard_describe(entry, call, state, found_out);
    if (!call->is_peek) {
        shard_count_hit(shard, id, call, found_out);
    }
    return state == ENTRY_FRESH ? CACHE_FRESH : CACHE_STALE;
}

static void shard_count_lookup(struct shard *shard, enum cache_verdict verdict)
{
    switch (verdict) {
    case CACHE_FRESH:
        shard->counts.cache_hits++;
        break;
    case CACHE_STALE:
        shard->counts.cache_stale_hits++;
        break;
    case CACHE_MISS:
        shard->counts.cache_misses++;
        break;
    }
}

enum cache_verdict shard_lookup(struct shard *shard, const struct shard_call *call,
    const struct shard_room *room, struct cache_found *found_out)
{
    shard_lock(shard);
    enum cache_verdict verdict = shard_find(shard, call, room, found_out);
    if (!call->is_peek) {
        shard_count_lookup(shard, verdict);
    }
    shard_unlock(shard);
    return verdict;
}

/* Makes room by one entry; an expired one is no loss and counted apart. */
static void shard_evict(struct shard *shard, int64_t now)
{
    const struct entry *entry = shelf_at(&shard->shelf, shard->shelf.oldest);
    if (entry_state_at(entry, now, 0) == ENTRY_FRESH) {
        shard->counts.cache_evictions++;
    } else {
        shard->counts.cache_expirations++;
    }
    shelf_remove(&shard->shelf, shard->shelf.oldest);
}

static bool shard_is_dead(const struct entry *entry, const void *context)
{
    const struct shard_call *call = context;
    return entry_state_at(entry, call->now, call->stale_max_us) == ENTRY_DEAD;
}

/* Adds an entry, for which the dead ones of its bucket and then the least recently used make room.
 * SLAB_NONE: even an empty shelf cannot hold it. */
static uint32_t shard_add(struct shard *shard, const struct shard_call *call, size_t bytes)
{
    struct shelf *shelf = &shard->shelf;
    uint32_t bucket = shelf_bucket_of(shelf, call->hash);
    shard->counts.cache_expirations += shelf_sweep(shelf, bucket, shard_is_dead, call);
    uint32_t id = shelf_add(shelf, call->hash, bytes);
    while (id == SLAB_NONE && shelf->oldest != SLAB_NONE) {
        shard_evict(shard, call->now);
        id = shelf_add(shelf, call->hash, bytes);
    }
    return id;
}

/* A TTL of 0 says: not to be kept. What is fresh stays; what upstream has just shown to be out of
 * date, a stale answer or a failure, goes. */
static void shard_forget_outdated(struct shard *shard, const struct shard_call *call)
{
    uint32_t id = shelf_find(&shard->shelf, call->key, call->hash);
    if (id == SLAB_NONE) {
        return;
    }
    const struct entry *entry = shelf_at(&shard->shelf, id);
    bool is_fresh = entry_state_at(entry, call->now, call->stale_max_us) == ENTRY_FRESH;
    if (!is_fresh || entry->kind == CACHE_KIND_FAILURE) {
        shelf_remove(&shard->shelf, id);
    }
}

static void shard_replace(
    struct shard *shard, const struct shard_call *call, const struct cache_fill *fill)
{
    size_t bytes = entry_bytes(call->key, fill->message, fill->len);
    if (!shelf_could_hold(&shard->shelf, bytes)) {
        shard->counts.cache_too_large++;
        return;
    }
    uint32_t id = shelf_find(&shard->shelf, call->key, call->hash);
    if (id != SLAB_NONE) {
        shelf_remove(&shard->shelf, id);
    }
    id = shard_add(shard, call, bytes);
    if (id == SLAB_NONE) {
        shard->counts.cache_too_large++;
        return;
    }
    entry_fill(shelf_at(&shard->shelf, id), call->key, fill, call->now);
    shard->counts.cache_stores++;
}

void shard_store(struct shard *shard, const struct shard_call *call, const struct cache_fill *fill)
{
    must(fill->kind != CACHE_KIND_FAILURE);
    shard_lock(shard);
    if (fill->ttl_s == 0) {
        shard_forget_outdated(shard, call);
    } else if (fill->len > CACHE_MESSAGE_MAX) {
        shard->counts.cache_too_large++;
    } else {
        shard_replace(shard, call, fill);
    }
    shard_unlock(shard);
}

/* Writes the n-th failure of a row over an entry without a message. */
static void shard_write_failure(
    struct entry *entry, const struct shard_call *call, unsigned failures, int ede)
{
    struct cache_fill fill = {
        .kind = CACHE_KIND_FAILURE,
        .ttl_s = call->keep_s != 0 ? call->keep_s
                                   : (uint32_t)(lifetime_failure_us(failures) / CLOCK_US_PER_S),
    };
    entry_fill(entry, call->key, &fill, call->now);
    entry->failures = (uint8_t)(failures < SHARD_FAILURES_MAX ? failures : SHARD_FAILURES_MAX);
    entry->ede = (int16_t)ede;
}

static void shard_add_failure(struct shard *shard, const struct shard_call *call, int ede)
{
    uint32_t id = shard_add(shard, call, entry_bytes(call->key, NULL, 0));
    if (id == SLAB_NONE) {
        shard->counts.cache_too_large++;
        return;
    }
    shard_write_failure(shelf_at(&shard->shelf, id), call, 1, ede);
    shard->counts.cache_failures++;
}

static void shard_fail(struct shard *shard, const struct shard_call *call, int ede)
{
    uint32_t id = shelf_find(&shard->shelf, call->key, call->hash);
    if (id == SLAB_NONE) {
        shard_add_failure(shard, call, ede);
        return;
    }
    struct entry *entry = shelf_at(&shard->shelf, id);
    switch (entry_state_at(entry, call->now, call->stale_max_us)) {
    case ENTRY_FRESH:
        break;
    case ENTRY_STALE:
        entry_note_asked(entry, ENTRY_HAS_FAILED, call->now);
        shard->counts.cache_failures++;
        break;
    case ENTRY_SPENT:
        shard_write_failure(entry, call, entry->failures + 1u, ede);
        shelf_touch(&shard->shelf, id);
        shard->counts.cache_failures++;
        break;
    case ENTRY_DEAD:
        shard->counts.cache_expirations++;
        shelf_remove(&shard->shelf, id);
        shard_add_failure(shard, call, ede);
        break;
    }
}

void shard_store_failure(struct shard *shard, const struct shard_call *call, int ede)
{
    shard_lock(shard);
    shard_fail(shard, call, ede);
    shard_unlock(shard);
}

/* Sweeps up to SHARD_STEP buckets from `bucket`. Returns the next one, or 0 at the end. */
static uint32_t shard_flush_step(
    struct shard *shard, uint32_t bucket, shelf_match *is_match, const void *context)
{
    struct shelf *shelf = &shard->shelf;
    for (unsigned i = 0; i < SHARD_STEP && bucket < shelf->bucket_count; i++) {
        shard->counts.cache_flushed += shelf_sweep(shelf, bucket, is_match, context);
        bucket++;
    }
    return bucket < shelf->bucket_count ? bucket : 0;
}

size_t shard_flush(struct shard *shard, shelf_match *is_match, const void *context)
{
    size_t removed = 0;
    uint32_t bucket = 0;
    do {
        shard_lock(shard);
        uint64_t flushed_before = shard->counts.cache_flushed;
        bucket = shard_flush_step(shard, bucket, is_match, context);
        removed += (size_t)(shard->counts.cache_flushed - flushed_before);
        shard_unlock(shard);
    } while (bucket != 0);
    return removed;
}

size_t shard_flush_all(struct shard *shard)
{
    shard_lock(shard);
    size_t removed = (size_t)shard->shelf.count;
    shelf_clear(&shard->shelf);
    shard->counts.cache_flushed += removed;
    shard_unlock(shard);
    return removed;
}

/* A place is the first hash of a bucket, and how many of its entries have been shown. */
static uint64_t shard_place(const struct shelf *shelf, uint32_t bucket, unsigned shown)
{
    if (bucket == shelf->bucket_count || shown >> SHARD_SHOWN_BITS != 0) {
        return 0;
    }
    return (uint64_t)shelf_hash_of(shelf, bucket) << SHARD_SHOWN_BITS | shown;
}

/* Shows one bucket's entries but the first *shown. False: `visit` refused one. */
static bool shard_show(
    const struct shelf *shelf, uint32_t bucket, unsigned *shown, shard_visit *visit, void *context)
{
    unsigned skipped = 0;
    for (uint32_t id = shelf->buckets[bucket]; id != SLAB_NONE; id = shelf_at(shelf, id)->next) {
        if (skipped < *shown) {
            skipped++;
            continue;
        }
        if (!visit(context, shelf_at(shelf, id))) {
            return false;
        }
        skipped++;
        (*shown)++;
    }
    *shown = 0;
    return true;
}

uint64_t shard_walk(struct shard *shard, uint64_t place, shard_visit *visit, void *context)
{
    const struct shelf *shelf = &shard->shelf;
    unsigned shown = place & ((1u << SHARD_SHOWN_BITS) - 1);
    shard_lock(shard);
    uint32_t bucket = shelf_bucket_of(shelf, (uint32_t)(place >> SHARD_SHOWN_BITS));
    for (unsigned i = 0; i < SHARD_STEP && bucket < shelf->bucket_count; i++) {
        if (!shard_show(shelf, bucket, &shown, visit, context)) {
            break;
        }
        bucket++;
    }
    uint64_t next = shard_place(shelf, bucket, shown);
    shard_unlock(shard);
    return next;
}

static bool shard_is_of_no_use(
    const struct shard_call *call, const struct cache_fill *fill, int64_t stored_at)
{
    const struct lifetime_subject subject = {
        .kind = fill->kind,
        .type = call->key->type,
        .is_list = fill->is_list,
        .is_ad = fill->is_ad,
    };
    int64_t past_us = call->now - stored_at - (int64_t)fill->ttl_s * CLOCK_US_PER_S;
    return past_us >= 0 && past_us >= lifetime_stale_us(&subject, call->stale_max_us);
}

/* Room for what is put back: in place of something older, or what is free. */
static uint32_t shard_add_past(struct shard *shard, const struct shard_call *call,
    const struct cache_fill *fill, int64_t stored_at)
{
    struct shelf *shelf = &shard->shelf;
    uint32_t id = shelf_find(shelf, call->key, call->hash);
    if (id != SLAB_NONE) {
        if (shelf_at(shelf, id)->stored_at >= stored_at) {
            return SLAB_NONE;
        }
        shelf_remove(shelf, id);
    }
    return shelf_add(shelf, call->hash, entry_bytes(call->key, fill->message, fill->len));
}

bool shard_restore(struct shard *shard, const struct shard_call *call,
    const struct cache_fill *fill, const struct shard_past *past)
{
    if (fill->kind == CACHE_KIND_FAILURE || fill->ttl_s == 0 || fill->len > CACHE_MESSAGE_MAX ||
        shard_is_of_no_use(call, fill, past->stored_at)) {
        return false;
    }
    shard_lock(shard);
    uint32_t id = shard_add_past(shard, call, fill, past->stored_at);
    if (id != SLAB_NONE) {
        struct entry *entry = shelf_at(&shard->shelf, id);
        entry_fill(entry, call->key, fill, past->stored_at);
        entry->hits = past->hits;
    }
    shard_unlock(shard);
    return id != SLAB_NONE;
}

/* Removes up to SHARD_STEP of the oldest. True: there is more to do. */
static bool shard_shrink_step(struct shard *shard)
{
    struct shelf *shelf = &shard->shelf;
    for (unsigned i = 0; i < SHARD_STEP && shelf->oldest != SLAB_NONE; i++) {
        if (!shelf_is_over(shelf)) {
            return false;
        }
        shard->counts.cache_evictions++;
        shelf_remove(shelf, shelf->oldest);
        slab_trim(&shelf->slab);
    }
    if (shelf->oldest == SLAB_NONE) {
        /* Only the chunk table is left to shrink. */
        shelf_clear(shelf);
        return false;
    }
    return shelf_is_over(shelf);
}

void shard_set_max(struct shard *shard, uint64_t bytes_max)
{
    shard_lock(shard);
    shelf_set_max(&shard->shelf, bytes_max);
    bool is_over = shelf_is_over(&shard->shelf);
    shard_unlock(shard);
    while (is_over) {
        shard_lock(shard);
        is_over = shard_shrink_step(shard);
        shard_unlock(shard);
    }
}

void shard_add_metrics(struct shard *shard, struct cache_metrics *sum)
{
    shard_lock(shard);
    struct cache_metrics *counts = &shard->counts;
    counts->cache_bytes = shelf_bytes(&shard->shelf);
    counts->cache_entries = shard->shelf.count;
#define METRIC_COUNTER(name, sentence) sum->name += counts->name;
#define METRIC_GAUGE(name, sentence)   sum->name += counts->name;
#include "cache/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
    shard_unlock(shard);
}
