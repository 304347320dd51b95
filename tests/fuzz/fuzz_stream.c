/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages behind their lengths on a stream, as clients' and servers' connections carry them. The
 * first byte chooses the size of the buffer, the second in what pieces the rest arrives. However it
 * is cut, the messages are those that a look at the whole of it finds; and what is sent by pushing
 * and consuming in any order is the frames one behind the other.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/bytes.h"
#include "daemon/stream_buffer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *at;
    size_t len;
};

static const size_t sizes[] = {3, 4, 16, 64, 514, 4098, STREAM_BUFFER_SIZE_WHOLE, 70000};

/* Pieces of 1, 2, 3... bytes, or of few large ones. */
static size_t piece_len(unsigned pieces, unsigned index)
{
    size_t len = pieces % 2 == 0 ? 1 + (index * pieces) % 9 : 1 + 40 * (size_t)pieces;
    return len;
}

static enum stream_buffer_verdict take_all(struct stream_buffer *buffer, struct bytes *expected)
{
    const uint8_t *message;
    size_t len;
    enum stream_buffer_verdict verdict;
    while ((verdict = stream_buffer_take(buffer, &message, &len)) == STREAM_BUFFER_MESSAGE) {
        must(expected->len >= STREAM_BUFFER_PREFIX);
        must(bytes_get_u16(expected->at) == len && len + STREAM_BUFFER_PREFIX <= expected->len);
        must(memcmp(message, expected->at + STREAM_BUFFER_PREFIX, len) == 0);
        expected->at += STREAM_BUFFER_PREFIX + len;
        expected->len -= STREAM_BUFFER_PREFIX + len;
    }
    return verdict;
}

static void check_receiving(size_t size, unsigned pieces, struct bytes input)
{
    struct stream_buffer buffer;
    struct bytes expected = input;
    enum stream_buffer_verdict verdict = STREAM_BUFFER_PARTIAL;
    must(stream_buffer_init(&buffer, size));
    for (unsigned i = 0; input.len > 0 && verdict == STREAM_BUFFER_PARTIAL; i++) {
        size_t room_len;
        size_t len = piece_len(pieces, i);
        uint8_t *room = stream_buffer_room(&buffer, &room_len);
        must(room_len > 0);
        len = len < room_len ? len : room_len;
        len = len < input.len ? len : input.len;
        memcpy(room, input.at, len);
        stream_buffer_filled(&buffer, len);
        input.at += len;
        input.len -= len;
        verdict = take_all(&buffer, &expected);
    }
    size_t next = expected.len >= STREAM_BUFFER_PREFIX ? bytes_get_u16(expected.at) : 0;
    if (verdict == STREAM_BUFFER_TOO_LONG) {
        must(next + STREAM_BUFFER_PREFIX > size);
    } else {
        must(expected.len < next + STREAM_BUFFER_PREFIX);
        must(stream_buffer_len(&buffer) == expected.len);
    }
    stream_buffer_fini(&buffer);
}

/* What left must be what was pushed: `sent` and `gone` are byte counts of the same stream. */
struct sending {
    struct stream_buffer buffer;
    uint8_t *frames;
    size_t pushed;
    size_t gone;
};

static void sending_push(struct sending *sending, struct bytes message)
{
    bool fits = stream_buffer_fits(&sending->buffer, message.len);
    must(stream_buffer_push(&sending->buffer, message.at, message.len) == fits);
    if (fits) {
        bytes_put_u16(sending->frames + sending->pushed, (uint16_t)message.len);
        memcpy(sending->frames + sending->pushed + STREAM_BUFFER_PREFIX, message.at, message.len);
        sending->pushed += STREAM_BUFFER_PREFIX + message.len;
    }
}

static void sending_consume(struct sending *sending, size_t count)
{
    size_t len;
    const uint8_t *pending = stream_buffer_pending(&sending->buffer, &len);
    must(len == sending->pushed - sending->gone);
    must(memcmp(pending, sending->frames + sending->gone, len) == 0);
    count = count < len ? count : len;
    stream_buffer_consume(&sending->buffer, count);
    sending->gone += count;
}

static void check_sending(size_t size, struct bytes input)
{
    struct sending sending = {.frames = malloc(4 * input.len + 4)};
    must(sending.frames != NULL && stream_buffer_init(&sending.buffer, size));
    while (input.len > 0) {
        size_t count = input.at[0] >> 1;
        bool is_push = (input.at[0] & 1) == 0;
        input.at++;
        input.len--;
        if (!is_push) {
            sending_consume(&sending, count);
            continue;
        }
        count = count < input.len ? count : input.len;
        sending_push(&sending, (struct bytes){input.at, count});
        input.at += count;
        input.len -= count;
    }
    sending_consume(&sending, SIZE_MAX);
    must(sending.gone == sending.pushed && stream_buffer_len(&sending.buffer) == 0);
    stream_buffer_fini(&sending.buffer);
    free(sending.frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    size_t buffer_size = sizes[data[0] % (sizeof sizes / sizeof sizes[0])];
    const struct bytes input = {data + 2, size - 2};
    if ((data[0] & 0x80) == 0) {
        check_receiving(buffer_size, data[1], input);
    } else {
        check_sending(buffer_size, input);
    }
    return 0;
}
