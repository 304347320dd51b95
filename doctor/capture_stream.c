/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_stream.h"

#include <string.h>

#include "doctor/capture_packet.h"

/* Sequence numbers further apart than this have nothing to do with each other: the largest window
 * of TCP (RFC 7323 section 2.3). */
#define NEAR_MAX (1 << 30)

static int32_t distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

void capture_stream_start(struct capture_stream *stream, uint32_t sequence)
{
    stream->is_started = true;
    stream->piece_count = 0;
    stream->next = sequence;
    stream->end = sequence;
}

/* Hands out `wire_len` bytes at `next`, of which `len` are known. */
static void stream_deliver(struct capture_stream *stream, const uint8_t *bytes, uint32_t len,
    uint32_t wire_len, const struct capture_sink *sink)
{
    stream->next += wire_len;
    sink->take(sink->context, bytes, len, wire_len - len);
}

/* The part at and after `next` of a segment that begins no later. */
static void stream_deliver_rest(struct capture_stream *stream,
    const struct capture_segment *segment, const struct capture_sink *sink)
{
    uint32_t skipped = (uint32_t)distance(segment->sequence, stream->next);
    uint32_t len = segment->len > skipped ? segment->len - skipped : 0;
    const uint8_t *bytes = segment->bytes + (segment->len - len);
    stream_deliver(stream, bytes, len, segment->wire_len - skipped, sink);
}

/* The piece with the lowest number. */
static size_t piece_first(const struct capture_stream *stream)
{
    size_t first = 0;
    for (size_t i = 1; i < stream->piece_count; i++) {
        if (distance(stream->pieces[first].sequence, stream->pieces[i].sequence) < 0) {
            first = i;
        }
    }
    return first;
}

static void piece_drop(struct capture_stream *stream, size_t index)
{
    stream->pieces[index] = stream->pieces[--stream->piece_count];
}

/* Hands out the pieces whose turn has come. */
static void stream_drain(struct capture_stream *stream, const struct capture_sink *sink)
{
    while (stream->piece_count > 0) {
        size_t index = piece_first(stream);
        const struct capture_piece *piece = &stream->pieces[index];
        int32_t ahead = distance(stream->next, piece->sequence);
        if (ahead > 0) {
            return;
        }
        if (ahead + (int64_t)piece->wire_len > 0) {
            const struct capture_segment segment = {
                .sequence = piece->sequence,
                .bytes = piece->bytes,
                .len = piece->len,
                .wire_len = piece->wire_len,
            };
            stream_deliver_rest(stream, &segment, sink);
        }
        piece_drop(stream, index);
    }
}

/* Gives up what lies before `sequence`, and hands out what is kept of it. */
static void stream_skip_to(
    struct capture_stream *stream, uint32_t sequence, const struct capture_sink *sink)
{
    stream_drain(stream, sink);
    while (distance(stream->next, sequence) > 0) {
        uint32_t until = sequence;
        if (stream->piece_count > 0) {
            uint32_t first = stream->pieces[piece_first(stream)].sequence;
            until = distance(first, sequence) > 0 ? first : sequence;
        }
        stream_deliver(stream, NULL, 0, until - stream->next, sink);
        stream_drain(stream, sink);
    }
}

static enum capture_arrival piece_keep(struct capture_stream *stream,
    const struct capture_segment *segment, const struct capture_sink *sink)
{
    for (size_t i = 0; i < stream->piece_count; i++) {
        if (stream->pieces[i].sequence == segment->sequence) {
            return CAPTURE_REPEATED;
        }
    }
    if (stream->piece_count == STREAM_PIECES) {
        stream_skip_to(stream, stream->pieces[piece_first(stream)].sequence, sink);
    }
    struct capture_piece *piece = &stream->pieces[stream->piece_count++];
    piece->sequence = segment->sequence;
    piece->wire_len = segment->wire_len;
    piece->len = segment->len < STREAM_PIECE_SIZE ? segment->len : STREAM_PIECE_SIZE;
    memcpy(piece->bytes, segment->bytes, piece->len);
    stream_drain(stream, sink);
    return CAPTURE_EARLY;
}

enum capture_arrival capture_stream_add(struct capture_stream *stream,
    const struct capture_segment *segment, const struct capture_sink *sink)
{
    if (!stream->is_started) {
        capture_stream_start(stream, segment->sequence);
    }
    int32_t ahead = distance(stream->next, segment->sequence);
    if (ahead >= NEAR_MAX || ahead <= -NEAR_MAX || segment->wire_len >= NEAR_MAX) {
        return CAPTURE_STRAY;
    }
    /* A probe stands just before what comes next, with nothing or a byte that is known. */
    if (segment->wire_len <= 1 && ahead == -1 &&
        (segment->flags & (CAPTURE_SYN | CAPTURE_FIN)) == 0) {
        return CAPTURE_KEEPALIVE;
    }
    if (segment->wire_len == 0) {
        return CAPTURE_EMPTY;
    }
    uint32_t end = segment->sequence + segment->wire_len;
    if (distance(stream->end, end) > 0) {
        stream->end = end;
    }
    if (distance(stream->next, end) <= 0) {
        return CAPTURE_REPEATED;
    }
    if (ahead > 0) {
        return piece_keep(stream, segment, sink);
    }
    stream_deliver_rest(stream, segment, sink);
    stream_drain(stream, sink);
    return CAPTURE_NEW;
}

void capture_stream_acked(
    struct capture_stream *stream, uint32_t sequence, const struct capture_sink *sink)
{
    if (!stream->is_started) {
        capture_stream_start(stream, sequence);
    }
    /* A FIN takes a number, but is no byte. */
    int32_t ahead = distance(stream->next, sequence) - (stream->has_ended ? 1 : 0);
    if (ahead >= NEAR_MAX || ahead <= -NEAR_MAX) {
        return;
    }
    if (!stream->is_acked_once || distance(stream->acked, sequence) > 0) {
        stream->is_acked_once = true;
        stream->acked = sequence;
    }
    if (ahead > 0) {
        stream_skip_to(stream, stream->next + (uint32_t)ahead, sink);
    }
    if (distance(stream->end, stream->next) > 0) {
        stream->end = stream->next;
    }
}

bool capture_stream_is_unacked(const struct capture_stream *stream)
{
    return stream->is_started && stream->is_acked_once && distance(stream->acked, stream->end) > 0;
}
