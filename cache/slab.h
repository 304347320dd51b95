/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Memory for a shelf's entries, taken from the system in chunks and counted to the byte, so that a
 * budget means resident memory. A chunk holds slots of one size class (8 bytes apart, and from
 * 256 bytes on 16 classes an octave, so at most 6 % slack). Slots stay dense: when one is given
 * back, the class's last slot moves into the gap and the caller is told, so memory can always pass
 * from one size to another and never crumbles. That is possible because nobody keeps pointers to
 * entries. What is larger than a quarter of a chunk has a mapping of its own. Not locked; the
 * owner's lock guards it.
 *
 * Invariants: of a class's chunks all but the top one are full, and the top one is not empty;
 * bytes == chunk table + all mapped chunks, spare ones included, and a take never makes
 * bytes > bytes_max.
 */
#define SLAB_CLASSES   160 /* Up to 64 KiB, a quarter of the largest chunk. */
#define SLAB_SLOT_BITS 12  /* Of an id: the slot within its chunk. */

/* An id that names no slot. */
#define SLAB_NONE 0u

/* A row of the chunk table; row 0 is never used, so that id 0 is free to mean none. */
struct slab_chunk {
    uint8_t *base;       /* NULL: the row is vacant. */
    uint32_t bytes;      /* Mapped. */
    uint32_t slot_bytes; /* Of the class, or all bytes of a large slot. */
    uint32_t below;      /* The class's next chunk; the next vacant or spare row. */
    uint16_t used;       /* Slots. */
    uint16_t class;
};

struct slab {
    struct slab_chunk *chunks;
    uint32_t row_count; /* Rows in use or once used, row 0 included. */
    uint32_t row_room;
    uint32_t vacant;                   /* First vacant row, or 0. */
    uint32_t spare;                    /* First row of an empty, still mapped chunk, or 0. */
    uint32_t chunk_bytes;              /* Of chunks taken from now on. */
    uint32_t class_tops[SLAB_CLASSES]; /* The class's top chunk, or 0. */
    size_t page_bytes;
    size_t table_bytes; /* Of the chunk table, whole pages. */
    uint64_t bytes;
    uint64_t bytes_max;
    bool is_refused; /* By the system, not by the limit, the last take was. */
};

/* False when memory is short; the slab is then empty and safe to slab_fini(). */
bool slab_init(struct slab *slab, uint64_t bytes_max);
void slab_fini(struct slab *slab);

/* A slot for `bytes`, uninitialised, or SLAB_NONE: over the limit or the system is out of memory.
 * The caller gives something back and tries again. */
uint32_t slab_take(struct slab *slab, size_t bytes);

/* Gives the slot back. Returns the id of the slot whose content now stands under `id` (the caller
 * corrects what pointed there), or SLAB_NONE when nothing moved. */
uint32_t slab_give(struct slab *slab, uint32_t id);

/* Would `bytes` fit if the slab were empty? */
bool slab_could_hold(const struct slab *slab, size_t bytes);

/* Returns all memory; every id is void. */
void slab_clear(struct slab *slab);

/* Changes the limit and gives spare chunks back. Slots stay where they are, so the slab may be over
 * the limit until its owner has given enough back. */
void slab_set_max(struct slab *slab, uint64_t bytes_max);

/* Returns the memory of empty chunks. */
void slab_trim(struct slab *slab);

static inline void *slab_at(const struct slab *slab, uint32_t id)
{
    const struct slab_chunk *chunk = &slab->chunks[id >> SLAB_SLOT_BITS];
    return chunk->base + (size_t)(id & ((1u << SLAB_SLOT_BITS) - 1)) * chunk->slot_bytes;
}

/* What the slot takes. */
static inline uint32_t slab_slot_bytes(const struct slab *slab, uint32_t id)
{
    return slab->chunks[id >> SLAB_SLOT_BITS].slot_bytes;
}

/* Whole pages from the system, zeroed, or NULL; `bytes` is a multiple of the page size. For tables
 * that are counted in the same budget. */
void *slab_pages_map(size_t bytes);
void slab_pages_unmap(void *pages, size_t bytes);
size_t slab_pages_round(size_t bytes);
