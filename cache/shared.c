/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/shared.h"

#include <string.h>

#include "base/must.h"

#include "cache/shelf.h"

/* The id under which the bytes with this hash stand, or SLAB_NONE. */
static uint32_t shared_find(const struct shelf *shelf, uint32_t hash)
{
    uint32_t id = *index_at(&shelf->index, hash);
    while (id != SLAB_NONE) {
        const struct shelf_link *link = shelf_link_at(shelf, id);
        if (link->hash == hash && link->newer == SHARED_MARK) {
            return id;
        }
        id = link->next;
    }
    return SLAB_NONE;
}

static struct shared *shared_of(const struct shelf *shelf, uint32_t id)
{
    return slab_at(&shelf->slab, id);
}

enum shared_verdict shared_take(
    struct shelf *shelf, const uint8_t *bytes, size_t len, uint32_t *reference_out)
{
    uint32_t hash = (uint32_t)hash_siphash13(&shelf->secret, bytes, len);
    uint32_t id = shared_find(shelf, hash);
    *reference_out = hash;
    if (id != SLAB_NONE) {
        struct shared *found = shared_of(shelf, id);
        if (found->len != len || memcmp(found->bytes, bytes, len) != 0 ||
            found->references == UINT32_MAX) {
            return SHARED_REFUSED;
        }
        found->references++;
        return SHARED_TAKEN;
    }
    id = shelf_place(shelf, hash, offsetof(struct shared, bytes) + len);
    if (id == SLAB_NONE) {
        return SHARED_NO_ROOM;
    }
    struct shared *shared = shared_of(shelf, id);
    shared->link.newer = SHARED_MARK;
    shared->link.older = SHARED_MARK;
    shared->references = 1;
    shared->len = (uint16_t)len;
    memcpy(shared->bytes, bytes, len);
    shelf->shared_count++;
    return SHARED_TAKEN;
}

void shared_give(struct shelf *shelf, uint32_t reference)
{
    uint32_t id = shared_find(shelf, reference);
    must(id != SLAB_NONE && shared_of(shelf, id)->references > 0);
    struct shared *shared = shared_of(shelf, id);
    shared->references--;
    if (shared->references == 0) {
        shelf->shared_count--;
        shelf_displace(shelf, id);
    }
}

const struct shared *shared_at(const struct shelf *shelf, uint32_t reference)
{
    uint32_t id = shared_find(shelf, reference);
    must(id != SLAB_NONE);
    return shared_of(shelf, id);
}
