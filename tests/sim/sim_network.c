/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/sim_network.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/header.h"

/* ---- Events, in the order of their times ---- */

static struct sim_event *sim_event_add(struct sim *sim, int64_t at, enum sim_event_kind kind)
{
    if (sim->event_count == sim->event_capacity) {
        sim->event_capacity = sim->event_capacity == 0 ? 64 : 2 * sim->event_capacity;
        sim->events = realloc(sim->events, sim->event_capacity * sizeof *sim->events);
        must(sim->events != NULL);
    }
    struct sim_event *event = &sim->events[sim->event_count++];
    *event = (struct sim_event){.at = at, .kind = kind, .order = sim->order_next++};
    return event;
}

static void sim_event_remove(struct sim *sim, size_t index)
{
    free(sim->events[index].bytes);
    sim->events[index] = sim->events[--sim->event_count];
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

static void sim_loop_ask(struct sim *sim, const struct sim_event *event)
{
    struct sim_asker asker = {
        .kind = SIM_ASKER_LOOP, .exchange = event->exchange, .line = event->line};
    sim->has_loops = true;
    sim_ask_as(sim, event->bytes, event->len, false, &asker);
}

void sim_event_run(struct sim *sim)
{
    size_t first = sim_event_first(sim);
    struct sim_event event = sim->events[first];
    sim->events[first] = sim->events[--sim->event_count];
    switch (event.kind) {
    case SIM_EVENT_REPLY:
        sim_digest(sim, event.bytes, event.len);
        resolver_on_reply(sim->resolver, event.exchange, event.bytes, event.len, sim->now);
        break;
    case SIM_EVENT_LOST:
        sim->lines_open--;
        resolver_on_line_lost(sim->resolver, event.exchange, LINE_BROKEN, sim->now);
        break;
    case SIM_EVENT_LOOP:
        sim_loop_ask(sim, &event);
        break;
    case SIM_EVENT_CALL:
        sim_call_run(sim, event.caller, event.subject, event.serial);
        break;
    }
    free(event.bytes);
}

void sim_events_sleep(struct sim *sim, int64_t end, int64_t duration_us)
{
    for (size_t i = 0; i < sim->event_count;) {
        struct sim_event *event = &sim->events[i];
        bool is_datagram = event->kind == SIM_EVENT_REPLY || event->kind == SIM_EVENT_LOOP;
        if (is_datagram && event->at <= end) {
            sim_event_remove(sim, i);
            continue;
        }
        event->at += event->kind == SIM_EVENT_CALL ? duration_us : 0;
        i++;
    }
}

/* ---- What is added to them ---- */

static void event_bytes_set(struct sim_event *event, const uint8_t *bytes, size_t len)
{
    event->bytes = malloc(len);
    must(event->bytes != NULL);
    memcpy(event->bytes, bytes, len);
    event->len = len;
}

void sim_reply_add(struct sim *sim, const struct transmission *transmission, int64_t delay,
    const uint8_t *bytes, size_t len)
{
    struct sim_event *event = sim_event_add(sim, sim->now + delay, SIM_EVENT_REPLY);
    event->exchange = transmission->exchange;
    event->line = sim->line_next;
    event_bytes_set(event, bytes, len);
}

void sim_reply_astray(struct sim *sim, const struct transmission *transmission, int64_t delay,
    const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < sim->event_count; i++) {
        if (sim->events[i].kind == SIM_EVENT_REPLY && sim->events[i].line != sim->line_next) {
            struct transmission other = *transmission;
            other.exchange = sim->events[i].exchange;
            sim_reply_add(sim, &other, delay, bytes, len);
            sim->events[sim->event_count - 1].line = sim->events[i].line;
            return;
        }
    }
}

void sim_line_lose(struct sim *sim, const struct transmission *transmission, int64_t delay)
{
    struct sim_event *event = sim_event_add(sim, sim->now + delay, SIM_EVENT_LOST);
    event->exchange = transmission->exchange;
    event->line = sim->line_next;
}

void sim_call_add(
    struct sim *sim, int64_t at, enum sim_asker_kind kind, size_t subject, unsigned serial)
{
    struct sim_event *event = sim_event_add(sim, at, SIM_EVENT_CALL);
    event->caller = kind;
    event->subject = subject;
    event->serial = serial;
}

/* ---- Loops: a server that asks whom it is to answer ---- */

void sim_loop_add(struct sim *sim, const struct transmission *transmission, int64_t delay)
{
    struct sim_event *event = sim_event_add(sim, sim->now + delay, SIM_EVENT_LOOP);
    event->exchange = transmission->exchange;
    event->line = sim->line_next;
    event_bytes_set(event, transmission->message, transmission->len);
}

void sim_loop_answer(struct sim *sim, const struct sim_client *client)
{
    if (client->asker.line == 0) {
        return;
    }
    struct sim_event *event = sim_event_add(sim, sim->now + 1000, SIM_EVENT_REPLY);
    event->exchange = client->asker.exchange;
    event->line = client->asker.line;
    event_bytes_set(event, client->answer, client->len);
}

/* Nobody waits for the answer any more; the question is on its way all the same. */
static void sim_loops_forget(struct sim *sim, uint64_t line)
{
    for (size_t i = 0; i < sim->event_count; i++) {
        if (sim->events[i].kind == SIM_EVENT_LOOP && sim->events[i].line == line) {
            sim->events[i].line = 0;
        }
    }
    for (size_t i = 0; sim->has_loops && i < sim->client_count; i++) {
        struct sim_asker *asker = &sim->clients[i].asker;
        if (asker->kind == SIM_ASKER_LOOP && asker->line == line) {
            asker->line = 0;
        }
    }
}

/* ---- What has been sent ---- */

static void sim_sent_add(struct sim *sim, const struct sim_server *server)
{
    if (sim->sent_count == sim->sent_capacity) {
        sim->sent_capacity = sim->sent_capacity == 0 ? 256 : 2 * sim->sent_capacity;
        sim->sent = realloc(sim->sent, sim->sent_capacity * sizeof *sim->sent);
        must(sim->sent != NULL);
    }
    sim->sent[sim->sent_count++] =
        (struct sim_sent){.at = sim->now, .server = (size_t)(server - sim->servers)};
}

unsigned sim_sent_rate(const struct sim *sim, const struct sim_server *server, int64_t window_us)
{
    size_t number = (size_t)(server - sim->servers);
    unsigned most = 0;
    unsigned inside = 0;
    size_t first = sim->sent_marked;
    for (size_t i = sim->sent_marked; i < sim->sent_count; i++) {
        inside += sim->sent[i].server == number ? 1 : 0;
        for (; sim->sent[i].at - sim->sent[first].at >= window_us; first++) {
            inside -= sim->sent[first].server == number ? 1 : 0;
        }
        most = inside > most ? inside : most;
    }
    return most;
}

/* ---- The port ---- */

static bool sim_transmit(void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct sim *sim = world;
    struct sim_server *server = sim_server_at(sim, &transmission->server->address);
    sim_digest(sim, transmission->message, transmission->len);
    server->asked++;
    sim_sent_add(sim, server);
    sim->line_next++;
    sim->lines_open++;
    *line_out = sim->line_next;
    sim_server_serve(sim, server, transmission);
    return true;
}

static void sim_withdraw(void *world, uint64_t line, bool is_stream)
{
    struct sim *sim = world;
    (void)is_stream;
    sim->lines_open--;
    sim_loops_forget(sim, line);
    for (size_t i = 0; i < sim->event_count;) {
        if (sim->events[i].line == line) {
            sim_event_remove(sim, i);
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
