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
 * A group is all sockets of one address and protocol, in the order in which they were bound. What
 * the process before us has left (daemon/inherited.h) is taken over first, all of it: a socket of
 * which there are more than workers may hold questions, and its worker reads several. Where a group
 * cannot be joined, for it belongs to another user, the workers read the same sockets.
 *
 * Owned by the daemon; the listeners only borrow the descriptors.
 */
struct inherited;
struct notify;
struct trouble;

/* What one worker reads: for each descriptor what it is bound to. */
struct worker_sockets {
    int *udp;
    struct address *udp_addresses;
    size_t udp_count;
    int *tcp;
    size_t tcp_count;
};

struct sockets {
    size_t worker_count;
    size_t listen_count;
    size_t present_count;                       /* Of these, how many the host has by now. */
    struct address listen[SETTINGS_LISTEN_MAX]; /* As bound: the port is filled in. */
    struct inherited_socket *all;               /* Each one once, group by group. */
    size_t count;
    size_t taken_count; /* Of these, how many the process before us has left. */
    struct worker_sockets *of_worker;
};

/* Opens all or nothing. An IPv6 loopback address is left out, with a warning, on a host that has no
 * IPv6. Another address that the host does not have yet is warned of, too, and served as soon as it
 * is there; all of them missing is an error, for then nobody could ask. Port 0 lets the kernel
 * choose one, the same for UDP and TCP. `inherited` may be NULL. */
bool sockets_open(struct sockets *sockets, const struct settings *settings,
    const struct inherited *inherited, struct trouble *trouble);

/* The same with what the manager hands to this process; what is no longer wanted of that is closed.
 */
bool sockets_take_over(struct sockets *sockets, const struct settings *settings,
    const struct notify *notify, struct trouble *trouble);
void sockets_fini(struct sockets *sockets);

/* Has the manager keep those that it does not keep already. */
void sockets_keep(const struct sockets *sockets, const struct notify *notify);

const struct worker_sockets *sockets_of(const struct sockets *sockets, size_t worker);
