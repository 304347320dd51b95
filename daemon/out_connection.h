/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One TCP or TLS connection to an upstream server, and what waits to be written to and read from
 * it. It moves whole messages and knows nothing of questions but how many replies it is owed.
 * Owned by out_stream; one thread.
 *
 *     CONNECTING ──► HANDSHAKE ──► OPEN ──► LOST
 *         └───── plain TCP ─────────▲        ▲
 *         └── failure, at any point ─────────┘
 *
 * A lost connection has closed its descriptor and only waits for out_connection_free().
 */
struct out_connection;
struct ev_loop;
struct log_limit;
struct settings_server;
struct tls_context;

enum out_connection_state {
    OUT_CONNECTION_CONNECTING,
    OUT_CONNECTION_HANDSHAKE,
    OUT_CONNECTION_OPEN,
    OUT_CONNECTION_LOST,
};

struct out_connection_options {
    struct ev_loop *loop;
    struct log_limit *limit_socket; /* The owner's, for out_log_socket(). */
    struct tls_context *tls;        /* NULL: plain TCP. */
    int64_t connect_us;             /* TCP and TLS handshakes together. */
    int64_t silence_us;             /* Without a message while replies are owed. */
    int64_t stall_us;               /* From a message's first byte to its last. */
    int64_t idle_us;                /* Without a reply owed. */

    void *owner;

    /* A whole message, from the loop. Returns how many replies the owner still waits for. The
     * connection must not be freed inside. */
    uint32_t (*on_message)(void *owner, const uint8_t *bytes, size_t len);

    /* The connection has become LOST; may come from inside out_connection_send(), and the
     * connection must not be freed inside. `tls_reason` is NULL unless the handshake has failed. */
    void (*on_lost)(void *owner, const char *tls_reason);
};

/* Connects in the background. NULL: the system refuses (a descriptor, memory, a route). */
struct out_connection *out_connection_new(
    const struct out_connection_options *options, const struct settings_server *server);
void out_connection_free(struct out_connection **connection);

/* It is not lost, and has room for a message of `len` bytes. */
bool out_connection_takes(const struct out_connection *connection, size_t len);

/* Writes or queues the message; the connection takes it. */
void out_connection_send(struct out_connection *connection, const uint8_t *message, size_t len);

/* It is inside on_message. */
bool out_connection_is_busy(const struct out_connection *connection);

enum out_connection_state out_connection_state(const struct out_connection *connection);
