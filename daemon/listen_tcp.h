/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Clients over TCP: lets them in, as far as the settings allow, and rests when descriptors have run
 * out. What becomes of a client then is in daemon/listen_connections.h; what has ended there is
 * reaped by listen_tcp_flush(), which the worker calls at the end of each turn.
 *
 * The descriptors of the listening sockets are borrowed; everything else belongs to one worker, in
 * its thread.
 */
struct listen_tcp;
struct ev_loop;
struct settings;
struct resolver;
struct client;
struct daemon_stats;

#define LISTEN_TCP_ACCEPTS_MAX 16  /* A turn and socket. */
#define LISTEN_TCP_REST_S      0.1 /* After running out of descriptors. */

struct listen_tcp_options {
    struct ev_loop *loop;
    const struct settings *settings; /* Kept until listen_tcp_set_settings(). */
    struct resolver *resolver;
    struct daemon_stats *stats;
    const int *fds;
    size_t count;
};

/* NULL when memory is short. Accepts from now on, at most settings->tcp_clients_max at a time. */
struct listen_tcp *listen_tcp_new(const struct listen_tcp_options *options);

/* Closes all connections. */
void listen_tcp_free(struct listen_tcp **listen_tcp);

/* Who is allowed no longer is closed: a datagram would not be answered either. */
void listen_tcp_set_settings(struct listen_tcp *listen_tcp, const struct settings *settings);

/* Accepts no more; what has arrived already is read and answered. */
void listen_tcp_stop(struct listen_tcp *listen_tcp);

/* No client is owed anything. */
bool listen_tcp_is_quiet(const struct listen_tcp *listen_tcp);

/* As port.deliver. */
void listen_tcp_deliver(
    struct listen_tcp *listen_tcp, const struct client *client, const uint8_t *message, size_t len);

/* The end of a turn: writes what was queued, lets paused connections go on, reaps ended ones. */
void listen_tcp_flush(struct listen_tcp *listen_tcp, int64_t now);
