/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "cache/entry.h"
#include "cache/slab.h"

/*
 * Which entry makes room: a segmented LRU. What is new stands on probation; what is asked again is
 * protected, so that the many names of a mail host that are asked once do not wash out the few that
 * are asked all day. Protected entries take at most four fifths of the bytes, free ones included;
 * the one that has waited longest goes back to probation then. Answers of DNS lists have such a
 * pair of queues of their own: as long as they take more than their share of the limit they make
 * room among themselves, below it whoever has been on probation for longer. While there is room,
 * anybody may take it. Not locked; the shard's lock guards it.
 */
struct order_queue {
    uint32_t newest; /* Most recently used, or SLAB_NONE. */
    uint32_t oldest;
    uint64_t count;
    uint64_t bytes; /* Of the slots. */
};

enum order_place {
    ORDER_PROBATION,
    ORDER_PROTECTED,
    ORDER_LIST_PROBATION,
    ORDER_LIST_PROTECTED,
};
#define ORDER_QUEUES 4

struct order {
    struct order_queue queues[ORDER_QUEUES];
    uint64_t list_bytes_max;
};

enum order_place order_place_for(bool is_list, bool is_protected);
enum order_place order_place_of(const struct entry *entry);

/* As the most recently used of its queue. The entry's flags may be written later, but must then say
 * the same. */
void order_add(struct order *order, const struct slab *slab, uint32_t id, enum order_place place);
void order_remove(struct order *order, const struct slab *slab, uint32_t id);

/* It is going to be touched: its neighbours are fetched into the processor's cache meanwhile, for
 * among millions of entries each of them is a wait for memory. */
void order_prefetch(const struct slab *slab, uint32_t id);

/* It was asked again. */
void order_touch(struct order *order, const struct slab *slab, uint32_t id);

/* The slab has moved an entry to `id`. */
void order_moved(struct order *order, const struct slab *slab, uint32_t id);

/* Who is to make room next; SLAB_NONE: nobody is left. */
uint32_t order_victim(const struct order *order, const struct slab *slab);
