/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"

/*
 * Listening sockets that the service manager hands to us at start (LISTEN_FDS, sd_listen_fds(3)):
 * those that the process before us left in its store, and those of a socket unit. What arrived
 * while nobody ran waits in them.
 *
 * A socket of ours is named PROTOCOL-INDEX-ADDRESS, such as "udp-0-127.0.0.1@53"; the colons of
 * IPv6 are written as underscores, for the manager allows none. Nothing is believed: each must be
 * what its name says, and what a listening socket of ours is; a stranger is closed, with a line in
 * the log. Owned by the daemon; main thread, before any other exists.
 */
struct notify;

#define INHERITED_MAX       1024 /* Descriptors that are looked at; the rest is closed. */
#define INHERITED_NAME_SIZE 112

struct inherited_socket {
    int fd; /* -1: taken, or closed. */
    struct address address;
    bool is_stream;
    bool is_stored; /* It comes from the store, by a name of ours; else from a socket unit. */
    bool is_new;    /* We have opened it ourselves. */
    unsigned index; /* Its place among those of its address and protocol. */
};

struct inherited {
    struct inherited_socket *sockets;
    size_t count;
    const struct notify *notify; /* Is told what it need not store any longer. */
};

/* Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, and takes them out of the environment. False:
 * memory is short. `notify` outlives it. */
bool inherited_init(struct inherited *inherited, const struct notify *notify);

/* Closes what nobody has taken. Zeroed input is well. */
void inherited_fini(struct inherited *inherited);

/* The first one by index that is bound to the address, or NULL. It is the caller's from here on: he
 * copies it and sets its `fd` to -1. */
struct inherited_socket *inherited_find(
    const struct inherited *inherited, const struct address *address, bool is_stream);

/* "udp-0-127.0.0.1@53", in INHERITED_NAME_SIZE bytes. */
void inherited_name(const struct inherited_socket *socket, char *name_out);
