/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/shard.h"

#include "cache/shard_private.h"

/* Work under one hold of the lock: buckets looked through, or entries removed. */
#define SHARD_STEP 256

#define SHARD_SHOWN_BITS (SHARD_PLACE_BITS - 32)

#define SHARD_HASHES (UINT64_C(1) << 32)

/* Between two holds of the lock. */
static void shard_rest(const struct shard *shard)
{
    if (shard->pace != NULL) {
        shard->pace(shard->pace_world);
    }
}

/* ---- Flushing ---- */

/* Sweeps some buckets from the one of `hash` on. Returns the hash to go on with. */
static uint64_t shard_flush_step(
    struct shard *shard, uint64_t hash, shelf_match *is_match, const void *context)
{
    struct shelf *shelf = &shard->shelf;
    for (unsigned i = 0; i < SHARD_STEP && hash < SHARD_HASHES; i++) {
        shard->counts.cache_flushed += shelf_sweep(shelf, (uint32_t)hash, is_match, context);
        hash = index_behind(&shelf->index, (uint32_t)hash);
    }
    return hash;
}

size_t shard_flush(struct shard *shard, shelf_match *is_match, const void *context)
{
    size_t removed = 0;
    uint64_t hash = 0;
    while (hash < SHARD_HASHES) {
        shard_lock(shard);
        uint64_t flushed_before = shard->counts.cache_flushed;
        hash = shard_flush_step(shard, hash, is_match, context);
        removed += (size_t)(shard->counts.cache_flushed - flushed_before);
        shard_unlock(shard);
        shard_rest(shard);
    }
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

void shard_note_flush(struct shard *shard, const struct flush_scope *scope)
{
    shard_lock(shard);
    shard->flushed = *scope;
    shard_unlock(shard);
}

bool shard_is_flushed(struct shard *shard, const struct shard_call *call, uint64_t mark)
{
    const struct cache_key *key = call->key;
    shard_lock(shard);
    bool is_flushed = flush_scope_outdates(&shard->flushed, mark, key->name, key->name_len);
    shard_unlock(shard);
    return is_flushed;
}

/* ---- Walking ---- */

/* Shows the entries of the hash's bucket but for the first *shown. False: `visit` refused one. */
static bool shard_show(
    const struct shard *shard, uint32_t hash, unsigned *shown, shard_visit *visit, void *context)
{
    const struct shelf *shelf = &shard->shelf;
    unsigned skipped = 0;
    for (uint32_t id = shelf_first(shelf, hash); id != SLAB_NONE; id = shelf_next(shelf, id)) {
        if (skipped >= *shown) {
            if (!visit(context, shard, shelf_at(shelf, id))) {
                return false;
            }
            (*shown)++;
        }
        skipped++;
    }
    *shown = 0;
    return true;
}

/* A place is a hash, and how many entries of its bucket have been shown. */
uint64_t shard_walk(struct shard *shard, uint64_t place, shard_visit *visit, void *context)
{
    uint64_t hash = place >> SHARD_SHOWN_BITS;
    unsigned shown = place & ((1u << SHARD_SHOWN_BITS) - 1);
    shard_lock(shard);
    for (unsigned i = 0; i < SHARD_STEP && hash < SHARD_HASHES; i++) {
        if (!shard_show(shard, (uint32_t)hash, &shown, visit, context)) {
            break;
        }
        hash = index_behind(&shard->shelf.index, (uint32_t)hash);
    }
    shard_unlock(shard);
    bool has_more = hash < SHARD_HASHES && shown >> SHARD_SHOWN_BITS == 0;
    return has_more ? hash << SHARD_SHOWN_BITS | shown : 0;
}

/* ---- Changing the limit ---- */

/* Removes some of the oldest while there is more than may be. True: there is more to do. */
static bool shard_shrink_step(struct shard *shard)
{
    struct shelf *shelf = &shard->shelf;
    for (unsigned i = 0; i < SHARD_STEP && shelf->count > 0; i++) {
        if (!shelf_is_over(shelf)) {
            return false;
        }
        shard->counts.cache_evictions++;
        shelf_remove(shelf, shelf_victim(shelf));
        slab_trim(&shelf->slab);
    }
    if (shelf->count == 0) {
        /* Only the chunk table is left to shrink. */
        shelf_clear(shelf);
        return false;
    }
    return shelf_is_over(shelf);
}

static void shard_shrink(struct shard *shard)
{
    bool has_more = true;
    while (has_more) {
        shard_lock(shard);
        has_more = shard_shrink_step(shard);
        shard_unlock(shard);
        shard_rest(shard);
    }
}

/* The index is changed while the greater limit holds; what its second table takes, entries make
 * room for. */
static void shard_reindex(struct shard *shard, uint64_t bytes_max)
{
    shard_lock(shard);
    if (bytes_max > shard->shelf.bytes_max) {
        shelf_set_max(&shard->shelf, bytes_max);
    }
    bool has_more = shelf_reindex_begin(&shard->shelf, bytes_max);
    shard_unlock(shard);
    shard_shrink(shard);
    while (has_more) {
        shard_lock(shard);
        has_more = shelf_reindex(&shard->shelf, SHARD_STEP);
        shard_unlock(shard);
        shard_rest(shard);
    }
}

static void shard_set_max_at_once(struct shard *shard, uint64_t bytes_max)
{
    shard_reindex(shard, bytes_max);
    shard_lock(shard);
    shelf_set_max(&shard->shelf, bytes_max);
    shard_unlock(shard);
    shard_shrink(shard);
}

/* Lowered by halves: with all entries in the buckets of a much smaller limit, each bucket would be
 * long, and each removal and lookup a walk along it. */
void shard_set_max(struct shard *shard, uint64_t bytes_max)
{
    shard_lock(shard);
    uint64_t limit = shard->shelf.bytes_max;
    shard_unlock(shard);
    while (limit / 2 > bytes_max) {
        limit /= 2;
        shard_set_max_at_once(shard, limit);
    }
    shard_set_max_at_once(shard, bytes_max);
}

void shard_set_list_share(struct shard *shard, unsigned list_share)
{
    shard_lock(shard);
    shelf_set_list_share(&shard->shelf, list_share);
    shard_unlock(shard);
}

/* ---- Counters ---- */

static void shard_gauge(const struct shelf *shelf, struct cache_metrics *counts)
{
    const struct order_queue *queues = shelf->order.queues;
    counts->cache_bytes = shelf_bytes(shelf);
    counts->cache_entries = shelf->count;
    counts->cache_entries_probation = queues[ORDER_PROBATION].count;
    counts->cache_entries_protected = queues[ORDER_PROTECTED].count;
    counts->cache_entries_list =
        queues[ORDER_LIST_PROBATION].count + queues[ORDER_LIST_PROTECTED].count;
    counts->cache_bytes_probation = queues[ORDER_PROBATION].bytes;
    counts->cache_bytes_protected = queues[ORDER_PROTECTED].bytes;
    counts->cache_bytes_list =
        queues[ORDER_LIST_PROBATION].bytes + queues[ORDER_LIST_PROTECTED].bytes;
    counts->cache_shared = shelf->shared_count;
}

void shard_add_metrics(struct shard *shard, struct cache_metrics *sum)
{
    shard_lock(shard);
    struct cache_metrics *counts = &shard->counts;
    shard_gauge(&shard->shelf, counts);
#define METRIC_COUNTER(name, sentence) sum->name += counts->name;
#define METRIC_GAUGE(name, sentence)   sum->name += counts->name;
#include "cache/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
    shard_unlock(shard);
}
