/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/entry.h"
#include "cache/slab.h"

/*
 * Where a shard's entries stand: found by key through a table of buckets, kept in the order of
 * their use, living in a slab. It knows nothing of time. Entries go by id; an id and a pointer are
 * good until the next shelf_add() or shelf_remove(), which may move any entry. Not locked; the
 * shard's lock guards it.
 *
 * Invariants: every entry stands in exactly one bucket and once in the order; count is their
 * number; shelf_bytes() <= bytes_max, but for a shelf whose limit was just lowered.
 */
struct shelf {
    struct slab slab;
    uint32_t *buckets; /* Id of each bucket's first entry, or SLAB_NONE. */
    uint32_t bucket_count;
    uint32_t newest; /* Most recently used, or SLAB_NONE. */
    uint32_t oldest;
    uint64_t count;
    uint64_t bytes_max;
};

/* False when memory is short; safe to shelf_fini() then. */
bool shelf_init(struct shelf *shelf, uint64_t bytes_max);
void shelf_fini(struct shelf *shelf);

static inline struct entry *shelf_at(const struct shelf *shelf, uint32_t id)
{
    return slab_at(&shelf->slab, id);
}

/* The key's entry, or SLAB_NONE. */
uint32_t shelf_find(const struct shelf *shelf, const struct cache_key *key, uint32_t hash);

/* Could an entry of `bytes` stand here, were the shelf empty? */
bool shelf_could_hold(const struct shelf *shelf, size_t bytes);

/* A new entry of `bytes` as the most recently used. SLAB_NONE: no room; remove some and try again.
 * The caller writes it with entry_fill() before anything else happens. */
uint32_t shelf_add(struct shelf *shelf, uint32_t hash, size_t bytes);

void shelf_remove(struct shelf *shelf, uint32_t id);

/* Makes it the most recently used. */
void shelf_touch(struct shelf *shelf, uint32_t id);

/* Removes everything and returns the memory. */
void shelf_clear(struct shelf *shelf);

/* Is an entry to be removed? */
typedef bool shelf_match(const struct entry *entry, const void *context);

uint32_t shelf_bucket_of(const struct shelf *shelf, uint32_t hash);

/* The lowest hash that belongs to the bucket. */
uint32_t shelf_hash_of(const struct shelf *shelf, uint32_t bucket);

/* Removes the matching entries of one bucket (< bucket_count). Returns their number. */
size_t shelf_sweep(
    struct shelf *shelf, uint32_t bucket, shelf_match *is_match, const void *context);

/* Changes the limit and rebuilds the buckets to its measure. The caller then removes entries while
 * shelf_is_over(). */
void shelf_set_max(struct shelf *shelf, uint64_t bytes_max);
bool shelf_is_over(const struct shelf *shelf);

/* Everything that is taken from the system for this shelf, slack included. */
uint64_t shelf_bytes(const struct shelf *shelf);
