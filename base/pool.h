/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A fixed number of equal slots, allocated once at boot. A taken slot has an id of slot number and
 * generation, so that a late event that names an ended life finds nothing instead of a stranger.
 * One owner, one thread. Invariant: in_use + free slots == count.
 */
struct pool {
    uint8_t *slots;
    uint32_t *generations; /* Odd while the slot is taken. */
    uint32_t *free_slots;  /* A stack of slot numbers. */
    size_t slot_size;
    uint32_t count;
    uint32_t in_use;
    uint32_t in_use_max; /* High-water mark. */
};

/* A slot's name across turns. POOL_NONE names nothing. */
#define POOL_NONE UINT64_C(0)

/* False when memory is short; the pool is then empty and safe to pool_fini(). */
bool pool_init(struct pool *pool, size_t slot_size, uint32_t count);
void pool_fini(struct pool *pool);

/* A zeroed slot and its id, or NULL when all are taken. */
void *pool_take(struct pool *pool, uint64_t *id_out);

/* Gives the slot back; `id` must name a taken slot. */
void pool_give(struct pool *pool, uint64_t id);

/* The slot, or NULL if its life has ended. */
void *pool_find(const struct pool *pool, uint64_t id);

/* For walks over all lives: the slot at `index` (< count) if it is taken, else NULL. */
void *pool_at(const struct pool *pool, uint32_t index);
