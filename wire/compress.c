/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/compress.h"

#include <string.h>

#include "wire/name.h"

#define COMPRESS_OFFSET_LIMIT 0x4000u
#define COMPRESS_HASH_START   2166136261u
#define COMPRESS_HASH_FACTOR  16777619u

/* The ends of one name, longest first: where each begins and its hash. */
struct compress_ends {
    uint8_t starts[NAME_LABELS_MAX];
    uint32_t hashes[NAME_LABELS_MAX];
    unsigned count;
};

void compress_init(struct compress *compress)
{
    memset(compress->slots, 0, sizeof(compress->slots));
    compress->work = 0;
}

/* Case is folded bluntly: '@' and '`' meet, which the comparison of the names sorts out. */
static uint32_t compress_hash_label(uint32_t hash, const uint8_t *label)
{
    for (size_t i = 0; i <= label[0]; i++) {
        hash = (hash ^ (label[i] | 0x20u)) * COMPRESS_HASH_FACTOR;
    }
    return hash;
}

/* Hashes grow from the root leftward, so one pass gives those of all ends. */
static void compress_find_ends(struct compress_ends *ends, const uint8_t *name)
{
    ends->count = 0;
    for (size_t at = 0; name[at] != 0; at += (size_t)name[at] + 1) {
        ends->starts[ends->count++] = (uint8_t)at;
    }
    uint32_t hash = COMPRESS_HASH_START;
    for (unsigned i = ends->count; i > 0; i--) {
        hash = compress_hash_label(hash, name + ends->starts[i - 1]);
        ends->hashes[i - 1] = hash;
    }
}

static uint8_t compress_tag(uint32_t hash)
{
    return (uint8_t)(hash >> 24);
}

static struct compress_slot *compress_slot_of(
    struct compress *compress, uint32_t hash, unsigned probe)
{
    return &compress->slots[((hash ^ hash >> 12) + probe) % COMPRESS_SLOTS];
}

/* The slot of a name that stands in the message and may still be pointed at, or NULL. */
static const struct compress_slot *compress_find(struct compress *compress,
    const struct reader *written, uint32_t hash, const uint8_t *name, size_t len)
{
    for (unsigned probe = 0; probe < COMPRESS_PROBES; probe++) {
        const struct compress_slot *slot = compress_slot_of(compress, hash, probe);
        if (slot->at == 0 || compress->work >= COMPRESS_WORK_MAX) {
            return NULL;
        }
        if (slot->tag != compress_tag(hash) || slot->depth >= COMPRESS_DEPTH_MAX) {
            continue;
        }
        compress->work += (uint32_t)len;
        if (name_equals_at(name, len, written, slot->at)) {
            return slot;
        }
    }
    return NULL;
}

static void compress_learn(struct compress *compress, uint32_t hash, size_t at, uint8_t depth)
{
    for (unsigned probe = 0; probe < COMPRESS_PROBES && at < COMPRESS_OFFSET_LIMIT; probe++) {
        struct compress_slot *slot = compress_slot_of(compress, hash, probe);
        if (slot->at == 0) {
            *slot = (struct compress_slot){
                .at = (uint16_t)at, .depth = depth, .tag = compress_tag(hash)};
            return;
        }
    }
}

void compress_write(
    struct compress *compress, struct writer *writer, const uint8_t *name, size_t len)
{
    struct reader written = reader_of(writer->bytes, writer->len);
    size_t name_at = writer->len;
    const struct compress_slot *slot = NULL;
    struct compress_ends ends;
    unsigned fresh = 0;

    compress_find_ends(&ends, name);
    compress->work += (uint32_t)len;
    for (; fresh < ends.count; fresh++) {
        size_t start = ends.starts[fresh];
        slot = compress_find(compress, &written, ends.hashes[fresh], name + start, len - start);
        if (slot != NULL) {
            break;
        }
    }
    uint8_t depth = 0;
    if (slot != NULL) {
        writer_bytes(writer, name, ends.starts[fresh]);
        writer_u16(writer, (uint16_t)(0xc000u | slot->at));
        depth = (uint8_t)(slot->depth + 1);
    } else {
        writer_bytes(writer, name, len);
    }
    for (unsigned i = 0; i < fresh && !writer->is_cut; i++) {
        compress_learn(compress, ends.hashes[i], name_at + ends.starts[i], depth);
    }
}
