/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The buckets of a shelf: where the chain of each hash begins. A bucket holds a range of hashes, in
 * order, so a hash also says how far somebody has come who goes through all buckets, whatever their
 * number. To change their number a second table is filled bucket by bucket, from the lowest hash
 * on, while the first one serves the rest. Not locked; the owner's lock guards it.
 *
 * Invariant: while `next` is there, the first `moved` buckets of `heads` are empty.
 */
struct index {
    uint32_t *heads; /* Id of each bucket's first thing, or 0. */
    uint32_t count;
    uint32_t *next; /* The table that is being filled, or NULL. */
    uint32_t next_count;
    uint32_t moved;
};

/* One bucket for this many bytes of the shelf's limit: a little more than a small entry takes, so
 * that a full shelf has about one entry in a bucket. */
#define INDEX_BYTES_PER_BUCKET 128

/* False when memory is short; safe to index_fini() then. */
bool index_init(struct index *index, uint64_t shelf_bytes_max);
void index_fini(struct index *index);

/* Forgets everything. */
void index_clear(struct index *index);

static inline uint32_t index_bucket(uint32_t hash, uint32_t count)
{
    return (uint32_t)((uint64_t)hash * count >> 32);
}

/* Where the chain of this hash begins. */
static inline uint32_t *index_at(const struct index *index, uint32_t hash)
{
    uint32_t bucket = index_bucket(hash, index->count);
    if (bucket < index->moved) {
        return &index->next[index_bucket(hash, index->next_count)];
    }
    return &index->heads[bucket];
}

/* The lowest hash behind the bucket that holds this one; 2^32 behind the last one. */
uint64_t index_behind(const struct index *index, uint32_t hash);

/* Begins to change the number of buckets to the new limit's measure. False: there is nothing to
 * change, or no memory for it, and the old ones serve on. */
bool index_grow(struct index *index, uint64_t shelf_bytes_max);

/* Takes the next bucket's chain out, to be put back by its hashes: its first id, or 0. With the
 * last one the change is done. */
bool index_is_growing(const struct index *index);
uint32_t index_take_next(struct index *index);

/* Memory taken, both tables. */
size_t index_bytes(const struct index *index);
