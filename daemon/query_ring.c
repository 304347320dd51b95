/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/query_ring.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/must.h"

/*
 * Positions only grow; a record's place is its position modulo the size. Invariants:
 *
 *     read <= shown <= taken <= read + QUERY_RING_RECORDS
 *
 * `read` is the reader's, `shown` and `taken` are the worker's.

 */
struct query_ring {
    _Atomic uint64_t read;
    _Atomic uint64_t shown;
    uint64_t taken;
    struct query_record records[QUERY_RING_RECORDS];
};

struct query_ring *query_ring_new(void)
{
    return calloc(1, sizeof(struct query_ring));
}

void query_ring_free(struct query_ring **ring)
{
    if (ring != NULL) {
        free(*ring);
        *ring = NULL;
    }
}

static struct query_record *ring_at(struct query_ring *ring, uint64_t position)
{
    return &ring->records[position % QUERY_RING_RECORDS];
}

struct query_record *query_ring_take(struct query_ring *ring)
{
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    if (ring->taken - read >= QUERY_RING_RECORDS) {
        return NULL;
    }
    return ring_at(ring, ring->taken++);
}

void query_ring_settle(struct query_ring *ring, int64_t waited_us)
{
    uint64_t shown = atomic_load_explicit(&ring->shown, memory_order_relaxed);
    for (uint64_t position = shown; position < ring->taken; position++) {
        struct query_record *record = ring_at(ring, position);
        if (record->is_waiting) {
            record->is_waiting = false;
            record->waited_us = waited_us;
        }
    }
    atomic_store_explicit(&ring->shown, ring->taken, memory_order_release);
}

void query_ring_show(struct query_ring *ring)
{
    uint64_t shown = atomic_load_explicit(&ring->shown, memory_order_relaxed);
    while (shown < ring->taken && !ring_at(ring, shown)->is_waiting) {
        shown++;
    }
    atomic_store_explicit(&ring->shown, shown, memory_order_release);
}

const struct query_record *query_ring_first(const struct query_ring *ring)
{
    uint64_t shown = atomic_load_explicit(&ring->shown, memory_order_acquire);
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    return read == shown ? NULL : &ring->records[read % QUERY_RING_RECORDS];
}

void query_ring_drop(struct query_ring *ring)
{
    must(query_ring_first(ring) != NULL);
    atomic_fetch_add_explicit(&ring->read, 1, memory_order_release);
}
