/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/out.h"
#include "resolver/port.h"

/*
 * Questions to upstream over TCP, or TLS where the server has a TLS name or pins (RFC 7766, RFC
 * 7858): few long-lived connections a server, pipelined, replies in any order. Replies are told
 * apart by the id on the wire, so no two questions with one id share a connection. A connection
 * that stays silent past its limit is closed, and every exchange on it reported lost. One worker's
 * thread.
 */
struct out_stream;
struct ev_loop;

#define OUT_STREAM_PER_SERVER_MAX 4
#define OUT_STREAM_PIPELINE_MAX   64 /* Questions in flight on one connection. */
#define OUT_STREAM_CONNECT_S      3  /* The TLS handshake included. */
#define OUT_STREAM_SILENCE_S      5  /* Without any message while questions are in flight. */
#define OUT_STREAM_STALL_S        2  /* From the first byte of a message to its last. */
#define OUT_STREAM_IDLE_S         10

struct out_stream_options {
    struct ev_loop *loop;
    struct out_events events;
    uint32_t connections_max;
    uint32_t exchanges_max;

    /* 0: the constants above. Tests shorten them. */
    int64_t connect_us;
    int64_t silence_us;
    int64_t stall_us;
    int64_t idle_us;
};

struct out_stream *out_stream_new(const struct out_stream_options *options);
void out_stream_free(struct out_stream **out_stream);

/* As port.transmit; connects in the background. False: no way to send it now (no descriptor, no
 * route, all connections to this server full). A connection that turns out to be dead during the
 * call is reported by on_lost, from the loop, as one that dies later. */
bool out_stream_send(
    struct out_stream *out_stream, const struct transmission *transmission, uint64_t *line_out);

/* Forgets the exchange; the connection stays for others. Harmless when it has gone already. */
void out_stream_withdraw(struct out_stream *out_stream, uint64_t line);

/* Open connections now. */
uint32_t out_stream_open(const struct out_stream *out_stream);
