/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/order.h"

/* Protected entries that go back to probation at most when one becomes protected. */
#define ORDER_DEMOTIONS_MAX 4

/* Of their pair of queues and of what is free protected entries take at most this share, in parts
 * of five. */
#define ORDER_PROTECTED_SHARE 4

enum order_place order_place_for(bool is_list, bool is_protected)
{
    if (is_list) {
        return is_protected ? ORDER_LIST_PROTECTED : ORDER_LIST_PROBATION;
    }
    return is_protected ? ORDER_PROTECTED : ORDER_PROBATION;
}

enum order_place order_place_of(const struct entry *entry)
{
    return order_place_for((entry->flags & ENTRY_IS_LIST) != 0, entry->is_protected != 0);
}

static struct entry *order_at(const struct slab *slab, uint32_t id)
{
    return slab_at(slab, id);
}

void order_add(struct order *order, const struct slab *slab, uint32_t id, enum order_place place)
{
    struct order_queue *queue = &order->queues[place];
    struct entry *entry = order_at(slab, id);
    entry->is_protected = place == ORDER_PROTECTED || place == ORDER_LIST_PROTECTED;
    entry->link.newer = SLAB_NONE;
    entry->link.older = queue->newest;
    if (queue->newest != SLAB_NONE) {
        order_at(slab, queue->newest)->link.newer = id;
    } else {
        queue->oldest = id;
    }
    queue->newest = id;
    queue->count++;
    queue->bytes += slab_slot_bytes(slab, id);
}

/* Lets the entry's neighbours point to `newer` and `older` instead. */
static void order_join(struct order *order, const struct slab *slab, const struct entry *entry,
    uint32_t newer, uint32_t older)
{
    struct order_queue *queue = &order->queues[order_place_of(entry)];
    if (entry->link.older != SLAB_NONE) {
        order_at(slab, entry->link.older)->link.newer = newer;
    } else {
        queue->oldest = newer;
    }
    if (entry->link.newer != SLAB_NONE) {
        order_at(slab, entry->link.newer)->link.older = older;
    } else {
        queue->newest = older;
    }
}

void order_remove(struct order *order, const struct slab *slab, uint32_t id)
{
    const struct entry *entry = order_at(slab, id);
    struct order_queue *queue = &order->queues[order_place_of(entry)];
    order_join(order, slab, entry, entry->link.newer, entry->link.older);
    queue->count--;
    queue->bytes -= slab_slot_bytes(slab, id);
}

void order_moved(struct order *order, const struct slab *slab, uint32_t id)
{
    order_join(order, slab, order_at(slab, id), id, id);
}

/* Nobody has to make room for what is free, so it counts as if it were on probation: before a cache
 * has filled for the first time, all that is asked again is protected. */
static uint64_t order_bytes_free(const struct slab *slab)
{
    return slab->bytes_max > slab->bytes ? slab->bytes_max - slab->bytes : 0;
}

/* The protected ones that have waited longest go back to probation while there are too many. */
static void order_demote(struct order *order, const struct slab *slab, bool is_list)
{
    enum order_place probation = order_place_for(is_list, false);
    struct order_queue *protected = &order->queues[order_place_for(is_list, true)];
    for (unsigned i = 0; i<ORDER_DEMOTIONS_MAX &&protected->count> 1; i++) {
        uint64_t bytes = protected->bytes + order->queues[probation].bytes + order_bytes_free(slab);
        if (protected->bytes * 5 <= bytes * ORDER_PROTECTED_SHARE) {
            return;
        }
        uint32_t id = protected->oldest;
        order_remove(order, slab, id);
        order_add(order, slab, id, probation);
    }
}

void order_prefetch(const struct slab *slab, uint32_t id)
{
    const struct entry *entry = order_at(slab, id);
    if (entry->link.newer != SLAB_NONE) {
        __builtin_prefetch(order_at(slab, entry->link.newer), 1);
    }
    if (entry->link.older != SLAB_NONE) {
        __builtin_prefetch(order_at(slab, entry->link.older), 1);
    }
}

void order_touch(struct order *order, const struct slab *slab, uint32_t id)
{
    const struct entry *entry = order_at(slab, id);
    bool is_list = (entry->flags & ENTRY_IS_LIST) != 0;
    enum order_place place = order_place_for(is_list, true);
    if (order->queues[place].newest == id) {
        return;
    }
    order_remove(order, slab, id);
    order_add(order, slab, id, place);
    order_demote(order, slab, is_list);
}

static uint32_t order_oldest(const struct order *order, bool is_list)
{
    uint32_t id = order->queues[order_place_for(is_list, false)].oldest;
    return id != SLAB_NONE ? id : order->queues[order_place_for(is_list, true)].oldest;
}

/* Below their share the lists make room like everybody else: whoever has been on probation for
 * longer; where nobody is, the larger of the two. */
static bool order_is_list_next(const struct order *order, const struct slab *slab)
{
    uint32_t list = order->queues[ORDER_LIST_PROBATION].oldest;
    uint32_t other = order->queues[ORDER_PROBATION].oldest;
    if (list == SLAB_NONE && other == SLAB_NONE) {
        return order->queues[ORDER_LIST_PROTECTED].bytes > order->queues[ORDER_PROTECTED].bytes;
    }
    if (list == SLAB_NONE || other == SLAB_NONE) {
        return other == SLAB_NONE;
    }
    uint32_t later = order_at(slab, list)->stored_tick - order_at(slab, other)->stored_tick;
    return later > UINT32_MAX / 2; /* It wraps: it is earlier. */
}

uint32_t order_victim(const struct order *order, const struct slab *slab)
{
    uint64_t list_bytes =
        order->queues[ORDER_LIST_PROBATION].bytes + order->queues[ORDER_LIST_PROTECTED].bytes;
    bool is_list = list_bytes > order->list_bytes_max || order_is_list_next(order, slab);
    uint32_t id = order_oldest(order, is_list);
    return id != SLAB_NONE ? id : order_oldest(order, !is_list);
}
