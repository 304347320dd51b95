/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

#include "cache/entry.h"
#include "cache/index.h"
#include "cache/order.h"
#include "cache/slab.h"

/*
 * Where a shard's entries stand: found by key through an index of buckets, kept in the order of
 * their use, living in a slab, and sharing what they have in common (shared.h). It knows nothing of
 * time. Entries go by id; an id and a pointer are good until the next thing is added or removed,
 * which may move any entry. Not locked; the shard's lock guards it.
 *
 * Invariants: every thing stands in exactly one bucket, every entry once in the order; count is the
 * number of entries; shelf_bytes() <= bytes_max, but for a shelf whose limit is just being lowered.
 */
struct shelf {
    struct slab slab;
    struct index index;
    struct order order;
    uint64_t count;
    uint64_t shared_count;
    uint64_t bytes_max;
    unsigned list_share; /* Per cent of bytes_max; see order.h. */
    struct hash_key secret;
};

/* False when memory is short; safe to shelf_fini() then. */
bool shelf_init(struct shelf *shelf, uint64_t bytes_max, const struct hash_key *secret);
void shelf_fini(struct shelf *shelf);

static inline struct entry *shelf_at(const struct shelf *shelf, uint32_t id)
{
    return slab_at(&shelf->slab, id);
}

/* Of an entry or of something shared. */
static inline struct shelf_link *shelf_link_at(const struct shelf *shelf, uint32_t id)
{
    return slab_at(&shelf->slab, id);
}

/* What answers a key: its own entry, and the denial of all types of its name; or SLAB_NONE. */
struct shelf_pair {
    uint32_t own; /* May be an any-type denial, if it stands under the key's own type. */
    uint32_t any;
};

struct shelf_pair shelf_find(const struct shelf *shelf, const struct cache_key *key, uint32_t hash);

/* Could an entry of `bytes` stand here, were the shelf empty? */
bool shelf_could_hold(const struct shelf *shelf, size_t bytes);

/* A new entry of `bytes` as the most recently used of its place. SLAB_NONE: no room; remove some
 * and try again. The caller writes it with entry_fill() before anything else happens. */
uint32_t shelf_add(struct shelf *shelf, uint32_t hash, size_t bytes, enum order_place place);

/* Was the last one refused by the system, which is out of memory, rather than by the limit? */
bool shelf_is_refused(const struct shelf *shelf);

void shelf_remove(struct shelf *shelf, uint32_t id);

/* shelf_touch() will follow: see order_prefetch(). */
void shelf_prefetch(const struct shelf *shelf, uint32_t id);

/* It was asked again. */
void shelf_touch(struct shelf *shelf, uint32_t id);

/* The entry that is to make room next; SLAB_NONE: none is left. */
uint32_t shelf_victim(const struct shelf *shelf);

/* The entry's message as the answer to a question of `type`. */
void shelf_read(
    const struct shelf *shelf, const struct entry *entry, uint16_t type, uint8_t *message_out);

/* Removes everything and returns the memory. */
void shelf_clear(struct shelf *shelf);

/* Is an entry to be removed? */
typedef bool shelf_match(const struct entry *entry, const void *context);

/* Removes the matching entries of the bucket in which the hash is. Returns their number. */
size_t shelf_sweep(struct shelf *shelf, uint32_t hash, shelf_match *is_match, const void *context);

/* The entries of the bucket in which the hash is, one after the other; SLAB_NONE at the end. */
uint32_t shelf_first(const struct shelf *shelf, uint32_t hash);
uint32_t shelf_next(const struct shelf *shelf, uint32_t id);

/* So many entries with one hash, which are different types of one name, are enough. The one that
 * has been there longest is to make room for the next one; SLAB_NONE: there are not so many. */
#define SHELF_TYPES_MAX 32
uint32_t shelf_find_crowded(const struct shelf *shelf, uint32_t hash);

/* Changes the limit. The caller then removes entries while shelf_is_over(). */
void shelf_set_max(struct shelf *shelf, uint64_t bytes_max);
bool shelf_is_over(const struct shelf *shelf);

/* In per cent, 1 to 100. */
void shelf_set_list_share(struct shelf *shelf, unsigned list_share);

/* Begins to bring the index to the measure of a limit, and goes on with it for so many buckets.
 * False: it is done. Its memory counts, so entries may have to make room. */
bool shelf_reindex_begin(struct shelf *shelf, uint64_t bytes_max);
bool shelf_reindex(struct shelf *shelf, unsigned buckets);

/* Everything that is taken from the system for this shelf, slack included. */
uint64_t shelf_bytes(const struct shelf *shelf);

/* For shared.c: a slot of `bytes` in the bucket of the hash, or SLAB_NONE; and its end. */
uint32_t shelf_place(struct shelf *shelf, uint32_t hash, size_t bytes);
void shelf_displace(struct shelf *shelf, uint32_t id);
