/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Clients over TCP (RFC 7766): several questions on one connection without waiting, answers in any
 * order, and a client that has closed its sending side still gets what it asked for. Everything a
 * stranger can use up has a limit, below and in the settings; a connection that hits one is paused
 * or closed, and counted. When connections run short, the one goes first that has held its place
 * longest without need: idle, with half a question, or with answers that are not read.
 *
 * Nothing is freed inside an event: a connection that has ended is marked, and reaped by
 * listen_tcp_flush(), which the worker calls at the end of each turn. The descriptors of the
 * listening sockets are borrowed; everything else belongs to one worker, in its thread.
 */
struct listen_tcp;
struct ev_loop;
struct settings;
struct resolver;
struct client;
struct daemon_stats;

#define LISTEN_TCP_QUERY_MAX      4096        /* Bytes; no honest query is longer. */
#define LISTEN_TCP_UNANSWERED_MAX 64          /* Then it reads no more until some are answered. */
#define LISTEN_TCP_QUEUE_PAUSE    (64 << 10)  /* Bytes unsent; then it reads no more. */
#define LISTEN_TCP_QUEUE_MAX      (256 << 10) /* Bytes unsent; then it is closed. */
#define LISTEN_TCP_UNFINISHED_S   10          /* For a query that has begun to arrive. */
#define LISTEN_TCP_UNREAD_S       10          /* For a client that reads no answers. */
#define LISTEN_TCP_ACCEPTS_MAX    16          /* A turn and socket. */
#define LISTEN_TCP_REST_S         0.1         /* After running out of descriptors. */
#define LISTEN_TCP_FRESH_MS       500         /* To ask, of a client who came before the end. */

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

void listen_tcp_set_settings(struct listen_tcp *listen_tcp, const struct settings *settings);

/* Accepts no more, and reads what has arrived already. A client who has just connected may still
 * ask once, within LISTEN_TCP_FRESH_MS. Answers still leave. */
void listen_tcp_stop(struct listen_tcp *listen_tcp);

/* No client is owed anything. */
bool listen_tcp_is_quiet(const struct listen_tcp *listen_tcp);

/* As port.deliver. */
void listen_tcp_deliver(
    struct listen_tcp *listen_tcp, const struct client *client, const uint8_t *message, size_t len);

/* The end of a turn: writes what was queued, lets paused connections go on, reaps ended ones. */
void listen_tcp_flush(struct listen_tcp *listen_tcp, int64_t now);
