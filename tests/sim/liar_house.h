/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/address.h"
#include "base/random.h"
#include "conf/settings.h"
#include "resolver/resolver.h"
#include "tests/sim/liar_referee.h"
#include "tests/sim/liar_tale.h"
#include "tests/support/world_answer.h"

/*
 * The real resolver and cache before upstream servers that know one world and may lie about one
 * question. One client, one question at a time; the clock moves only when there is nothing else to
 * do. What upstream has said about the lied question is kept for the referee.
 */
#define HOUSE_LINES_MAX   64
#define HOUSE_SOURCES_MAX 12
#define HOUSE_ASKS_MAX    14 /* Messages for one question: twice asks_max, and two more. */

struct house;
struct house_line;

/* A lie, made of the truth: changes the tale, or the bytes that were made of it. */
struct lie {
    void (*tell)(struct tale *tale, unsigned variant);
    size_t (*garble)(uint8_t *bytes, size_t len, unsigned variant); /* The new length. */
    unsigned variant;
};

/* A question that is lied about, and what upstream says beyond the world's records. */
struct story {
    const char *name;
    uint16_t type;
    bool wants_dnssec;
    bool is_by_stream;    /* By UDP the reply is cut. */
    bool has_cookies;     /* The server gives cookies, and has been met before. */
    const char *extra[8]; /* "an TEXT", "ns TEXT" or "ar TEXT" of a record. */
};

enum house_mode {
    HOUSE_HONEST,
    HOUSE_LYING, /* The lie, and nothing else. */
    HOUSE_RACED, /* The lie, and a moment later the truth. */
};

/* A reply about the lied question, and the message that it answered. */
struct house_source {
    uint8_t *bytes; /* MESSAGE_SIZE_MAX of room. */
    size_t len;
    uint8_t asked[512];
    size_t asked_len;
};

struct house_line {
    struct address server;
    bool is_open;
    bool is_waiting; /* Not yet served. */
    bool is_stream;
    uint64_t exchange;
    uint8_t message[512];
    size_t len;
};

/* Several servers that know different things, in place of upstream servers that know the world. */
struct house_net {
    /* The true reply; 0: none comes. */
    size_t (*answer)(const struct address *server, const struct world_query *query,
        uint8_t *bytes_out, size_t size);
    bool (*is_liar)(const struct house *house, const struct address *server);
    void (*on_sent)(const struct house *house, const struct house_line *line);
    void (*on_reply)(
        const struct house *house, const struct house_line *line, const uint8_t *bytes, size_t len);
};

/* A message that a server gets. */
struct house_request {
    const struct story *story;
    const struct address *server; /* NULL: one that knows the world. */
    const uint8_t *message;
    size_t len;
};

struct house {
    const struct house_net *net; /* NULL: there is none. */
    unsigned asks_max;           /* Messages for one question. */
    struct settings *settings;
    struct settings *blank; /* Between two plays: no server, so nothing is known of any. */
    struct random random;
    struct cache *cache;
    struct resolver *resolver;
    struct world *world;
    int64_t now;
    const struct story *story;
    struct lie lie;
    enum house_mode mode;
    struct house_line lines[HOUSE_LINES_MAX];
    struct house_source sources[HOUSE_SOURCES_MAX];
    size_t source_count;
    unsigned asked; /* Messages upstream since the last question. */
    bool is_answered;
    uint8_t answer[MESSAGE_SIZE_MAX];
    size_t answer_len;
    clock_t reply_cpu; /* Of the dearest reply. */
};

/* One for the whole run, for to make a resolver takes longer than a play. Each play begins with an
 * empty cache, and with servers that nobody has met. */
void house_open(struct house *house, struct world *world, const char *conf);
void house_begin(struct house *house, const struct story *story);
void house_end(struct house *house);
void house_close(struct house *house);

/* Asks and waits, answering the resolver's questions; the answer is in the house. Aborts when there
 * is none by the deadline, or more questions upstream than are allowed. */
void house_ask(struct house *house, const struct referee_question *question);

void house_pass(struct house *house, int64_t duration_us);

/* What an honest server answers, with the story's extras if it is about that. */
size_t house_truth(const struct house *house, const struct house_request *request,
    uint8_t bytes_out[MESSAGE_SIZE_MAX]);

/* What a story asks. */
struct referee_question story_question(const struct story *story);

/* The bytes of a question, with an OPT record. */
size_t house_query(const struct referee_question *question, uint8_t bytes_out[512]);
