/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/shelf.h"

#include <string.h>

#include "base/must.h"

/* One bucket for this many bytes of the limit: about the size of an entry, so that a full shelf has
 * one or two entries in a bucket. */
#define SHELF_BUCKET_SHARE 256

static size_t shelf_bucket_bytes(uint32_t bucket_count)
{
    return slab_pages_round((size_t)bucket_count * sizeof(uint32_t));
}

static uint32_t shelf_bucket_count_for(uint64_t bytes_max)
{
    uint64_t count = bytes_max / SHELF_BUCKET_SHARE;
    if (count > UINT32_MAX / 2) {
        return UINT32_MAX / 2;
    }
    return count == 0 ? 1 : (uint32_t)count;
}

static uint64_t shelf_slab_max(uint64_t bytes_max, uint32_t bucket_count)
{
    size_t bucket_bytes = shelf_bucket_bytes(bucket_count);
    return bytes_max > bucket_bytes ? bytes_max - bucket_bytes : 0;
}

bool shelf_init(struct shelf *shelf, uint64_t bytes_max)
{
    uint32_t bucket_count = shelf_bucket_count_for(bytes_max);
    *shelf = (struct shelf){.bytes_max = bytes_max};
    shelf->buckets = slab_pages_map(shelf_bucket_bytes(bucket_count));
    if (shelf->buckets == NULL) {
        return false;
    }
    shelf->bucket_count = bucket_count;
    return slab_init(&shelf->slab, shelf_slab_max(bytes_max, bucket_count));
}

void shelf_fini(struct shelf *shelf)
{
    slab_fini(&shelf->slab);
    slab_pages_unmap(shelf->buckets, shelf_bucket_bytes(shelf->bucket_count));
    *shelf = (struct shelf){0};
}

/* Spreads 32 bits of hash evenly over any number of buckets. */
uint32_t shelf_bucket_of(const struct shelf *shelf, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash * shelf->bucket_count >> 32);
}

uint32_t shelf_hash_of(const struct shelf *shelf, uint32_t bucket)
{
    uint32_t count = shelf->bucket_count;
    return (uint32_t)((((uint64_t)bucket << 32) + count - 1) / count);
}

uint32_t shelf_find(const struct shelf *shelf, const struct cache_key *key, uint32_t hash)
{
    uint32_t id = shelf->buckets[shelf_bucket_of(shelf, hash)];
    while (id != SLAB_NONE) {
        const struct entry *entry = shelf_at(shelf, id);
        if (entry->hash == hash && entry_has_key(entry, key)) {
            return id;
        }
        id = entry->next;
    }
    return SLAB_NONE;
}

/* The place in the bucket's chain that holds `id`. */
static uint32_t *shelf_link_to(struct shelf *shelf, uint32_t hash, uint32_t id)
{
    uint32_t *link = &shelf->buckets[shelf_bucket_of(shelf, hash)];
    while (*link != id) {
        must(*link != SLAB_NONE);
        link = &shelf_at(shelf, *link)->next;
    }
    return link;
}

static void shelf_order_insert(struct shelf *shelf, uint32_t id)
{
    struct entry *entry = shelf_at(shelf, id);
    entry->newer = SLAB_NONE;
    entry->older = shelf->newest;
    if (shelf->newest != SLAB_NONE) {
        shelf_at(shelf, shelf->newest)->newer = id;
    } else {
        shelf->oldest = id;
    }
    shelf->newest = id;
}

/* Lets the neighbours of `entry` in the order point to `newer` and `older` instead. */
static void shelf_order_join(
    struct shelf *shelf, const struct entry *entry, uint32_t newer, uint32_t older)
{
    if (entry->older != SLAB_NONE) {
        shelf_at(shelf, entry->older)->newer = newer;
    } else {
        shelf->oldest = newer;
    }
    if (entry->newer != SLAB_NONE) {
        shelf_at(shelf, entry->newer)->older = older;
    } else {
        shelf->newest = older;
    }
}

bool shelf_could_hold(const struct shelf *shelf, size_t bytes)
{
    return slab_could_hold(&shelf->slab, bytes);
}

uint32_t shelf_add(struct shelf *shelf, uint32_t hash, size_t bytes)
{
    uint32_t id = slab_take(&shelf->slab, bytes);
    if (id == SLAB_NONE) {
        return SLAB_NONE;
    }
    uint32_t *bucket = &shelf->buckets[shelf_bucket_of(shelf, hash)];
    struct entry *entry = shelf_at(shelf, id);
    entry->hash = hash;
    entry->next = *bucket;
    *bucket = id;
    shelf_order_insert(shelf, id);
    shelf->count++;
    return id;
}

/* The entry that stood at `from` has moved to `id`: corrects all that names it. */
static void shelf_moved(struct shelf *shelf, uint32_t from, uint32_t id)
{
    const struct entry *entry = shelf_at(shelf, id);
    *shelf_link_to(shelf, entry->hash, from) = id;
    shelf_order_join(shelf, entry, id, id);
}

void shelf_remove(struct shelf *shelf, uint32_t id)
{
    const struct entry *entry = shelf_at(shelf, id);
    *shelf_link_to(shelf, entry->hash, id) = entry->next;
    shelf_order_join(shelf, entry, entry->newer, entry->older);
    shelf->count--;
    uint32_t from = slab_give(&shelf->slab, id);
    if (from != SLAB_NONE) {
        shelf_moved(shelf, from, id);
    }
}

void shelf_touch(struct shelf *shelf, uint32_t id)
{
    if (shelf->newest == id) {
        return;
    }
    const struct entry *entry = shelf_at(shelf, id);
    shelf_order_join(shelf, entry, entry->newer, entry->older);
    shelf_order_insert(shelf, id);
}

void shelf_clear(struct shelf *shelf)
{
    slab_clear(&shelf->slab);
    memset(shelf->buckets, 0, (size_t)shelf->bucket_count * sizeof *shelf->buckets);
    shelf->newest = SLAB_NONE;
    shelf->oldest = SLAB_NONE;
    shelf->count = 0;
}

/* A removal may move entries of this very chain, so it begins anew after each. */
size_t shelf_sweep(struct shelf *shelf, uint32_t bucket, shelf_match *is_match, const void *context)
{
    size_t removed = 0;
    uint32_t id = shelf->buckets[bucket];
    while (id != SLAB_NONE) {
        const struct entry *entry = shelf_at(shelf, id);
        if (is_match(entry, context)) {
            shelf_remove(shelf, id);
            removed++;
            id = shelf->buckets[bucket];
        } else {
            id = entry->next;
        }
    }
    return removed;
}

static void shelf_rehash(struct shelf *shelf)
{
    uint32_t id = shelf->oldest;
    while (id != SLAB_NONE) {
        struct entry *entry = shelf_at(shelf, id);
        uint32_t *bucket = &shelf->buckets[shelf_bucket_of(shelf, entry->hash)];
        entry->next = *bucket;
        *bucket = id;
        id = entry->newer;
    }
}

/* Without memory for new buckets the old ones serve on. */
void shelf_set_max(struct shelf *shelf, uint64_t bytes_max)
{
    uint32_t bucket_count = shelf_bucket_count_for(bytes_max);
    uint32_t *buckets = slab_pages_map(shelf_bucket_bytes(bucket_count));
    if (buckets != NULL) {
        slab_pages_unmap(shelf->buckets, shelf_bucket_bytes(shelf->bucket_count));
        shelf->buckets = buckets;
        shelf->bucket_count = bucket_count;
        shelf_rehash(shelf);
    }
    shelf->bytes_max = bytes_max;
    slab_set_max(&shelf->slab, shelf_slab_max(bytes_max, shelf->bucket_count));
}

bool shelf_is_over(const struct shelf *shelf)
{
    return shelf_bytes(shelf) > shelf->bytes_max;
}

uint64_t shelf_bytes(const struct shelf *shelf)
{
    return shelf->slab.bytes + shelf_bucket_bytes(shelf->bucket_count);
}
