/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "doctor/host.h"

/*
 * The sockets that wait for peers: TCP ones that listen and UDP ones that are bound, of both
 * families, from /proc/net below the root. Who holds one is found in the descriptors of all
 * processes, which only root may see. Bounded: NET_SOCKETS_MAX sockets. Main thread.
 */
#define NET_SOCKETS_MAX     2048
#define NET_OWNER_NAME_SIZE 32

enum net_protocol {
    NET_TCP,
    NET_UDP,
};

struct net_socket {
    enum net_protocol protocol;
    struct address local; /* IPv4-mapped addresses are IPv4. 0.0.0.0 or ::, all addresses. */
    uint64_t inode;
    unsigned uid;
};

struct net_sockets {
    enum host_verdict verdict; /* HOST_READ: the tables could be read. */
    struct net_socket *items;  /* Owned. */
    size_t count;
    bool is_cut;
};

void net_sockets_read(struct net_sockets *sockets, const struct host *host);
void net_sockets_fini(struct net_sockets *sockets);

/* The next socket with that port behind *at_inout (start with 0), or NULL. */
const struct net_socket *net_sockets_next(
    const struct net_sockets *sockets, enum net_protocol protocol, uint16_t port, size_t *at_inout);

/* Is one of them reachable from another host? */
bool net_sockets_reach_out(
    const struct net_sockets *sockets, enum net_protocol protocol, uint16_t port);

struct net_owner {
    long pid;
    char name[NET_OWNER_NAME_SIZE]; /* The comm of the process, as it calls itself. */
};

/* The process with the lowest number that holds the socket. False: none is to be seen. */
bool net_socket_owner(
    const struct host *host, const struct net_socket *socket, struct net_owner *owner_out);
