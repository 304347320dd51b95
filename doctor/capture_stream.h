/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One direction of a TCP connection put in order: segments come in as captured, bytes go out once
 * and in sequence. What the capture lacks (cut by the snap length, not captured, or more out of
 * order than is kept) goes out as a number of missing bytes. Bounded: STREAM_PIECES early segments
 * of STREAM_PIECE_SIZE bytes. Pure.
 */
#define STREAM_PIECES     8
#define STREAM_PIECE_SIZE 1460

struct capture_segment;

/* A segment that came before its time. */
struct capture_piece {
    uint32_t sequence;
    uint32_t wire_len;
    uint32_t len; /* Kept of it. */
    uint8_t bytes[STREAM_PIECE_SIZE];
};

struct capture_stream {
    bool is_started;
    bool has_ended;     /* A FIN has been seen. */
    bool is_acked_once; /* `acked` is known. */
    uint32_t next;      /* The sequence number that is awaited. */
    uint32_t end;       /* Past the last byte seen, holes or not. */
    uint32_t acked;     /* By the other side. */
    struct capture_piece pieces[STREAM_PIECES];
    size_t piece_count;
};

/* `len` bytes, and then `missing` that are not known. */
struct capture_sink {
    void (*take)(void *context, const uint8_t *bytes, uint32_t len, uint32_t missing);
    void *context;
};

enum capture_arrival {
    CAPTURE_EMPTY,     /* No payload. */
    CAPTURE_NEW,       /* In order. */
    CAPTURE_EARLY,     /* Something before it is missing. */
    CAPTURE_REPEATED,  /* All of it was seen before. */
    CAPTURE_KEEPALIVE, /* A probe of an idle or blocked connection. */
    CAPTURE_STRAY,     /* Nowhere near: another connection's, or nonsense. */
};

/* The first byte will have this number. */
void capture_stream_start(struct capture_stream *stream, uint32_t sequence);

enum capture_arrival capture_stream_add(struct capture_stream *stream,
    const struct capture_segment *segment, const struct capture_sink *sink);

/* The other side has everything before `sequence`: what is not here by now will not come. */
void capture_stream_acked(
    struct capture_stream *stream, uint32_t sequence, const struct capture_sink *sink);

/* Something was sent that the other side has not confirmed. */
bool capture_stream_is_unacked(const struct capture_stream *stream);
