/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/port.h"

/*
 * What the ways out to upstream (out_udp, out_stream) report to the worker that owns them. Called
 * from the event loop, never from inside a send: so the port's promise (resolver/port.h) holds.
 */
struct out_events {
    void *world;

    /* Bytes for an exchange. True: it was the reply, and the resolver has withdrawn the line or
     * will at once. False: not the reply; go on listening. */
    bool (*on_reply)(void *world, uint64_t exchange, const uint8_t *bytes, size_t len);

    /* The line is gone, and already closed on our side. */
    void (*on_lost)(void *world, uint64_t exchange, enum line_end end);
};
