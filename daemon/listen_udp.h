/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/*
 * Clients over UDP. A turn reads a batch of datagrams, asks the resolver about each, and sends what
 * can be answered at once as a batch: no allocation, no callback, one clock read. Answers to
 * questions that had to wait are gathered by listen_udp_deliver() and leave as a batch too, from
 * the sockets they came to, in their order, by the end of the turn.
 * The descriptors are borrowed; everything else belongs to one worker, in its thread.
 */
struct listen_udp;
struct ev_loop;
struct settings;
struct resolver;
struct client;
struct daemon_stats;

#define LISTEN_UDP_BATCH       64   /* Datagrams a system call. */
#define LISTEN_UDP_BATCHES_MAX 4    /* A turn and socket; then others have their turn. */
#define LISTEN_UDP_QUERY_MAX   4096 /* Bytes; no honest query is longer. */

struct listen_udp_options {
    struct ev_loop *loop;
    const struct settings *settings; /* Kept until listen_udp_set_settings(). */
    struct resolver *resolver;
    struct daemon_stats *stats;
    const struct address *addresses; /* What the sockets are bound to; a wildcard is told by it. */
    const int *fds;                  /* Several may be bound to one address. */
    size_t count;
};

/* NULL when memory is short. Reads from now on. */
struct listen_udp *listen_udp_new(const struct listen_udp_options *options);
void listen_udp_free(struct listen_udp **listen_udp);

/* Brings the count of datagrams that the kernel dropped up to date. */
void listen_udp_note_lost(struct listen_udp *listen_udp);

void listen_udp_set_settings(struct listen_udp *listen_udp, const struct settings *settings);

/* Takes what the kernel has queued already, then reads no more. Answers still leave. */
void listen_udp_stop(struct listen_udp *listen_udp);

/* As port.deliver. The answer leaves with listen_udp_flush(), or before when there is no room. */
void listen_udp_deliver(
    struct listen_udp *listen_udp, const struct client *client, const uint8_t *message, size_t len);
void listen_udp_flush(struct listen_udp *listen_udp);
