/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/slab.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/must.h"

/* A chunk is about 1/1024 of the limit: with some 50 classes in use their half-empty top chunks
 * cost 2 or 3 %. Of a small limit it is up to four times that, for a few large slots do not fill a
 * small chunk. Its slots must be countable in SLAB_SLOT_BITS. */
#define SLAB_CHUNK_SHARE     1024
#define SLAB_CHUNK_SMALL     16384u
#define SLAB_CHUNK_BYTES_MIN 4096u
#define SLAB_CHUNK_BYTES_MAX (256u * 1024)
#define SLAB_SLOTS_MAX       (1u << SLAB_SLOT_BITS)
#define SLAB_ROWS_MAX        (1u << (32 - SLAB_SLOT_BITS))

/* Up to 256 bytes, where most entries are, classes are 8 bytes apart, then 1/16 of an octave. */
#define SLAB_LINEAR_MAX     256u
#define SLAB_LINEAR_STEP    8u
#define SLAB_LINEAR_CLASSES (SLAB_LINEAR_MAX / SLAB_LINEAR_STEP)
#define SLAB_LINEAR_OCTAVE  8u /* The binary logarithm of SLAB_LINEAR_MAX. */
#define SLAB_CLASS_LARGE    SLAB_CLASSES

void *slab_pages_map(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

/* Unmapping the middle of a mapping can fail for want of map entries; then at least the memory goes
 * back. */
void slab_pages_unmap(void *pages, size_t bytes)
{
    if (pages != NULL && munmap(pages, bytes) != 0) {
        (void)madvise(pages, bytes, MADV_DONTNEED);
    }
}

size_t slab_pages_round(size_t bytes)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

static unsigned slab_class_of(size_t bytes)
{
    if (bytes <= SLAB_LINEAR_MAX) {
        return bytes == 0 ? 0 : (unsigned)((bytes - 1) / SLAB_LINEAR_STEP);
    }
    unsigned octave = 63u - (unsigned)__builtin_clzll((unsigned long long)bytes - 1);
    size_t part = (bytes - 1 - ((size_t)1 << octave)) >> (octave - 4);
    return SLAB_LINEAR_CLASSES + 16 * (octave - SLAB_LINEAR_OCTAVE) + (unsigned)part;
}

static uint32_t slab_class_bytes(unsigned class)
{
    if (class < SLAB_LINEAR_CLASSES) {
        return (class + 1) * SLAB_LINEAR_STEP;
    }
    unsigned octave = SLAB_LINEAR_OCTAVE + (class - SLAB_LINEAR_CLASSES) / 16;
    unsigned part = (class - SLAB_LINEAR_CLASSES) % 16;
    return (1u << octave) + ((part + 1) << (octave - 4));
}

static uint32_t slab_chunk_slots(const struct slab_chunk *chunk)
{
    uint32_t slots = chunk->bytes / chunk->slot_bytes;
    return slots < SLAB_SLOTS_MAX ? slots : SLAB_SLOTS_MAX;
}

static void slab_set_chunk_bytes(struct slab *slab)
{
    uint32_t chunk_bytes = SLAB_CHUNK_BYTES_MIN;
    while (chunk_bytes < SLAB_CHUNK_BYTES_MAX) {
        uint64_t share = chunk_bytes < SLAB_CHUNK_SMALL ? SLAB_CHUNK_SHARE / 4 : SLAB_CHUNK_SHARE;
        if (chunk_bytes >= slab->page_bytes && chunk_bytes * 2 > slab->bytes_max / share) {
            break;
        }
        chunk_bytes *= 2;
    }
    slab->chunk_bytes = chunk_bytes;
}

/* One page of rows to begin with. */
static bool slab_rows_init(struct slab *slab)
{
    slab->chunks = slab_pages_map(slab->page_bytes);
    if (slab->chunks == NULL) {
        return false;
    }
    slab->row_room = (uint32_t)(slab->page_bytes / sizeof *slab->chunks);
    slab->row_count = 1;
    slab->table_bytes = slab->page_bytes;
    slab->bytes = slab->page_bytes;
    return true;
}

bool slab_init(struct slab *slab, uint64_t bytes_max)
{
    *slab = (struct slab){.bytes_max = bytes_max, .page_bytes = slab_pages_round(1)};
    slab_set_chunk_bytes(slab);
    return slab_rows_init(slab);
}

void slab_fini(struct slab *slab)
{
    for (uint32_t row = 1; row < slab->row_count; row++) {
        slab_pages_unmap(slab->chunks[row].base, slab->chunks[row].bytes);
    }
    if (slab->chunks != NULL) {
        slab_pages_unmap(slab->chunks, slab->table_bytes);
    }
    *slab = (struct slab){.bytes_max = slab->bytes_max, .page_bytes = slab->page_bytes};
}

/* The first page of the table is kept, so that clearing cannot fail. */
void slab_clear(struct slab *slab)
{
    for (uint32_t row = 1; row < slab->row_count; row++) {
        slab_pages_unmap(slab->chunks[row].base, slab->chunks[row].bytes);
    }
    uint8_t *table = (uint8_t *)slab->chunks;
    if (slab->table_bytes > slab->page_bytes) {
        slab_pages_unmap(table + slab->page_bytes, slab->table_bytes - slab->page_bytes);
    }
    memset(table, 0, slab->page_bytes);
    struct slab cleared = {.chunks = slab->chunks,
        .row_count = 1,
        .row_room = (uint32_t)(slab->page_bytes / sizeof *slab->chunks),
        .chunk_bytes = slab->chunk_bytes,
        .table_bytes = slab->page_bytes,
        .page_bytes = slab->page_bytes,
        .bytes = slab->page_bytes,
        .bytes_max = slab->bytes_max};
    *slab = cleared;
}

static bool slab_rows_grow(struct slab *slab)
{
    size_t bytes_new = slab->table_bytes * 2;
    if (slab->row_room >= SLAB_ROWS_MAX / 2 || slab->bytes + bytes_new > slab->bytes_max) {
        return false;
    }
    struct slab_chunk *chunks = slab_pages_map(bytes_new);
    if (chunks == NULL) {
        slab->is_refused = true;
        return false;
    }
    memcpy(chunks, slab->chunks, slab->row_count * sizeof *chunks);
    slab_pages_unmap(slab->chunks, slab->table_bytes);
    slab->chunks = chunks;
    slab->row_room = (uint32_t)(bytes_new / sizeof *chunks);
    slab->bytes += bytes_new - slab->table_bytes;
    slab->table_bytes = bytes_new;
    return true;
}

/* A row without a chunk, or 0. */
static uint32_t slab_row_take(struct slab *slab)
{
    uint32_t row = slab->vacant;
    if (row != 0) {
        slab->vacant = slab->chunks[row].below;
        return row;
    }
    if (slab->row_count == slab->row_room && !slab_rows_grow(slab)) {
        return 0;
    }
    return slab->row_count++;
}

static void slab_chunk_unmap(struct slab *slab, uint32_t row)
{
    struct slab_chunk *chunk = &slab->chunks[row];
    slab_pages_unmap(chunk->base, chunk->bytes);
    slab->bytes -= chunk->bytes;
    *chunk = (struct slab_chunk){.below = slab->vacant};
    slab->vacant = row;
}

void slab_trim(struct slab *slab)
{
    while (slab->spare != 0) {
        uint32_t row = slab->spare;
        slab->spare = slab->chunks[row].below;
        slab_chunk_unmap(slab, row);
    }
}

/* What is mapped and empty may be what the system lacks. */
static uint8_t *slab_chunk_pages(struct slab *slab, uint32_t bytes)
{
    if (slab->bytes + bytes > slab->bytes_max) {
        return NULL;
    }
    uint8_t *base = slab_pages_map(bytes);
    if (base == NULL && slab->spare != 0) {
        slab_trim(slab);
        base = slab_pages_map(bytes);
    }
    slab->is_refused |= base == NULL;
    return base;
}

/* A row with `bytes` of memory behind it, or 0. */
static uint32_t slab_chunk_map(struct slab *slab, uint32_t bytes)
{
    if (slab->bytes + bytes > slab->bytes_max) {
        slab_trim(slab);
    }
    uint32_t row = slab_row_take(slab);
    if (row == 0) {
        return 0;
    }
    uint8_t *base = slab_chunk_pages(slab, bytes);
    slab->chunks[row] = (struct slab_chunk){.base = base, .bytes = bytes};
    if (base == NULL) {
        slab->chunks[row] = (struct slab_chunk){.below = slab->vacant};
        slab->vacant = row;
        return 0;
    }
    slab->bytes += bytes;
    return row;
}

static uint32_t slab_take_large(struct slab *slab, size_t bytes)
{
    uint32_t mapped = (uint32_t)slab_pages_round(bytes);
    uint32_t row = slab_chunk_map(slab, mapped);
    if (row == 0) {
        return SLAB_NONE;
    }
    struct slab_chunk *chunk = &slab->chunks[row];
    chunk->slot_bytes = mapped;
    chunk->class = SLAB_CLASS_LARGE;
    chunk->used = 1;
    return row << SLAB_SLOT_BITS;
}

/* Puts an empty chunk on top of the class; false when there is none to be had. */
static bool slab_class_grow(struct slab *slab, unsigned class)
{
    uint32_t row = slab->spare;
    if (row != 0) {
        slab->spare = slab->chunks[row].below;
    } else {
        row = slab_chunk_map(slab, slab->chunk_bytes);
    }
    if (row == 0) {
        return false;
    }
    struct slab_chunk *chunk = &slab->chunks[row];
    chunk->slot_bytes = slab_class_bytes(class);
    chunk->class = (uint16_t) class;
    chunk->used = 0;
    chunk->below = slab->class_tops[class];
    slab->class_tops[class] = row;
    return true;
}

uint32_t slab_take(struct slab *slab, size_t bytes)
{
    slab->is_refused = false;
    if (bytes > slab->chunk_bytes / 4) {
        return slab_take_large(slab, bytes);
    }
    unsigned class = slab_class_of(bytes);
    uint32_t top = slab->class_tops[class];
    if (top == 0 || slab->chunks[top].used == slab_chunk_slots(&slab->chunks[top])) {
        if (!slab_class_grow(slab, class)) {
            return SLAB_NONE;
        }
        top = slab->class_tops[class];
    }
    return top << SLAB_SLOT_BITS | slab->chunks[top].used++;
}

/* An emptied chunk stays mapped for whoever needs one next, unless its size is out of date. */
static void slab_class_shrink(struct slab *slab, unsigned class)
{
    uint32_t top = slab->class_tops[class];
    struct slab_chunk *chunk = &slab->chunks[top];
    slab->class_tops[class] = chunk->below;
    if (chunk->bytes != slab->chunk_bytes) {
        slab_chunk_unmap(slab, top);
        return;
    }
    chunk->below = slab->spare;
    slab->spare = top;
}

uint32_t slab_give(struct slab *slab, uint32_t id)
{
    uint32_t row = id >> SLAB_SLOT_BITS;
    must(row > 0 && row < slab->row_count && slab->chunks[row].used > 0);
    unsigned class = slab->chunks[row].class;
    if (class == SLAB_CLASS_LARGE) {
        slab_chunk_unmap(slab, row);
        return SLAB_NONE;
    }
    uint32_t top = slab->class_tops[class];
    struct slab_chunk *chunk = &slab->chunks[top];
    uint32_t last = top << SLAB_SLOT_BITS | (uint32_t)(chunk->used - 1);
    if (last != id) {
        memcpy(slab_at(slab, id), slab_at(slab, last), chunk->slot_bytes);
    }
    chunk->used--;
    if (chunk->used == 0) {
        slab_class_shrink(slab, class);
    }
    return last == id ? SLAB_NONE : last;
}

bool slab_could_hold(const struct slab *slab, size_t bytes)
{
    size_t least = bytes > slab->chunk_bytes / 4 ? slab_pages_round(bytes) : slab->chunk_bytes;
    return slab->table_bytes + least <= slab->bytes_max;
}

void slab_set_max(struct slab *slab, uint64_t bytes_max)
{
    slab_trim(slab);
    slab->bytes_max = bytes_max;
    slab_set_chunk_bytes(slab);
}
