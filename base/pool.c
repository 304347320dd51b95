/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

static uint64_t id_of(uint32_t slot, uint32_t generation)
{
    return (uint64_t)generation << 32 | slot;
}

static void *slot_at(const struct pool *pool, uint32_t slot)
{
    return pool->slots + (size_t)slot * pool->slot_size;
}

bool pool_init(struct pool *pool, size_t slot_size, uint32_t count)
{
    /* Any struct may stand in a slot, so slots keep the strictest alignment. */
    size_t align = _Alignof(max_align_t);
    must(slot_size > 0 && slot_size <= SIZE_MAX - align);
    *pool = (struct pool){.slot_size = (slot_size + align - 1) / align * align};
    if (count > SIZE_MAX / pool->slot_size) {
        return false;
    }
    pool->slots = calloc(count, pool->slot_size);
    pool->generations = calloc(count, sizeof(*pool->generations));
    pool->free_slots = calloc(count, sizeof(*pool->free_slots));
    bool is_short = pool->slots == NULL || pool->generations == NULL || pool->free_slots == NULL;
    if (count > 0 && is_short) {
        pool_fini(pool);
        return false;
    }
    pool->count = count;
    for (uint32_t i = 0; i < count; i++) {
        pool->free_slots[i] = count - 1 - i;
    }
    return true;
}

void pool_fini(struct pool *pool)
{
    if (pool == NULL) {
        return;
    }
    free(pool->slots);
    free(pool->generations);
    free(pool->free_slots);
    *pool = (struct pool){.count = 0};
}

void *pool_take(struct pool *pool, uint64_t *id_out)
{
    if (pool->in_use == pool->count) {
        return NULL;
    }
    uint32_t slot = pool->free_slots[pool->count - 1 - pool->in_use];
    pool->in_use++;
    if (pool->in_use > pool->in_use_max) {
        pool->in_use_max = pool->in_use;
    }
    pool->generations[slot]++;
    must((pool->generations[slot] & 1) == 1);
    *id_out = id_of(slot, pool->generations[slot]);
    void *taken = slot_at(pool, slot);
    memset(taken, 0, pool->slot_size);
    return taken;
}

void pool_give(struct pool *pool, uint64_t id)
{
    must(pool_find(pool, id) != NULL);
    uint32_t slot = (uint32_t)id;
    pool->generations[slot]++;
    pool->in_use--;
    pool->free_slots[pool->count - 1 - pool->in_use] = slot;
}

void *pool_find(const struct pool *pool, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    uint32_t generation = (uint32_t)(id >> 32);
    /* An even generation is a free slot's; no id was ever made of one. */
    if (slot >= pool->count || (generation & 1) == 0 || pool->generations[slot] != generation) {
        return NULL;
    }
    return slot_at(pool, slot);
}

void *pool_at(const struct pool *pool, uint32_t index)
{
    must(index < pool->count);
    return (pool->generations[index] & 1) == 1 ? slot_at(pool, index) : NULL;
}
