/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/relief.h"

#include <inttypes.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <ev.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/events.h"
#include "daemon/flooders.h"
#include "daemon/pressure.h"
#include "daemon/shut_out.h"
#include "daemon/stats.h"

struct relief {
    struct relief_options options;
    struct pressure pressure;
    struct flooders flooders;
    ev_timer readmit;
    bool is_shutting_out;
    uint32_t drops_before; /* The kernel's count of drops when the socket became ours. */
    uint32_t drops_at;     /* The same when the shutting out began. */
    uint64_t shut_out;     /* Datagrams dropped so, before that. */
    int64_t told_at;       /* When the log was told; 0: never. */
};

_Static_assert(FLOODERS_PLACES <= SHUT_OUT_MAX, "whoever is found can be shut out");

/* Zeros where the kernel does not tell. */
static void relief_ask_kernel(const struct relief *relief, uint32_t values_out[SK_MEMINFO_VARS])
{
    socklen_t len = SK_MEMINFO_VARS * sizeof *values_out;
    for (unsigned i = 0; i < SK_MEMINFO_VARS; i++) {
        values_out[i] = 0;
    }
    (void)getsockopt(relief->options.fd, SOL_SOCKET, SO_MEMINFO, values_out, &len);
}

static uint32_t relief_drops(const struct relief *relief)
{
    uint32_t values[SK_MEMINFO_VARS];
    relief_ask_kernel(relief, values);
    return values[SK_MEMINFO_DROPS];
}

bool relief_is_shutting_out(const struct relief *relief)
{
    return relief->is_shutting_out;
}

/* Of those that were shut out; the subtraction is right when the kernel's count turns over. */
static uint64_t relief_shut_out(const struct relief *relief)
{
    uint32_t now = relief_is_shutting_out(relief) ? relief_drops(relief) - relief->drops_at : 0;
    return relief->shut_out + now;
}

static void relief_on_readmit(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct relief *relief = timer->data;
    (void)events;
    uint64_t before = relief->shut_out;
    relief->shut_out = relief_shut_out(relief);
    counter_add(&relief->options.stats->udp_shut_out, relief->shut_out - before);
    relief->is_shutting_out = false;
    ev_timer_stop(loop, timer);
    shut_out_clear(relief->options.fd);
}

struct relief *relief_new(const struct relief_options *options)
{
    struct relief *relief = calloc(1, sizeof *relief);
    if (relief == NULL) {
        return NULL;
    }
    relief->options = *options;
    if (relief->options.shut_out_us == 0) {
        relief->options.shut_out_us = RELIEF_SHUT_OUT_US;
    }
    ev_init(&relief->readmit, relief_on_readmit);
    relief->readmit.data = relief;
    shut_out_clear(options->fd); /* Of the process before us, if it ended in a flood. */
    relief->drops_before = relief_drops(relief);
    return relief;
}

void relief_end(struct relief *relief)
{
    if (relief_is_shutting_out(relief)) {
        relief_on_readmit(relief->options.loop, &relief->readmit, 0);
    }
}

void relief_free(struct relief **relief)
{
    if (*relief != NULL) {
        relief_end(*relief);
        free(*relief);
        *relief = NULL;
    }
}

/* More than half of the receive buffer is taken: what keeps it full is not just waiting for us. */
static bool relief_is_crowded(const struct relief *relief)
{
    uint32_t values[SK_MEMINFO_VARS];
    relief_ask_kernel(relief, values);
    return values[SK_MEMINFO_RMEM_ALLOC] > values[SK_MEMINFO_RCVBUF] / 2;
}

bool relief_on_read(struct relief *relief, bool is_empty, int64_t now)
{
    switch (pressure_on_read(&relief->pressure, is_empty, now)) {
    case PRESSURE_NONE:
        break;
    case PRESSURE_SUSPECTED:
        if (relief_is_crowded(relief)) {
            pressure_raise(&relief->pressure, now);
            flooders_reset(&relief->flooders);
            return true;
        }
        break;
    case PRESSURE_HIGH:
        return true;
    }
    if (is_empty) {
        flooders_reset(&relief->flooders);
    }
    return false;
}

static void relief_tell(
    struct relief *relief, const struct address *sources, size_t count, int64_t now)
{
    char text[ADDRESS_TEXT_SIZE];
    if (relief->told_at != 0 && now - relief->told_at < RELIEF_TOLD_US) {
        return;
    }
    relief->told_at = now;
    for (size_t i = 0; i < count; i++) {
        (void)address_format(&sources[i], text, sizeof text);
        log_event(
            &event_flood, "source=%s for=%ds", text, (int)(RELIEF_SHUT_OUT_US / CLOCK_US_PER_S));
    }
}

void relief_note(struct relief *relief, const struct address *source, int64_t now)
{
    struct address sources[FLOODERS_PLACES];
    if (!flooders_note(&relief->flooders, source)) {
        return;
    }
    size_t count = flooders_take(&relief->flooders, sources);
    if (count == 0 || relief_is_shutting_out(relief) || !relief_is_crowded(relief)) {
        return;
    }
    relief->drops_at = relief_drops(relief);
    if (shut_out_set(relief->options.fd, sources, count)) {
        ev_timer_set(&relief->readmit, (double)relief->options.shut_out_us / CLOCK_US_PER_S, 0.0);
        ev_timer_start(relief->options.loop, &relief->readmit);
        relief->is_shutting_out = true;
        pressure_raise(&relief->pressure, now); /* It is not over when there is nothing to see. */
        relief_tell(relief, sources, count, now);
    }
}

/* The kernel's count comes last, and cannot be the smaller one; it may have turned over. */
uint64_t relief_lost(const struct relief *relief)
{
    uint32_t others = relief->drops_before + (uint32_t)relief_shut_out(relief);
    return relief_drops(relief) - others;
}
