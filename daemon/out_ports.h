/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/list.h"

/*
 * The UDP sockets to upstream: some for each server, each bound to a random port of its own and
 * connected to the server. A question is given one of its server's by lot, or, while there are
 * fewer than OUT_PORTS_PER_SERVER, a new one: so who asks little asks from a fresh port each time,
 * and who asks much pays for a socket every OUT_PORTS_USES_MAX questions.
 *
 * A forger who has found a port must not have it for long. A socket retires after so many uses, so
 * much time, so many strays, or an error: it is given to no further question, and closes when
 * nobody waits there any more. Its successor opens with the next question. A stray is a datagram
 * that is the reply to no question ever sent from there: late and repeated replies are none. When
 * many come while questions wait, the socket fails, so that whoever guesses has few guesses at
 * each port he finds, however long the true reply takes. SECURITY.md has the numbers.
 *
 * Owned by out_udp, which keeps who waits in `lines` and `waiting`. One worker's thread.
 */
struct ev_loop;
struct random;
struct daemon_stats;
struct out_ports;
struct out_peer;

#define OUT_PORTS_PER_SERVER  128
#define OUT_PORTS_USES_MAX    64
#define OUT_PORTS_STRAYS_MAX  8  /* No further question from there. */
#define OUT_PORTS_GUESSES_MAX 32 /* No further wait there. */
#define OUT_PORTS_AGE_S       10
#define OUT_PORTS_SERVERS_MAX 256

struct out_socket {
    uint64_t id;
    int fd;
    struct out_ports *ports;
    struct out_peer *peer;
    struct list age;   /* In ports->ages, unless it has retired. */
    struct list lines; /* Who waits here: out_udp's. */
    uint32_t waiting;
    uint32_t place; /* In peer->drawn, unless it has retired. */
    uint32_t uses;
    uint32_t strays;
    bool is_retired;
    bool has_failed;  /* The end is to be told to who waits here, from the loop. */
    bool is_attacked; /* That end: too many strays. */
    int64_t opened_at;
    uint16_t asked[OUT_PORTS_USES_MAX]; /* The ids of the latest `uses`, around and around. */
};

struct out_ports_options {
    struct ev_loop *loop;
    struct random *random;
    struct daemon_stats *stats;
    void *owner;
    void (*on_readable)(void *owner, struct out_socket *socket); /* Or it has failed. */
    uint32_t sockets_max;

    /* 0: the constants above. Tests shorten them. */
    uint32_t per_server;
    uint32_t uses_max;
    int64_t age_us;
};

/* NULL when memory is short. */
struct out_ports *out_ports_new(const struct out_ports_options *options);
void out_ports_free(struct out_ports **ports);

/* A socket for one question; NULL when none is to be had. `is_fresh`: a new one rather than one by
 * lot, if that can be. */
struct out_socket *out_ports_draw(
    struct out_ports *ports, const struct address *server, bool is_fresh);

/* No question is given this socket any more. It closes at once if nobody waits there. */
void out_ports_retire(struct out_socket *socket);

/* The same, and on_readable() comes for it from the loop, if somebody waits there. */
void out_ports_fail(struct out_socket *socket);

/* One waits more, for the reply with this id, which is a use. */
void out_ports_enter(struct out_socket *socket, uint16_t wire_id);

/* One waits less; the last one closes a retired socket. */
void out_ports_leave(struct out_socket *socket);

/* A datagram came with an id that nobody waits for. May close the socket. */
void out_ports_on_unawaited(struct out_socket *socket, uint16_t wire_id);

/* A datagram came that is no reply to anything. May close the socket. */
void out_ports_on_stray(struct out_socket *socket);

/* The socket, or NULL if it has closed. */
struct out_socket *out_ports_find(const struct out_ports *ports, uint64_t id);

/* Open sockets now. */
uint32_t out_ports_open(const struct out_ports *ports);
