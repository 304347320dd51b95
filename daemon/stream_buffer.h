/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DNS messages on a stream: each stands behind its length in two bytes (RFC 1035 section 4.2.2).
 * One buffer serves one direction of one connection. Its size is fixed when it is made, so a
 * stranger cannot make it grow. Owned by the connection; one thread.
 *
 *     receiving: stream_buffer_room(), read(2) into it, stream_buffer_filled(), then
 *                stream_buffer_take() until it says PARTIAL.
 *     sending:   stream_buffer_push(), then write(2) stream_buffer_pending() and
 *                stream_buffer_consume() what went.
 *
 * Invariant: start <= end <= size; the bytes at [start, end) are waiting.
 */
struct stream_buffer {
    uint8_t *bytes;
    size_t size;
    size_t start;
    size_t end;
};

#define STREAM_BUFFER_PREFIX      2
#define STREAM_BUFFER_MESSAGE_MAX 65535

/* Takes the longest message that can be announced. */
#define STREAM_BUFFER_SIZE_WHOLE (STREAM_BUFFER_PREFIX + STREAM_BUFFER_MESSAGE_MAX)

enum stream_buffer_verdict {
    STREAM_BUFFER_MESSAGE,  /* One whole message. */
    STREAM_BUFFER_PARTIAL,  /* More bytes must arrive first. */
    STREAM_BUFFER_TOO_LONG, /* The announced message can never fit: close the connection. */
};

/* False when memory is short; the buffer is then zeroed and safe to stream_buffer_fini(). The
 * memory is not touched before it is used, so a quiet connection costs little. */
bool stream_buffer_init(struct stream_buffer *buffer, size_t size);
void stream_buffer_fini(struct stream_buffer *buffer);

/* Bytes waiting. */
size_t stream_buffer_len(const struct stream_buffer *buffer);

/* Receiving: room for more bytes, of `*len_out` bytes. Moves what is waiting, so pointers of
 * stream_buffer_take() end here. The room is never empty after stream_buffer_take() has said
 * PARTIAL. */
uint8_t *stream_buffer_room(struct stream_buffer *buffer, size_t *len_out);

/* Receiving: `count` bytes have been put into the room. */
void stream_buffer_filled(struct stream_buffer *buffer, size_t count);

/* Receiving: takes the next message out. `*message_out` is valid until stream_buffer_room() or
 * stream_buffer_fini(), and is set with MESSAGE only. An empty message (length 0) is a message. */
enum stream_buffer_verdict stream_buffer_take(
    struct stream_buffer *buffer, const uint8_t **message_out, size_t *len_out);

/* Sending: would stream_buffer_push() of `len` bytes succeed? */
bool stream_buffer_fits(const struct stream_buffer *buffer, size_t len);

/* Sending: adds the length and the message, side by side, so that both leave in one write (RFC
 * 7766 section 8). False: no room, or longer than STREAM_BUFFER_MESSAGE_MAX; nothing is added. */
bool stream_buffer_push(struct stream_buffer *buffer, const uint8_t *message, size_t len);

/* Sending: all bytes that wait. */
const uint8_t *stream_buffer_pending(const struct stream_buffer *buffer, size_t *len_out);

/* Sending: `count` of them have left. */
void stream_buffer_consume(struct stream_buffer *buffer, size_t count);
