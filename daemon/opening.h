/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "base/address.h"

/*
 * One listening socket, from what it is to be to what it is: options, address, and the operator's
 * sentence when it cannot be had. Main thread, at start.
 */
#define OPENING_BUFFER_BYTES (4 << 20) /* Asked for; the kernel may grant less. */

struct trouble;

struct opening {
    struct address address;
    bool is_stream;
    bool is_shared; /* Several sockets of one address: SO_REUSEPORT. */
    bool is_early;  /* Has been opened, but this host does not have the address yet. */
    int error;      /* errno of the step that failed. */
};

/* A bound, for TCP listening, non-blocking socket. An address that the host does not have is taken
 * all the same, but for loopback: what comes late, as a VLAN's or an IPv6 address at boot, is
 * served as soon as it is there. */
bool opening_open(struct opening *opening, int *fd_out);

/* Brings a socket that somebody else has opened to the same options. */
bool opening_adopt(struct opening *opening, int fd);

/* A stranger of the same user who shares his port too would silently get half of the questions; so
 * the port is tried without sharing first. */
bool opening_is_free(struct opening *opening);

/* Says why there is no socket, and what to do. */
void opening_explain(const struct opening *opening, struct trouble *trouble);

/* An IPv6 loopback address on a host without IPv6. */
bool opening_is_excusable(const struct opening *opening);
