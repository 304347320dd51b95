/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/shard.h"

#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "wire/bytes.h"

#include "cache/packed.h"
#include "cache/shard_private.h"
#include "cache/shared.h"

/* Entries that make room under one hold of the lock. */
#define SHARD_EVICT_STEP 64

bool shard_init(struct shard *shard, uint64_t bytes_max, const struct hash_key *secret)
{
    memset(shard, 0, sizeof *shard);
    if (!shelf_init(&shard->shelf, bytes_max, secret)) {
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

static void shard_begin(struct shard *shard, const struct shard_call *call)
{
    shard_lock(shard);
    if (call->now > shard->latest) {
        shard->latest = call->now;
    }
}

/* What is about to be put on the shelf. */
struct shard_item {
    const struct cache_fill *fill;
    struct packed packed;
    int64_t stored_at;
    bool is_protected; /* What it takes the place of was. */
};

/* ---- Finding ---- */

static enum entry_state shard_state(
    const struct shard *shard, const struct shard_call *call, uint32_t id)
{
    if (id == SLAB_NONE) {
        return ENTRY_DEAD;
    }
    return entry_state_at(shelf_at(&shard->shelf, id), call->now, call->stale_max_us);
}

static bool shard_is_failure(const struct shard *shard, uint32_t id)
{
    return shelf_at(&shard->shelf, id)->kind == CACHE_KIND_FAILURE;
}

/* The entry that speaks for the key: its own, or a denial of all types where that is in better
 * state; or SLAB_NONE. */
static uint32_t shard_choose(
    const struct shard *shard, const struct shard_call *call, enum entry_state *state_out)
{
    struct shelf_pair pair = shelf_find(&shard->shelf, call->key, call->hash);
    *state_out = shard_state(shard, call, pair.own);
    if (pair.any == SLAB_NONE || pair.any == pair.own || lifetime_is_timed_proof(call->key->type)) {
        return pair.own;
    }
    enum entry_state any_state = shard_state(shard, call, pair.any);
    bool is_own_better = pair.own != SLAB_NONE && *state_out <= any_state;
    if (is_own_better && (any_state != ENTRY_FRESH || !shard_is_failure(shard, pair.own))) {
        return pair.own;
    }
    *state_out = any_state;
    return pair.any;
}

static enum cache_segment shard_segment(const struct entry *entry)
{
    switch (order_place_of(entry)) {
    case ORDER_PROBATION:
        return CACHE_SEGMENT_PROBATION;
    case ORDER_PROTECTED:
        return CACHE_SEGMENT_PROTECTED;
    case ORDER_LIST_PROBATION:
    case ORDER_LIST_PROTECTED:
        return CACHE_SEGMENT_LIST;
    }
    return CACHE_SEGMENT_PROBATION;
}

/* Fills in what a caller learns of the entry. That the name's denial was validated is not said of
 * other types than the one that was asked for. */
static void shard_describe(const struct entry *entry, const struct shard_call *call,
    enum entry_state state, struct cache_found *found_out)
{
    bool is_fresh = state == ENTRY_FRESH;
    bool is_failure = entry->kind == CACHE_KIND_FAILURE;
    bool is_own = entry->type == call->key->type;
    uint32_t age_s = entry_age_s(entry, call->now);
    *found_out = (struct cache_found){
        .kind = (enum cache_kind)entry->kind,
        .len = entry->message_len,
        .age_s = age_s,
        .ttl_left_s = is_fresh ? entry->ttl_s - age_s : 0,
        .is_ad = (entry->flags & ENTRY_IS_AD) != 0 && is_own,
        .is_list = (entry->flags & ENTRY_IS_LIST) != 0,
        .is_refresh_due = is_fresh && entry_is_refresh_due(entry, call->now),
        .is_failing = !is_fresh && entry_is_failing(entry, call->now),
        .hits = entry->hits,
        .origin = entry->origin,
        .ede = is_failure ? packed_ede(entry) : 0,
        .ttl_s = entry->ttl_s,
        .expired_us = entry_expired_us(entry, call->now),
        .ahead = entry->ahead,
        .segment = shard_segment(entry),
    };
}

static void shard_count_hit(
    struct shard *shard, uint32_t id, const struct shard_call *call, struct cache_found *found)
{
    struct entry *entry = shelf_at(&shard->shelf, id);
    entry_note_hit(entry);
    found->hits = entry->hits;
    if (found->is_refresh_due) {
        entry_note_asked(entry, ENTRY_WAS_TOLD, call->now);
    }
    shelf_touch(&shard->shelf, id);
}

static enum cache_verdict shard_find(struct shard *shard, const struct shard_call *call,
    const struct shard_room *room, struct cache_found *found_out)
{
    enum entry_state state;
    uint32_t id = shard_choose(shard, call, &state);
    if (id == SLAB_NONE) {
        return CACHE_MISS;
    }
    if (state == ENTRY_DEAD && !call->is_peek) {
        shard->counts.cache_expirations++;
        shelf_remove(&shard->shelf, id);
        return CACHE_MISS;
    }
    const struct entry *entry = shelf_at(&shard->shelf, id);
    if (state == ENTRY_DEAD || state == ENTRY_SPENT || entry->message_len > room->size) {
        return CACHE_MISS;
    }
    if (!call->is_peek) {
        shelf_prefetch(&shard->shelf, id);
    }
    if (entry->message_len > 0) {
        uint16_t type = call->key->type != 0 ? call->key->type : entry->type;
        shelf_read(&shard->shelf, entry, type, room->bytes);
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
    shard_begin(shard, call);
    enum cache_verdict verdict = shard_find(shard, call, room, found_out);
    if (!call->is_peek) {
        shard_count_lookup(shard, verdict);
    }
    shard_unlock(shard);
    return verdict;
}

bool shard_read_birth(
    struct shard *shard, const struct shard_call *call, struct cache_birth *birth_out)
{
    enum entry_state state;
    shard_begin(shard, call);
    uint32_t id = shard_choose(shard, call, &state);
    if (id != SLAB_NONE) {
        *birth_out = entry_birth(shelf_at(&shard->shelf, id));
    }
    shard_unlock(shard);
    return id != SLAB_NONE;
}

/* ---- Storing ---- */

static void shard_count_eviction(struct shard *shard, const struct entry *entry)
{
    shard->counts.cache_evictions++;
    switch (shard_segment(entry)) {
    case CACHE_SEGMENT_PROBATION:
        shard->counts.cache_evictions_probation++;
        break;
    case CACHE_SEGMENT_PROTECTED:
        shard->counts.cache_evictions_protected++;
        break;
    case CACHE_SEGMENT_LIST:
        shard->counts.cache_evictions_list++;
        break;
    }
}

/* Makes room by one entry; an expired one is no loss and counted apart. */
static void shard_evict(struct shard *shard, int64_t now)
{
    uint32_t id = shelf_victim(&shard->shelf);
    const struct entry *entry = shelf_at(&shard->shelf, id);
    if (entry_state_at(entry, now, 0) == ENTRY_FRESH) {
        shard_count_eviction(shard, entry);
    } else {
        shard->counts.cache_expirations++;
    }
    shelf_remove(&shard->shelf, id);
}

static bool shard_is_dead(const struct entry *entry, const void *context)
{
    const struct shard_call *call = context;
    return entry_state_at(entry, call->now, call->stale_max_us) == ENTRY_DEAD;
}

/* Adds an entry if there is room for it and for what it shares; that comes first, for it decides
 * the entry's size. */
static uint32_t shard_try_add(
    struct shard *shard, const struct shard_call *call, const struct shard_item *item)
{
    struct shelf *shelf = &shard->shelf;
    struct packed packed = item->packed;
    uint8_t authority[SHARED_SIZE_MAX];
    size_t authority_len = packed_authority(item->fill, &packed, authority);
    if (authority_len > 0) {
        uint32_t reference;
        switch (shared_take(shelf, authority, authority_len, &reference)) {
        case SHARED_TAKEN:
            packed_use_shared(&packed, reference);
            break;
        case SHARED_REFUSED:
            break;
        case SHARED_NO_ROOM:
            return SLAB_NONE;
        }
    }
    uint32_t id = shelf_add(shelf, call->hash, entry_bytes(call->key, &packed),
        order_place_for(item->fill->is_list, item->is_protected));
    if (id != SLAB_NONE) {
        entry_fill(shelf_at(shelf, id), call->key, item->fill, &packed, item->stored_at);
    } else if ((packed.flags & ENTRY_IS_SHARED) != 0) {
        shared_give(shelf, bytes_get_u32(packed.prefix));
    }
    return id;
}

/* An entry that a new one takes the place of: the key's own, or a denial of all types that is
 * renewed or contradicted. SLAB_NONE: none is left. */
static uint32_t shard_find_outdone(
    const struct shard *shard, const struct shard_call *call, const struct shard_item *item)
{
    struct shelf_pair pair = shelf_find(&shard->shelf, call->key, call->hash);
    bool is_existing =
        item->fill->kind == CACHE_KIND_ANSWER || item->fill->kind == CACHE_KIND_NODATA;
    bool is_any_outdone = is_existing || (item->packed.flags & ENTRY_IS_ANY_TYPE) != 0;
    return pair.own == SLAB_NONE && is_any_outdone ? pair.any : pair.own;
}

static void shard_clear_place(
    struct shard *shard, const struct shard_call *call, struct shard_item *item)
{
    struct shelf *shelf = &shard->shelf;
    uint32_t id;
    while ((id = shard_find_outdone(shard, call, item)) != SLAB_NONE) {
        item->is_protected = item->is_protected || shelf_at(shelf, id)->is_protected != 0;
        shelf_remove(shelf, id);
    }
    shard->counts.cache_expirations += shelf_sweep(shelf, call->hash, shard_is_dead, call);
    if ((id = shelf_find_crowded(shelf, call->hash)) != SLAB_NONE) {
        shard_count_eviction(shard, shelf_at(shelf, id));
        shelf_remove(shelf, id);
    }
}

/* Adds the entry, for which the dead ones of its bucket and then the least recently used make room.
 * False: they have not made enough yet; to be called again after the lock has been released. */
static bool shard_add(struct shard *shard, const struct shard_call *call, struct shard_item *item)
{
    bool is_failure = item->fill->kind == CACHE_KIND_FAILURE;
    shard_clear_place(shard, call, item);
    for (unsigned i = 0; i < SHARD_EVICT_STEP; i++) {
        if (shard_try_add(shard, call, item) != SLAB_NONE) {
            shard->counts.cache_failures += is_failure ? 1 : 0;
            shard->counts.cache_stores += is_failure ? 0 : 1;
            return true;
        }
        if (shard->shelf.count == 0) {
            shard->counts.cache_too_large++;
            return true;
        }
        shard_evict(shard, call->now);
    }
    /* Where the system has no memory, no number of entries need be enough. */
    if (shelf_is_refused(&shard->shelf)) {
        shard->counts.cache_too_large++;
        return true;
    }
    return false;
}

static bool shard_is_outdated(
    const struct shard *shard, const struct shard_call *call, const struct cache_fill *fill)
{
    const struct cache_key *key = call->key;
    return flush_scope_outdates(&shard->flushed, fill->mark, key->name, key->name_len);
}

/* A TTL of 0 says: not to be kept. What is fresh stays; what upstream has just shown to be out of
 * date, a stale answer or a failure, goes. */
static void shard_forget_outdated(struct shard *shard, const struct shard_call *call)
{
    enum entry_state state;
    uint32_t id = shard_choose(shard, call, &state);
    if (id != SLAB_NONE && (state != ENTRY_FRESH || shard_is_failure(shard, id))) {
        shelf_remove(&shard->shelf, id);
    }
}

/* False: there is more to do after the lock has been released. */
static bool shard_store_step(
    struct shard *shard, const struct shard_call *call, struct shard_item *item)
{
    if (shard_is_outdated(shard, call, item->fill)) {
        return true;
    }
    if (item->fill->ttl_s == 0) {
        shard_forget_outdated(shard, call);
        return true;
    }
    if (item->fill->len > CACHE_MESSAGE_MAX ||
        !shelf_could_hold(&shard->shelf, entry_bytes(call->key, &item->packed))) {
        shard->counts.cache_too_large++;
        return true;
    }
    return shard_add(shard, call, item);
}

void shard_store(struct shard *shard, const struct shard_call *call, const struct cache_fill *fill)
{
    must(fill->kind != CACHE_KIND_FAILURE);
    struct shard_item item = {.fill = fill, .stored_at = call->now};
    packed_fold(call->key, fill, &item.packed);
    bool is_done;
    do {
        shard_begin(shard, call);
        is_done = shard_store_step(shard, call, &item);
        shard_unlock(shard);
    } while (!is_done);
}

/* Remembers the n-th failure of a row. */
static bool shard_add_failure(
    struct shard *shard, const struct shard_call *call, unsigned failures, int ede)
{
    const struct cache_fill fill = {
        .kind = CACHE_KIND_FAILURE,
        .ttl_s = call->keep_s != 0 ? call->keep_s
                                   : (uint32_t)(lifetime_failure_us(failures) / CLOCK_US_PER_S),
    };
    struct shard_item item = {.fill = &fill, .stored_at = call->now};
    packed_fold_failure(failures, ede, &item.packed);
    return shard_add(shard, call, &item);
}

/* False: there is more to do after the lock has been released. */
static bool shard_fail_step(struct shard *shard, const struct shard_call *call, int ede)
{
    enum entry_state state;
    uint32_t id = shard_choose(shard, call, &state);
    if (id == SLAB_NONE) {
        return shard_add_failure(shard, call, 1, ede);
    }
    struct entry *entry = shelf_at(&shard->shelf, id);
    switch (state) {
    case ENTRY_FRESH:
        return true;
    case ENTRY_STALE:
        entry_note_asked(entry, ENTRY_HAS_FAILED, call->now);
        shard->counts.cache_failures++;
        return true;
    case ENTRY_SPENT:
        return shard_add_failure(shard, call, packed_failures(entry) + 1, ede);
    case ENTRY_DEAD:
        shard->counts.cache_expirations++;
        shelf_remove(&shard->shelf, id);
        return shard_add_failure(shard, call, 1, ede);
    }
    return true;
}

void shard_store_failure(struct shard *shard, const struct shard_call *call, int ede)
{
    bool is_done;
    do {
        shard_begin(shard, call);
        is_done = shard_fail_step(shard, call, ede);
        shard_unlock(shard);
    } while (!is_done);
}

/* ---- Putting back ---- */

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

/* Is it older than what stands in its place? */
static bool shard_is_outdone(
    const struct shard *shard, const struct shard_call *call, const struct shard_item *item)
{
    uint32_t id = shard_find_outdone(shard, call, item);
    return id != SLAB_NONE &&
           entry_age_us(shelf_at(&shard->shelf, id), call->now) <= call->now - item->stored_at;
}

static bool shard_put_back(
    struct shard *shard, const struct shard_call *call, struct shard_item *item, uint32_t hits)
{
    if (shard_is_outdone(shard, call, item) || shard_is_outdated(shard, call, item->fill)) {
        return false;
    }
    shard_clear_place(shard, call, item);
    uint32_t id = shard_try_add(shard, call, item);
    if (id == SLAB_NONE) {
        return false;
    }
    struct entry *entry = shelf_at(&shard->shelf, id);
    entry->hits = (uint16_t)(hits < UINT16_MAX ? hits : UINT16_MAX);
    return true;
}

bool shard_restore(struct shard *shard, const struct shard_call *call,
    const struct cache_fill *fill, const struct shard_past *past)
{
    if (fill->kind == CACHE_KIND_FAILURE || fill->ttl_s == 0 || fill->len > CACHE_MESSAGE_MAX ||
        shard_is_of_no_use(call, fill, past->stored_at)) {
        return false;
    }
    struct shard_item item = {
        .fill = fill, .stored_at = past->stored_at, .is_protected = past->hits > 0};
    packed_fold(call->key, fill, &item.packed);
    shard_begin(shard, call);
    bool is_back = shard_put_back(shard, call, &item, past->hits);
    shard_unlock(shard);
    return is_back;
}
