/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "wire/types.h"
#include "doctor/ask_flight.h"

/* A run of a batch. */
struct ask_run {
    struct ask_batch *batch;
    struct random *random;
    int64_t ends_at;
    size_t left; /* Without a verdict. */
    struct ask_flight flights[ASK_FLIGHTS_MAX];
    struct ask_room room;
};

void ask_batch_init(struct ask_batch *batch, size_t room)
{
    *batch = (struct ask_batch){.room = room};
    batch->asks = calloc(room > 0 ? room : 1, sizeof batch->asks[0]);
    must(batch->asks != NULL);
}

void ask_batch_fini(struct ask_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        free(batch->asks[i].stored);
    }
    free(batch->asks);
    *batch = (struct ask_batch){.asks = NULL};
}

struct ask *ask_batch_add_name(struct ask_batch *batch, const struct address *server,
    const uint8_t *name, size_t name_len, uint16_t type)
{
    if (batch->count == batch->room) {
        batch->dropped++;
        return NULL;
    }
    struct ask *ask = &batch->asks[batch->count++];
    ask->server = *server;
    memcpy(ask->question.name, name, name_len);
    ask->question.name_len = (uint8_t)name_len;
    ask->question.type = type;
    ask->question.class = CLASS_IN;
    ask->form = (struct ask_form){.has_edns = true};
    ask->way = ASK_BY_UDP;
    ask->limit_us = ASK_LIMIT_US;
    return ask;
}

struct ask *ask_batch_add(
    struct ask_batch *batch, const struct address *server, const char *name, uint16_t type)
{
    uint8_t wire[NAME_SIZE_MAX];
    size_t len;
    if (!name_from_text(name, strlen(name), wire, &len)) {
        return NULL;
    }
    return ask_batch_add_name(batch, server, wire, len, type);
}

static bool run_may_ask(const struct ask_run *run, const struct ask *ask)
{
    size_t at_server = 0;
    if (ask->after != NULL && !ask->after->is_done) {
        return false;
    }
    for (size_t i = 0; i < ASK_FLIGHTS_MAX; i++) {
        const struct ask *other = run->flights[i].ask;
        at_server += other != NULL && address_equal(&other->server, &ask->server);
    }
    return at_server < ASK_SERVER_MAX;
}

static bool run_is_asking(const struct ask_run *run, const struct ask *ask)
{
    for (size_t i = 0; i < ASK_FLIGHTS_MAX; i++) {
        if (run->flights[i].ask == ask) {
            return true;
        }
    }
    return false;
}

/* The first question that is not under way and may be; NULL: none. */
static struct ask *run_next(struct ask_run *run)
{
    for (size_t i = 0; i < run->batch->count; i++) {
        struct ask *ask = &run->batch->asks[i];
        if (!ask->is_done && !run_is_asking(run, ask) && run_may_ask(run, ask)) {
            return ask;
        }
    }
    return NULL;
}

static void run_count(struct ask_run *run, const struct ask *ask)
{
    run->left -= ask->is_done;
}

static void run_start(struct ask_run *run)
{
    for (size_t i = 0; i < ASK_FLIGHTS_MAX; i++) {
        struct ask_flight *flight = &run->flights[i];
        while (flight->ask == NULL) {
            struct ask *ask = run_next(run);
            if (ask == NULL) {
                return;
            }
            ask_flight_start(flight, ask, run->random, clock_now());
            run_count(run, ask);
        }
    }
}

static int64_t flight_next_at(const struct ask_flight *flight)
{
    return flight->resend_at < flight->ends_at ? flight->resend_at : flight->ends_at;
}

/* Waits until something comes or is due. */
static void run_wait(const struct ask_run *run, struct pollfd polls[ASK_FLIGHTS_MAX])
{
    int64_t next_at = run->ends_at;
    for (size_t i = 0; i < ASK_FLIGHTS_MAX; i++) {
        const struct ask_flight *flight = &run->flights[i];
        bool is_used = flight->ask != NULL;
        polls[i] = (struct pollfd){.fd = is_used ? flight->fd : -1, .events = flight->events};
        if (is_used && flight_next_at(flight) < next_at) {
            next_at = flight_next_at(flight);
        }
    }
    int64_t wait_us = next_at - clock_now();
    int wait_ms = wait_us > 0 ? (int)(wait_us / CLOCK_US_PER_MS) + 1 : 0;
    if (poll(polls, ASK_FLIGHTS_MAX, wait_ms) < 0) {
        must(errno == EINTR);
        memset(polls, 0, ASK_FLIGHTS_MAX * sizeof polls[0]);
    }
}

static void run_turn(struct ask_run *run)
{
    struct pollfd polls[ASK_FLIGHTS_MAX];
    run_wait(run, polls);
    int64_t now = clock_now();
    for (size_t i = 0; i < ASK_FLIGHTS_MAX; i++) {
        struct ask_flight *flight = &run->flights[i];
        const struct ask *ask = flight->ask;
        if (ask == NULL) {
            continue;
        }
        if (polls[i].revents != 0) {
            ask_flight_on_ready(flight, &run->room, now);
        }
        if (flight->ask != NULL) {
            ask_flight_on_time(flight, now);
        }
        run_count(run, ask);
    }
}

static void run_abandon(struct ask_run *run)
{
    for (size_t i = 0; i < ASK_FLIGHTS_MAX; i++) {
        if (run->flights[i].ask != NULL) {
            ask_flight_abandon(&run->flights[i]);
        }
    }
    for (size_t i = 0; i < run->batch->count; i++) {
        run->batch->asks[i].is_done = true;
    }
}

void ask_batch_run(struct ask_batch *batch, struct random *random, int64_t limit_us)
{
    struct ask_run *run = calloc(1, sizeof *run);
    must(run != NULL);
    run->batch = batch;
    run->random = random;
    run->ends_at = clock_now() + limit_us;
    run->left = batch->count;
    run_start(run);
    while (run->left > 0 && clock_now() < run->ends_at) {
        run_turn(run);
        run_start(run);
    }
    run_abandon(run);
    free(run);
}

bool ask_is_answered(const struct ask *ask)
{
    return ask->verdict == ASK_ANSWER || ask->verdict == ASK_NODATA || ask->verdict == ASK_NXDOMAIN;
}

bool ask_is_replied(const struct ask *ask)
{
    return ask->verdict != ASK_UNASKED && ask->verdict != ASK_SILENT && ask->verdict != ASK_BROKEN;
}

/* Why no connection or datagram got through, in words for which nobody must know errno. */
static const char *error_clause(const struct ask *ask)
{
    switch (ask->error) {
    case ECONNREFUSED:
        return ask->is_stream ? "refuses TCP connections" : "has nothing listening there";
    case ENETUNREACH:
    case EHOSTUNREACH:
        return "cannot be reached from here (no route)";
    case EACCES:
    case EPERM:
        return "is not let through by this host's own firewall";
    case ECONNRESET:
        return "closes the connection without an answer";
    default:
        return NULL;
    }
}

static void clause_write(const struct ask *ask, struct text *text)
{
    char rcode[TYPE_TEXT_SIZE];
    switch (ask->verdict) {
    case ASK_UNASKED:
        text_add(text, "was not asked to the end, for time was up");
        return;
    case ASK_ANSWER:
    case ASK_NODATA:
    case ASK_NXDOMAIN:
        text_add(text, "answers in ");
        text_add_latency(text, (uint64_t)ask->round_trip_us);
        return;
    case ASK_CUT:
        text_add(text, "answers that the reply is too long for UDP");
        return;
    case ASK_FAILED:
        text_addf(text, "answers %s", rcode_to_text(ask->rcode, rcode));
        return;
    case ASK_LAME:
        text_add(text, "does not look names up for others");
        return;
    case ASK_GARBLED:
        text_add(text, "answers what cannot be read");
        return;
    case ASK_SILENT:
        text_addf(text, "does not answer %swithin ", ask->is_stream ? "by TCP " : "");
        text_add_latency(text, (uint64_t)ask->limit_us);
        return;
    case ASK_BROKEN:
        if (error_clause(ask) != NULL) {
            text_add(text, error_clause(ask));
            return;
        }
        text_addf(text, "cannot be asked (%s)", strerror(ask->error));
        return;
    }
}

const char *ask_clause(const struct ask *ask, char clause_out[ASK_CLAUSE_SIZE])
{
    struct text text;
    text_init(&text, clause_out, ASK_CLAUSE_SIZE);
    clause_write(ask, &text);
    return clause_out;
}
