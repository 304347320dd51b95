/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * One UDP socket to an upstream server: bound to a random port, so that a forger has to guess it,
 * and connected, so that the kernel discards what comes from elsewhere and reports refusals
 * (RFC 5452 sections 4.5 and 9.2). Any thread.
 */
struct address;
struct random;

/* The descriptor, or -1 and errno. The caller closes it. */
int out_socket_open(struct random *random, const struct address *server);
