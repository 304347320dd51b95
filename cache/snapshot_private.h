/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"
#include "cache/snapshot.h"

/*
 * The bodies of records, for snapshot.c, which frames them. Kinds are never given a new meaning: a
 * body of another layout is another kind.
 */
enum snapshot_kind {
    SNAPSHOT_KIND_ENTRY = 1,
    SNAPSHOT_KIND_BLOB = 2,
};

void snapshot_body_write_entry(
    struct writer *writer, const struct cache_record *record, int64_t now);
void snapshot_body_write_blob(struct writer *writer, const struct snapshot_blob *blob);

/* False: the body is none that could have been written; whatever it says, it is not to be believed,
 * and what is believed can be answered with. */
bool snapshot_body_read_entry(const uint8_t *body, size_t len, struct cache_record *record_out);
bool snapshot_body_read_blob(const uint8_t *body, size_t len, struct snapshot_blob *blob_out);

static inline void snapshot_write_u64(struct writer *writer, uint64_t value)
{
    writer_u32(writer, (uint32_t)(value >> 32));
    writer_u32(writer, (uint32_t)value);
}

static inline uint64_t snapshot_get_u64(const uint8_t *bytes)
{
    return (uint64_t)bytes_get_u32(bytes) << 32 | bytes_get_u32(bytes + 4);
}
