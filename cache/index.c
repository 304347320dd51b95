/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/index.h"

#include <string.h>

#include "cache/slab.h"

static size_t index_table_bytes(uint32_t count)
{
    return slab_pages_round((size_t)count * sizeof(uint32_t));
}

static uint32_t index_count_for(uint64_t shelf_bytes_max)
{
    uint64_t count = shelf_bytes_max / INDEX_BYTES_PER_BUCKET;
    if (count > UINT32_MAX / 2) {
        return UINT32_MAX / 2;
    }
    return count == 0 ? 1 : (uint32_t)count;
}

bool index_init(struct index *index, uint64_t shelf_bytes_max)
{
    uint32_t count = index_count_for(shelf_bytes_max);
    *index = (struct index){.heads = slab_pages_map(index_table_bytes(count)), .count = count};
    return index->heads != NULL;
}

void index_fini(struct index *index)
{
    slab_pages_unmap(index->heads, index_table_bytes(index->count));
    slab_pages_unmap(index->next, index_table_bytes(index->next_count));
    *index = (struct index){0};
}

void index_clear(struct index *index)
{
    memset(index->heads, 0, (size_t)index->count * sizeof *index->heads);
    if (index->next != NULL) {
        memset(index->next, 0, (size_t)index->next_count * sizeof *index->next);
    }
}

static uint64_t index_lowest(uint64_t bucket, uint32_t count)
{
    return ((bucket << 32) + count - 1) / count;
}

/* In the table that is being filled the last bucket may be half full: its rest has not moved. */
uint64_t index_behind(const struct index *index, uint32_t hash)
{
    uint32_t bucket = index_bucket(hash, index->count);
    if (bucket >= index->moved) {
        return index_lowest((uint64_t)bucket + 1, index->count);
    }
    uint32_t next = index_bucket(hash, index->next_count);
    uint64_t behind = index_lowest((uint64_t)next + 1, index->next_count);
    uint64_t behind_moved = index_lowest(index->moved, index->count);
    return behind < behind_moved ? behind : behind_moved;
}

bool index_grow(struct index *index, uint64_t shelf_bytes_max)
{
    uint32_t count = index_count_for(shelf_bytes_max);
    if (count == index->count) {
        return false;
    }
    index->next = slab_pages_map(index_table_bytes(count));
    index->next_count = index->next == NULL ? 0 : count;
    return index->next != NULL;
}

bool index_is_growing(const struct index *index)
{
    return index->next != NULL;
}

uint32_t index_take_next(struct index *index)
{
    uint32_t first = index->heads[index->moved];
    index->heads[index->moved] = 0;
    index->moved++;
    if (index->moved == index->count) {
        slab_pages_unmap(index->heads, index_table_bytes(index->count));
        *index = (struct index){.heads = index->next, .count = index->next_count};
    }
    return first;
}

size_t index_bytes(const struct index *index)
{
    size_t next_bytes = index->next == NULL ? 0 : index_table_bytes(index->next_count);
    return index_table_bytes(index->count) + next_bytes;
}
