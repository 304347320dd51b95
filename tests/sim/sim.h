/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "conf/settings.h"
#include "resolver/resolver.h"
#include "tests/sim/sim_clients.h"
#include "tests/sim/sim_server.h"
#include "tests/support/world.h"

/*
 * The simulated network: the real resolver and the real cache, with a clock that moves only when
 * told, upstream servers that answer out of a small world, and weather between them. Everything
 * random comes from one seed, so one seed has one outcome. Broken promises of the resolver (two
 * answers to one question, a question never answered) abort with a line that says which.
 */
#define SIM_SERVERS_MAX 32
#define SIM_CLIENTS_MAX 20000
#define SIM_ANSWER_MAX  4096 /* Of an answer that is kept for inspection. */

enum sim_client_state {
    SIM_CLIENT_UNUSED,
    SIM_CLIENT_WAITING,
    SIM_CLIENT_ANSWERED,
    SIM_CLIENT_DROPPED,
};

struct sim_client {
    enum sim_client_state state;
    struct sim_asker asker;
    int64_t asked_at;
    int64_t answered_at;
    size_t len;
    uint8_t answer[SIM_ANSWER_MAX]; /* Its beginning, if it is longer. */
};

enum sim_event_kind {
    SIM_EVENT_REPLY,
    SIM_EVENT_LOST, /* A line breaks. */
    SIM_EVENT_LOOP, /* A message reaches the resolver that sent it. */
    SIM_EVENT_CALL, /* A client does what it had in mind. */
};

/* Something that will happen. */
struct sim_event {
    int64_t at;
    enum sim_event_kind kind;
    uint64_t order;
    uint64_t exchange;
    uint64_t line;
    enum sim_asker_kind caller;
    size_t subject;
    unsigned serial;
    uint8_t *bytes;
    size_t len;
};

/* A message to a server. */
struct sim_sent {
    int64_t at;
    size_t server;
};

struct sim {
    int64_t now;
    struct random random; /* The weather's. */
    struct random resolver_random;
    struct world world;
    struct settings *settings;
    struct cache *cache;
    struct resolver *resolver;
    struct sim_server servers[SIM_SERVERS_MAX];
    size_t server_count;
    struct sim_event *events;
    size_t event_count;
    size_t event_capacity;
    uint64_t order_next;
    uint64_t line_next;
    uint64_t lines_open;
    bool has_loops; /* A server has asked us. */
    struct sim_sent *sent;
    size_t sent_count;
    size_t sent_capacity;
    size_t sent_marked; /* How many there were at the scenario's last mark. */
    uint64_t questions; /* Of clients, since then. */
    struct sim_client *clients;
    size_t client_count;
    struct sim_libc libcs[SIM_LIBCS_MAX];
    size_t libc_count;
    struct sim_load loads[SIM_LOADS_MAX];
    size_t load_count;
    uint64_t digest; /* Of all that went over the wire and when. */
};

struct sim_plan {
    const char *conf;  /* Configuration text. */
    const char *world; /* Zone text. */
    uint64_t seed;
};

/* Aborts with a sentence when the plan cannot be read. */
struct sim *sim_new(const struct sim_plan *plan);

/* Runs to the end of all that is under way, checks that everything is given back, and frees. */
void sim_free(struct sim **sim);

/* The server with that address, made well-behaved (20 ms) at its first mention. */
struct sim_server *sim_server_at(struct sim *sim, const struct address *address);

/* Asks; the client's number. */
size_t sim_ask(struct sim *sim, const struct sim_question *question);
size_t sim_ask_bytes(struct sim *sim, const uint8_t *bytes, size_t len, bool is_stream);

/* What has been sent and asked is counted from here. */
void sim_mark(struct sim *sim);

/* The largest number of messages to the server in any such time since the mark. */
unsigned sim_sent_rate(const struct sim *sim, const struct sim_server *server, int64_t window_us);

/* Lets time pass, with all that happens in it. */
void sim_pass(struct sim *sim, int64_t duration_us);

/* The host sleeps: the clock goes on, and nothing else does. */
void sim_sleep(struct sim *sim, int64_t duration_us);

/* The world is another one from now on; aborts when it cannot be read. */
void sim_change_world(struct sim *sim, const char *zone);

/* Takes a new configuration; aborts when it is wrong. */
void sim_reload(struct sim *sim, const char *conf);

/* Prints "sim: ..." and aborts. */
__attribute__((format(printf, 1, 2))) _Noreturn void sim_fail(const char *format, ...);
