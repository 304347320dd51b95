/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "conf/settings.h"
#include "resolver/resolver.h"
#include "tests/support/world.h"

/*
 * The simulated network: the real resolver and the real cache, with a clock that moves only when
 * told, upstream servers that answer out of a small world, and weather between them. Everything
 * random comes from one seed, so one seed has one outcome. Broken promises of the resolver (two
 * answers to one question, a question never answered) abort with a line that says which.
 */
#define SIM_SERVERS_MAX 8
#define SIM_CLIENTS_MAX 20000
#define SIM_ANSWER_MAX  4096 /* Of an answer that is kept for inspection. */

/* How a server lies. */
enum sim_lie {
    SIM_LIE_NONE,
    SIM_LIE_ID,       /* Another id. */
    SIM_LIE_QUESTION, /* Another question. */
    SIM_LIE_QR,       /* A query, not a reply. */
    SIM_LIE_GARBAGE,  /* Right header and question, then noise. */
    SIM_LIE_FIRST,    /* A forged reply with a wrong id first, then the true one. */
};

struct sim_server {
    struct address address;
    bool is_silent;   /* Nothing ever comes. */
    bool is_refusing; /* Connection refused, at once. */
    bool has_no_tcp;
    bool has_no_edns;   /* FORMERR to a query with an OPT record. */
    bool is_truncating; /* TC over UDP, always. */
    int rcode;          /* Always this one; -1: as the world has it. */
    enum sim_lie lie;
    int64_t delay_us;
    int64_t jitter_us;   /* Evenly up to so much more. */
    unsigned loss;       /* Per cent of replies. */
    unsigned duplicates; /* Per cent of replies. */
    uint64_t asked;
    uint64_t asked_stream;
};

enum sim_client_state {
    SIM_CLIENT_UNUSED,
    SIM_CLIENT_WAITING,
    SIM_CLIENT_ANSWERED,
    SIM_CLIENT_DROPPED,
};

struct sim_client {
    enum sim_client_state state;
    int64_t asked_at;
    int64_t answered_at;
    size_t len;
    uint8_t answer[SIM_ANSWER_MAX]; /* Its beginning, if it is longer. */
};

/* Something that will happen. */
struct sim_event {
    int64_t at;
    uint64_t order;
    uint64_t exchange;
    uint64_t line;
    bool is_lost;
    uint8_t *bytes;
    size_t len;
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
    struct sim_client *clients;
    size_t client_count;
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

struct sim_question {
    const char *name;
    uint16_t type;
    uint16_t class;
    uint16_t flags; /* RD, AD, CD. */
    bool is_stream;
    bool has_edns;
    bool wants_dnssec;
    uint16_t udp_size;
};

/* Asks; the client's number. */
size_t sim_ask(struct sim *sim, const struct sim_question *question);
size_t sim_ask_bytes(struct sim *sim, const uint8_t *bytes, size_t len, bool is_stream);

/* Lets time pass, with all that happens in it. */
void sim_pass(struct sim *sim, int64_t duration_us);

/* Takes a new configuration; aborts when it is wrong. */
void sim_reload(struct sim *sim, const char *conf);

/* Prints "sim: ..." and aborts. */
__attribute__((format(printf, 1, 2))) _Noreturn void sim_fail(const char *format, ...);
