/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/*
 * All that the resolver may ask of the world. The daemon implements it with sockets, the simulation
 * with a fake network. None of these functions may call back into the resolver: what they cause
 * arrives later, by resolver_on_reply() and resolver_on_line_lost().
 */

/* Who asked, as the listener names it. The resolver copies it and hands it back, no more. */
struct client {
    struct address address;
    uint64_t line;  /* The listener's: which socket or connection. */
    bool is_stream; /* TCP: answers may be long. */
};

struct settings_server;

struct transmission {
    uint64_t exchange;                    /* To be named in the reply. */
    const struct settings_server *server; /* Valid during the call. */
    bool is_stream;                       /* TCP (or TLS, by the server's settings); else UDP. */
    const uint8_t *message;               /* Valid during the call. */
    size_t len;
};

/* How a line ends before its reply. */
enum line_end {
    LINE_BROKEN,   /* Refused, reset, unreachable, closed. */
    LINE_GIVEN_UP, /* We left it, for somebody guesses replies there: no fault of the server's. */
};

struct port {
    void *world;

    /* Queues an answer for a client who had to wait. A client that has gone is no error. */
    void (*deliver)(void *world, const struct client *client, const uint8_t *message, size_t len);

    /* Sends a message upstream, by UDP from a port that nobody can predict (RFC 5452), and only its
     * id brings a reply back. False: it cannot be sent (no descriptor, no route); nothing will
     * come. `line_out` names its wait, until resolver_on_line_lost() or withdraw(). */
    bool (*transmit)(void *world, const struct transmission *transmission, uint64_t *line_out);

    /* The exchange is over: no reply on this line is wanted any more. `is_stream` as it was sent.
     */
    void (*withdraw)(void *world, uint64_t line, bool is_stream);
};
