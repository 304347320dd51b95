/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/sim_network.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/header.h"
#include "tests/support/world_answer.h"

/* ---- Events, in the order of their times ---- */

static void sim_event_add(struct sim *sim, const struct sim_event *event)
{
    if (sim->event_count == sim->event_capacity) {
        sim->event_capacity = sim->event_capacity == 0 ? 64 : 2 * sim->event_capacity;
        sim->events = realloc(sim->events, sim->event_capacity * sizeof *sim->events);
        must(sim->events != NULL);
    }
    sim->events[sim->event_count] = *event;
    sim->events[sim->event_count++].order = sim->order_next++;
}

static size_t sim_event_first(const struct sim *sim)
{
    size_t first = 0;
    for (size_t i = 1; i < sim->event_count; i++) {
        const struct sim_event *a = &sim->events[i];
        const struct sim_event *b = &sim->events[first];
        if (a->at < b->at || (a->at == b->at && a->order < b->order)) {
            first = i;
        }
    }
    return first;
}

int64_t sim_event_next(const struct sim *sim)
{
    return sim->event_count == 0 ? INT64_MAX : sim->events[sim_event_first(sim)].at;
}

void sim_event_run(struct sim *sim)
{
    size_t first = sim_event_first(sim);
    struct sim_event event = sim->events[first];
    sim->events[first] = sim->events[--sim->event_count];
    if (event.is_lost) {
        sim->lines_open--;
        resolver_on_line_lost(sim->resolver, event.exchange, sim->now);
    } else {
        sim_digest(sim, event.bytes, event.len);
        resolver_on_reply(sim->resolver, event.exchange, event.bytes, event.len, sim->now);
    }
    free(event.bytes);
}

/* ---- What a server sends ---- */

static void sim_reply_add(struct sim *sim, const struct transmission *transmission, int64_t delay,
    const uint8_t *bytes, size_t len)
{
    struct sim_event event = {.at = sim->now + delay,
        .exchange = transmission->exchange,
        .line = sim->line_next,
        .len = len};
    event.bytes = malloc(len);
    must(event.bytes != NULL);
    memcpy(event.bytes, bytes, len);
    sim_event_add(sim, &event);
}

static size_t sim_lie(struct sim *sim, enum sim_lie lie, uint8_t *bytes, size_t len, size_t at)
{
    switch (lie) {
    case SIM_LIE_NONE:
    case SIM_LIE_FIRST:
        return len;
    case SIM_LIE_ID:
        header_set_id(bytes, (uint16_t)(header_id(bytes) + 1));
        return len;
    case SIM_LIE_QUESTION:
        bytes[HEADER_SIZE + 1] ^= 0x01;
        return len;
    case SIM_LIE_QR:
        header_set_flags(bytes, (uint16_t)(header_flags(bytes) & ~HEADER_QR));
        return len;
    case SIM_LIE_GARBAGE:
        bytes_put_u16(bytes + 6, 7);
        random_bytes(&sim->random, bytes + at, 40);
        return at + 40;
    }
    must_never("a lie");
}

/* An error without records. */
static size_t sim_error(const struct world_query *query, unsigned rcode, uint8_t *bytes)
{
    struct writer writer = writer_of(bytes, 512);
    writer_take(&writer, HEADER_SIZE);
    question_write(&writer, &query->question);
    const uint16_t counts[4] = {1, 0, 0, 0};
    header_set_id(bytes, query->id);
    header_set_flags(bytes, (uint16_t)(HEADER_QR | HEADER_RA | rcode));
    header_set_counts(bytes, counts);
    return writer.len;
}

static size_t sim_compose(struct sim *sim, const struct sim_server *server,
    const struct world_query *query, bool is_stream, uint8_t *bytes)
{
    if (server->rcode >= 0) {
        return sim_error(query, (unsigned)server->rcode, bytes);
    }
    if (server->has_no_edns && query->has_edns) {
        return sim_error(query, RCODE_FORMERR, bytes);
    }
    if (server->is_truncating && !is_stream) {
        size_t len = sim_error(query, RCODE_NOERROR, bytes);
        header_set_flags(bytes, (uint16_t)(header_flags(bytes) | HEADER_TC));
        return len;
    }
    return world_answer_write(&sim->world, query, !is_stream, bytes, MESSAGE_SIZE_MAX);
}

static int64_t sim_delay(struct sim *sim, const struct sim_server *server, bool is_stream)
{
    int64_t delay = is_stream ? 2 * server->delay_us : server->delay_us;
    if (server->jitter_us > 0) {
        delay += random_below(&sim->random, (uint32_t)server->jitter_us);
    }
    return delay;
}

static bool sim_chance(struct sim *sim, unsigned percent)
{
    return percent > 0 && random_below(&sim->random, 100) < percent;
}

static void sim_serve(
    struct sim *sim, const struct sim_server *server, const struct transmission *transmission)
{
    struct world_query query;
    if (!world_query_read(transmission->message, transmission->len, &query)) {
        sim_fail("the resolver sent a message that is no query");
    }
    bool is_stream = transmission->is_stream;
    struct world_name name = {.len = query.question.name_len};
    memcpy(name.bytes, query.question.name, name.len);
    struct world_manner manner = world_manner_of(&sim->world, &name);
    if (server->is_silent || manner.is_dropped || sim_chance(sim, server->loss)) {
        return;
    }
    static uint8_t bytes[MESSAGE_SIZE_MAX];
    size_t len = sim_compose(sim, server, &query, is_stream, bytes);
    if (len == 0) {
        return;
    }
    int64_t delay = sim_delay(sim, server, is_stream) + manner.delay_ms * INT64_C(1000);
    if (server->lie == SIM_LIE_FIRST) {
        header_set_id(bytes, (uint16_t)(query.id + 1));
        sim_reply_add(sim, transmission, delay / 2, bytes, len);
        header_set_id(bytes, query.id);
    }
    size_t records_at = HEADER_SIZE + query.question.name_len + 4u;
    len = sim_lie(sim, server->lie, bytes, len, records_at);
    sim_reply_add(sim, transmission, delay, bytes, len);
    if (sim_chance(sim, server->duplicates)) {
        sim_reply_add(sim, transmission, delay + 1000, bytes, len);
    }
}

/* ---- The port ---- */

static bool sim_transmit(void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct sim *sim = world;
    struct sim_server *server = sim_server_at(sim, &transmission->server->address);
    sim_digest(sim, transmission->message, transmission->len);
    server->asked++;
    server->asked_stream += transmission->is_stream ? 1 : 0;
    sim->line_next++;
    sim->lines_open++;
    *line_out = sim->line_next;
    if (server->is_refusing || (transmission->is_stream && server->has_no_tcp)) {
        struct sim_event event = {.at = sim->now + 100,
            .exchange = transmission->exchange,
            .line = sim->line_next,
            .is_lost = true};
        sim_event_add(sim, &event);
    } else {
        sim_serve(sim, server, transmission);
    }
    return true;
}

static void sim_withdraw(void *world, uint64_t line, bool is_stream)
{
    struct sim *sim = world;
    (void)is_stream;
    sim->lines_open--;
    for (size_t i = 0; i < sim->event_count;) {
        if (sim->events[i].line == line) {
            free(sim->events[i].bytes);
            sim->events[i] = sim->events[--sim->event_count];
        } else {
            i++;
        }
    }
}

static void sim_deliver(
    void *world, const struct client *client, const uint8_t *message, size_t len)
{
    struct sim *sim = world;
    sim_client_take(sim, client->line, message, len);
}

struct port sim_port(struct sim *sim)
{
    return (struct port){
        .world = sim, .deliver = sim_deliver, .transmit = sim_transmit, .withdraw = sim_withdraw};
}
