/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Bounded reading and writing of big-endian bytes. A reader never passes its end and a writer never
 * passes its size: a read that does not fit returns false and leaves the position where it was, a
 * write that does not fit sets is_cut and writes nothing from then on. No ownership of the bytes.
 */
struct reader {
    const uint8_t *bytes; /* The whole message: compression pointers count from here. */
    size_t len;
    size_t at;
    uint32_t hops_left; /* Compression pointers that may still be followed: the work cap. */
};

struct writer {
    uint8_t *bytes;
    size_t size;
    size_t len;
    bool is_cut;
};

/* Enough for any honest message: each name of 4,000 records takes a few pointers. */
#define READER_HOPS_MAX 20000

static inline struct reader reader_of(const uint8_t *bytes, size_t len)
{
    return (struct reader){.bytes = bytes, .len = len, .at = 0, .hops_left = READER_HOPS_MAX};
}

static inline size_t reader_left(const struct reader *reader)
{
    return reader->len - reader->at;
}

static inline bool reader_skip(struct reader *reader, size_t count)
{
    if (reader_left(reader) < count) {
        return false;
    }
    reader->at += count;
    return true;
}

static inline uint16_t bytes_get_u16(const uint8_t *bytes)
{
    return (uint16_t)((unsigned)bytes[0] << 8 | bytes[1]);
}

static inline uint32_t bytes_get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes_get_u16(bytes) << 16 | bytes_get_u16(bytes + 2);
}

static inline void bytes_put_u16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline void bytes_put_u32(uint8_t *bytes, uint32_t value)
{
    bytes_put_u16(bytes, (uint16_t)(value >> 16));
    bytes_put_u16(bytes + 2, (uint16_t)value);
}

static inline bool reader_u8(struct reader *reader, uint8_t *value_out)
{
    if (reader_left(reader) < 1) {
        return false;
    }
    *value_out = reader->bytes[reader->at++];
    return true;
}

static inline bool reader_u16(struct reader *reader, uint16_t *value_out)
{
    if (reader_left(reader) < 2) {
        return false;
    }
    *value_out = bytes_get_u16(reader->bytes + reader->at);
    reader->at += 2;
    return true;
}

static inline bool reader_u32(struct reader *reader, uint32_t *value_out)
{
    if (reader_left(reader) < 4) {
        return false;
    }
    *value_out = bytes_get_u32(reader->bytes + reader->at);
    reader->at += 4;
    return true;
}

static inline struct writer writer_of(uint8_t *bytes, size_t size)
{
    return (struct writer){.bytes = bytes, .size = size, .len = 0, .is_cut = false};
}

/* Room for `count` bytes, counted as written, or NULL and is_cut. */
static inline uint8_t *writer_take(struct writer *writer, size_t count)
{
    if (writer->is_cut || writer->size - writer->len < count) {
        writer->is_cut = true;
        return NULL;
    }
    uint8_t *room = writer->bytes + writer->len;
    writer->len += count;
    return room;
}

static inline void writer_u8(struct writer *writer, uint8_t value)
{
    uint8_t *room = writer_take(writer, 1);
    if (room != NULL) {
        room[0] = value;
    }
}

static inline void writer_u16(struct writer *writer, uint16_t value)
{
    uint8_t *room = writer_take(writer, 2);
    if (room != NULL) {
        bytes_put_u16(room, value);
    }
}

static inline void writer_u32(struct writer *writer, uint32_t value)
{
    uint8_t *room = writer_take(writer, 4);
    if (room != NULL) {
        bytes_put_u32(room, value);
    }
}

static inline void writer_bytes(struct writer *writer, const uint8_t *bytes, size_t count)
{
    uint8_t *room = writer_take(writer, count);
    if (room != NULL && count > 0) {
        memcpy(room, bytes, count);
    }
}
