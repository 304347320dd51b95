/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/out.h"
#include "resolver/port.h"

/*
 * Questions to upstream over UDP, each from a port drawn by lot (daemon/out_ports.h). Several may
 * wait at one socket; their replies are told apart by the id on the wire, so no two that wait at
 * one socket have the same: whatever a forger sends can only be one question's reply (RFC 5452).
 * What carries an id that nobody waits for is dropped and counted. One worker's thread.
 */
struct out_udp;
struct ev_loop;
struct random;
struct daemon_stats;

struct out_udp_options {
    struct ev_loop *loop;
    struct random *random;
    struct daemon_stats *stats;
    struct out_events events;
    uint32_t questions_max; /* That wait at a time. */
    uint32_t sockets_max;

    /* 0: the constants of daemon/out_ports.h. Tests shorten them. */
    uint32_t per_server;
    uint32_t uses_max;
    int64_t age_us;
};

struct out_udp *out_udp_new(const struct out_udp_options *options);
void out_udp_free(struct out_udp **out_udp);

/* As port.transmit. False also when the id is taken at every socket that was tried. */
bool out_udp_send(
    struct out_udp *out_udp, const struct transmission *transmission, uint64_t *line_out);

/* Nobody waits for this reply any more; harmless when the line has gone already. */
void out_udp_withdraw(struct out_udp *out_udp, uint64_t line);

/* Open sockets now. */
uint32_t out_udp_open(const struct out_udp *out_udp);

/* Questions that wait now. */
uint32_t out_udp_waiting(const struct out_udp *out_udp);
