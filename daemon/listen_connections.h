/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The clients that a TCP listener has let in (RFC 7766): several questions on one connection
 * without waiting, answers in any order, and a client that has closed its sending side still gets
 * what it asked for. Everything a stranger can use up has a limit, below and in the settings; a
 * connection that hits one is paused or closed, and counted. When connections run short, the one
 * goes first that has held its place longest without need: idle, with half a question, or with
 * answers that are not read.
 *
 * Nothing is freed inside an event of its own: a connection that has ended is marked, and reaped by
 * listen_connections_flush(). Owned by listen_tcp; the worker's thread.
 */
struct listen_connections;
struct address;
struct client;
struct daemon_stats;
struct ev_loop;
struct resolver;
struct settings;

#define LISTEN_CONNECTIONS_QUERY_MAX      4096        /* Bytes; no honest query is longer. */
#define LISTEN_CONNECTIONS_UNANSWERED_MAX 64          /* Then it reads no more until some are. */
#define LISTEN_CONNECTIONS_QUEUE_PAUSE    (64 << 10)  /* Bytes unsent; then it reads no more. */
#define LISTEN_CONNECTIONS_QUEUE_MAX      (256 << 10) /* Bytes unsent; then it is closed. */
#define LISTEN_CONNECTIONS_UNFINISHED_S   10          /* For a query that has begun to arrive. */
#define LISTEN_CONNECTIONS_UNREAD_S       10          /* For a client that reads no answers. */
#define LISTEN_CONNECTIONS_FRESH_MS       500         /* To ask, of who came before the end. */

struct listen_connections_options {
    struct ev_loop *loop;
    struct resolver *resolver;
    struct daemon_stats *stats;
    uint32_t count_max;
};

/* NULL when memory is short. listen_connections_set_idle() comes before the first client. */
struct listen_connections *listen_connections_new(const struct listen_connections_options *options);

/* Closes them all. */
void listen_connections_free(struct listen_connections **all);

/* How long nothing need be asked. */
void listen_connections_set_idle(struct listen_connections *all, int64_t idle_us);

/* Ends those who may ask no more, whatever they are owed. */
void listen_connections_sift(struct listen_connections *all, const struct settings *settings);

/* False: no room or no memory; the caller keeps the descriptor. */
bool listen_connections_open(struct listen_connections *all, int fd, const struct address *client);

/* Closes the longest inactive of the connections that hold their places without need, at once: its
 * place is wanted. One that is younger than `idle_us` may just be about to ask. */
void listen_connections_make_room(struct listen_connections *all, int64_t idle_us);

/* Reads what has arrived already. A client who has just connected may still ask once, within
 * LISTEN_CONNECTIONS_FRESH_MS. Answers still leave. */
void listen_connections_stop(struct listen_connections *all);

/* No client is owed anything. */
bool listen_connections_is_quiet(const struct listen_connections *all);

/* As port.deliver. */
void listen_connections_deliver(struct listen_connections *all, const struct client *client,
    const uint8_t *message, size_t len);

/* The end of a turn: writes what was queued, lets paused connections go on, reaps ended ones. */
void listen_connections_flush(struct listen_connections *all, int64_t now);
