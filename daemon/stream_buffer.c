/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/stream_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/bytes.h"

bool stream_buffer_init(struct stream_buffer *buffer, size_t size)
{
    must(size > STREAM_BUFFER_PREFIX);
    *buffer = (struct stream_buffer){.bytes = malloc(size), .size = size};
    if (buffer->bytes == NULL) {
        buffer->size = 0;
        return false;
    }
    return true;
}

void stream_buffer_fini(struct stream_buffer *buffer)
{
    if (buffer == NULL) {
        return;
    }
    free(buffer->bytes);
    *buffer = (struct stream_buffer){0};
}

size_t stream_buffer_len(const struct stream_buffer *buffer)
{
    return buffer->end - buffer->start;
}

static void stream_buffer_compact(struct stream_buffer *buffer)
{
    size_t len = stream_buffer_len(buffer);
    if (len > 0 && buffer->start > 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, len);
    }
    buffer->start = 0;
    buffer->end = len;
}

uint8_t *stream_buffer_room(struct stream_buffer *buffer, size_t *len_out)
{
    /* Moving only when more is gained than is left keeps the copying in proportion. */
    if (buffer->size - buffer->end < buffer->start || buffer->start == buffer->end) {
        stream_buffer_compact(buffer);
    }
    *len_out = buffer->size - buffer->end;
    return buffer->bytes + buffer->end;
}

void stream_buffer_filled(struct stream_buffer *buffer, size_t count)
{
    must(count <= buffer->size - buffer->end);
    buffer->end += count;
}

enum stream_buffer_verdict stream_buffer_take(
    struct stream_buffer *buffer, const uint8_t **message_out, size_t *len_out)
{
    size_t waiting = stream_buffer_len(buffer);
    if (waiting < STREAM_BUFFER_PREFIX) {
        return STREAM_BUFFER_PARTIAL;
    }
    const uint8_t *frame = buffer->bytes + buffer->start;
    size_t len = bytes_get_u16(frame);
    if (STREAM_BUFFER_PREFIX + len > buffer->size) {
        return STREAM_BUFFER_TOO_LONG;
    }
    if (waiting < STREAM_BUFFER_PREFIX + len) {
        return STREAM_BUFFER_PARTIAL;
    }
    *message_out = frame + STREAM_BUFFER_PREFIX;
    *len_out = len;
    buffer->start += STREAM_BUFFER_PREFIX + len;
    return STREAM_BUFFER_MESSAGE;
}

bool stream_buffer_fits(const struct stream_buffer *buffer, size_t len)
{
    return len <= STREAM_BUFFER_MESSAGE_MAX &&
           STREAM_BUFFER_PREFIX + len <= buffer->size - stream_buffer_len(buffer);
}

bool stream_buffer_push(struct stream_buffer *buffer, const uint8_t *message, size_t len)
{
    if (!stream_buffer_fits(buffer, len)) {
        return false;
    }
    if (buffer->size - buffer->end < STREAM_BUFFER_PREFIX + len) {
        stream_buffer_compact(buffer);
    }
    uint8_t *frame = buffer->bytes + buffer->end;
    bytes_put_u16(frame, (uint16_t)len);
    if (len > 0) {
        memcpy(frame + STREAM_BUFFER_PREFIX, message, len);
    }
    buffer->end += STREAM_BUFFER_PREFIX + len;
    return true;
}

const uint8_t *stream_buffer_pending(const struct stream_buffer *buffer, size_t *len_out)
{
    *len_out = stream_buffer_len(buffer);
    return buffer->bytes + buffer->start;
}

void stream_buffer_consume(struct stream_buffer *buffer, size_t count)
{
    must(count <= stream_buffer_len(buffer));
    buffer->start += count;
    if (buffer->start == buffer->end) {
        buffer->start = 0;
        buffer->end = 0;
    }
}
