/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/out.h"
#include "resolver/port.h"

/*
 * Questions to upstream over UDP: a socket of its own for each, bound to a random port and
 * connected to the server, so that the kernel discards what comes from elsewhere and reports
 * refusals (RFC 5452 sections 4 and 9.2). At most `sockets_max` are open at a time. One worker's
 * thread.
 */
struct out_udp;
struct ev_loop;
struct random;

struct out_udp_options {
    struct ev_loop *loop;
    struct random *random;
    struct out_events events;
    uint32_t sockets_max;
};

struct out_udp *out_udp_new(const struct out_udp_options *options);
void out_udp_free(struct out_udp **out_udp);

/* As port.transmit. */
bool out_udp_send(
    struct out_udp *out_udp, const struct transmission *transmission, uint64_t *line_out);

/* Closes the line; harmless when it has gone already. */
void out_udp_withdraw(struct out_udp *out_udp, uint64_t line);

/* Open sockets now. */
uint32_t out_udp_open(const struct out_udp *out_udp);
