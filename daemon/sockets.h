/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "conf/settings.h"

/*
 * The listening sockets of all workers. They are made by the main thread at start, while the
 * process may still be root, and never again: a group of sockets that share a port can only be
 * joined by the user who founded it. Concrete addresses are bound as they are; a wildcard makes
 * each datagram carry the address that was asked, so that the answer can leave from there.
 *
 * With several workers each has its own socket for each address, and the kernel picks one by the
 * query's id: a mail host has few clients, and the kernel's own choice (by address and port) would
 * give all of a client's questions to one worker. A repeated query meets the worker it met before.
 *
 * Owned by the daemon; the listeners only borrow the descriptors.
 */
struct trouble;

struct sockets {
    size_t worker_count;
    size_t listen_count;
    struct address listen[SETTINGS_LISTEN_MAX]; /* As bound: the port is filled in. */
    int *udp; /* [worker_count][SETTINGS_LISTEN_MAX], -1 where there is none. */
    int *tcp;
};

/* Opens all or nothing. An IPv6 loopback address is left out, with a warning, on a host that has no
 * IPv6. Port 0 lets the kernel choose one, the same for UDP and TCP. */
bool sockets_open(
    struct sockets *sockets, const struct settings *settings, struct trouble *trouble);
void sockets_fini(struct sockets *sockets);

/* The `listen_count` descriptors of one worker. */
const int *sockets_udp_of(const struct sockets *sockets, size_t worker);
const int *sockets_tcp_of(const struct sockets *sockets, size_t worker);
