/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Deadlines in a binary heap of fixed size, so that a worker needs one timer whatever the number of
 * lives. A `struct deadline` is embedded in the life it belongs to and carries no pointer to it:
 * the owner tells kinds apart by `kind` and reaches the life with list_entry-like arithmetic or
 * `id`. One owner, one thread. Equal times fall due in the order in which they were set.
 */
struct deadline {
    int64_t at;
    uint64_t order;    /* Breaks ties; set by deadlines_set(). */
    uint32_t position; /* 1-based place in the heap; 0: not set. */
    uint32_t kind;     /* The owner's. */
    uint64_t id;       /* The owner's: the life's pool id. */
};

struct deadlines {
    struct deadline **heap; /* heap[1..count] */
    uint32_t count;
    uint32_t capacity;
    uint64_t order_next;
};

/* False when memory is short. */
bool deadlines_init(struct deadlines *deadlines, uint32_t capacity);
void deadlines_fini(struct deadlines *deadlines);

/* Sets or moves; must not exceed the capacity. */
void deadlines_set(struct deadlines *deadlines, struct deadline *deadline, int64_t at);

/* Harmless when it is not set. */
void deadlines_clear(struct deadlines *deadlines, struct deadline *deadline);

/* The earliest time, or INT64_MAX when none is set. */
int64_t deadlines_next(const struct deadlines *deadlines);

/* The earliest deadline with at <= now, taken out, or NULL. */
struct deadline *deadlines_take_due(struct deadlines *deadlines, int64_t now);
