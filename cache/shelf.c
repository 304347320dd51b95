/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/shelf.h"

#include "base/must.h"

#include "cache/packed.h"
#include "cache/shared.h"

/* What the slab may take: the limit without the index. */
static void shelf_refit(struct shelf *shelf)
{
    size_t index = index_bytes(&shelf->index);
    slab_set_max(&shelf->slab, shelf->bytes_max > index ? shelf->bytes_max - index : 0);
}

bool shelf_init(struct shelf *shelf, uint64_t bytes_max, const struct hash_key *secret)
{
    *shelf = (struct shelf){.bytes_max = bytes_max, .secret = *secret};
    shelf_set_list_share(shelf, 100);
    if (!index_init(&shelf->index, bytes_max)) {
        return false;
    }
    size_t index = index_bytes(&shelf->index);
    return slab_init(&shelf->slab, bytes_max > index ? bytes_max - index : 0);
}

void shelf_fini(struct shelf *shelf)
{
    slab_fini(&shelf->slab);
    index_fini(&shelf->index);
    *shelf = (struct shelf){0};
}

static bool shelf_is_entry(const struct shelf_link *link)
{
    return link->newer != SHARED_MARK;
}

/* From `id` on, the first that is an entry. */
static uint32_t shelf_skip_shared(const struct shelf *shelf, uint32_t id)
{
    while (id != SLAB_NONE && !shelf_is_entry(shelf_link_at(shelf, id))) {
        id = shelf_link_at(shelf, id)->next;
    }
    return id;
}

uint32_t shelf_first(const struct shelf *shelf, uint32_t hash)
{
    return shelf_skip_shared(shelf, *index_at(&shelf->index, hash));
}

uint32_t shelf_next(const struct shelf *shelf, uint32_t id)
{
    return shelf_skip_shared(shelf, shelf_link_at(shelf, id)->next);
}

struct shelf_pair shelf_find(const struct shelf *shelf, const struct cache_key *key, uint32_t hash)
{
    struct shelf_pair pair = {.own = SLAB_NONE, .any = SLAB_NONE};
    for (uint32_t id = shelf_first(shelf, hash); id != SLAB_NONE; id = shelf_next(shelf, id)) {
        const struct entry *entry = shelf_at(shelf, id);
        if (entry->link.hash != hash || !entry_has_place(entry, key)) {
            continue;
        }
        if ((entry->flags & ENTRY_IS_ANY_TYPE) != 0) {
            pair.any = id;
        }
        if (entry->type == key->type) {
            pair.own = id;
        }
    }
    return pair;
}

/* The place in the bucket's chain that holds `id`. */
static uint32_t *shelf_place_of(struct shelf *shelf, uint32_t hash, uint32_t id)
{
    uint32_t *place = index_at(&shelf->index, hash);
    while (*place != id) {
        must(*place != SLAB_NONE);
        place = &shelf_link_at(shelf, *place)->next;
    }
    return place;
}

bool shelf_could_hold(const struct shelf *shelf, size_t bytes)
{
    return slab_could_hold(&shelf->slab, bytes);
}

uint32_t shelf_place(struct shelf *shelf, uint32_t hash, size_t bytes)
{
    uint32_t id = slab_take(&shelf->slab, bytes);
    if (id == SLAB_NONE) {
        return SLAB_NONE;
    }
    uint32_t *first = index_at(&shelf->index, hash);
    struct shelf_link *link = shelf_link_at(shelf, id);
    link->hash = hash;
    link->next = *first;
    *first = id;
    return id;
}

/* What stood at `from` has moved to `id`: corrects all that names it. */
static void shelf_moved(struct shelf *shelf, uint32_t from, uint32_t id)
{
    const struct shelf_link *link = shelf_link_at(shelf, id);
    *shelf_place_of(shelf, link->hash, from) = id;
    if (shelf_is_entry(link)) {
        order_moved(&shelf->order, &shelf->slab, id);
    }
}

void shelf_displace(struct shelf *shelf, uint32_t id)
{
    const struct shelf_link *link = shelf_link_at(shelf, id);
    *shelf_place_of(shelf, link->hash, id) = link->next;
    uint32_t from = slab_give(&shelf->slab, id);
    if (from != SLAB_NONE) {
        shelf_moved(shelf, from, id);
    }
}

uint32_t shelf_add(struct shelf *shelf, uint32_t hash, size_t bytes, enum order_place place)
{
    uint32_t id = shelf_place(shelf, hash, bytes);
    if (id != SLAB_NONE) {
        order_add(&shelf->order, &shelf->slab, id, place);
        shelf->count++;
    }
    return id;
}

bool shelf_is_refused(const struct shelf *shelf)
{
    return shelf->slab.is_refused;
}

void shelf_remove(struct shelf *shelf, uint32_t id)
{
    const struct entry *entry = shelf_at(shelf, id);
    bool is_shared = (entry->flags & ENTRY_IS_SHARED) != 0;
    uint32_t reference = is_shared ? packed_reference(entry) : 0;
    order_remove(&shelf->order, &shelf->slab, id);
    shelf->count--;
    shelf_displace(shelf, id);
    if (is_shared) {
        shared_give(shelf, reference);
    }
}

void shelf_prefetch(const struct shelf *shelf, uint32_t id)
{
    order_prefetch(&shelf->slab, id);
}

void shelf_touch(struct shelf *shelf, uint32_t id)
{
    order_touch(&shelf->order, &shelf->slab, id);
}

uint32_t shelf_victim(const struct shelf *shelf)
{
    return order_victim(&shelf->order, &shelf->slab);
}

void shelf_read(
    const struct shelf *shelf, const struct entry *entry, uint16_t type, uint8_t *message_out)
{
    bool is_shared = (entry->flags & ENTRY_IS_SHARED) != 0;
    const struct shared *shared = is_shared ? shared_at(shelf, packed_reference(entry)) : NULL;
    packed_unfold(entry, type, shared, message_out);
}

void shelf_clear(struct shelf *shelf)
{
    slab_clear(&shelf->slab);
    index_clear(&shelf->index);
    shelf->order = (struct order){.list_bytes_max = shelf->order.list_bytes_max};
    shelf->count = 0;
    shelf->shared_count = 0;
}

/* A removal may move entries of this very chain, so it begins anew after each. */
size_t shelf_sweep(struct shelf *shelf, uint32_t hash, shelf_match *is_match, const void *context)
{
    size_t removed = 0;
    uint32_t id = shelf_first(shelf, hash);
    while (id != SLAB_NONE) {
        if (is_match(shelf_at(shelf, id), context)) {
            shelf_remove(shelf, id);
            removed++;
            id = shelf_first(shelf, hash);
        } else {
            id = shelf_next(shelf, id);
        }
    }
    return removed;
}

uint32_t shelf_find_crowded(const struct shelf *shelf, uint32_t hash)
{
    unsigned count = 0;
    uint32_t last = SLAB_NONE;
    for (uint32_t id = shelf_first(shelf, hash); id != SLAB_NONE; id = shelf_next(shelf, id)) {
        if (shelf_link_at(shelf, id)->hash == hash) {
            last = id;
            count++;
        }
    }
    return count < SHELF_TYPES_MAX ? SLAB_NONE : last;
}

void shelf_set_max(struct shelf *shelf, uint64_t bytes_max)
{
    shelf->bytes_max = bytes_max;
    shelf_set_list_share(shelf, shelf->list_share);
    shelf_refit(shelf);
}

void shelf_set_list_share(struct shelf *shelf, unsigned list_share)
{
    shelf->list_share = list_share;
    shelf->order.list_bytes_max = shelf->bytes_max / 100 * list_share;
}

bool shelf_reindex_begin(struct shelf *shelf, uint64_t bytes_max)
{
    bool has_begun = index_grow(&shelf->index, bytes_max);
    shelf_refit(shelf);
    return has_begun;
}

bool shelf_reindex(struct shelf *shelf, unsigned buckets)
{
    for (unsigned i = 0; i < buckets && index_is_growing(&shelf->index); i++) {
        uint32_t id = index_take_next(&shelf->index);
        while (id != SLAB_NONE) {
            struct shelf_link *link = shelf_link_at(shelf, id);
            uint32_t *first = index_at(&shelf->index, link->hash);
            uint32_t next = link->next;
            link->next = *first;
            *first = id;
            id = next;
        }
    }
    if (index_is_growing(&shelf->index)) {
        return true;
    }
    shelf_refit(shelf);
    return false;
}

bool shelf_is_over(const struct shelf *shelf)
{
    return shelf_bytes(shelf) > shelf->bytes_max;
}

uint64_t shelf_bytes(const struct shelf *shelf)
{
    return shelf->slab.bytes + index_bytes(&shelf->index);
}
