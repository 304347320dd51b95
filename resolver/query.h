/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/list.h"
#include "cache/cache.h"
#include "resolver/port.h"
#include "resolver/stats.h"
#include "wire/answer.h"
#include "wire/question.h"

/*
 * A query: one client's question, from its bytes to its answer. It begins in a slot on the stack of
 * resolver_ask(), where most lives end in the same turn; one that must wait is copied to the query
 * pool by JOIN and is from then on named by its id.
 *
 *     PARSE  -> LOOKUP, ANSWER, END     ANSWER: malformed, not supported; END: owed nothing
 *     LOOKUP -> LOCAL, ANSWER           ANSWER: fresh, or failing and stale at hand
 *     LOCAL  -> JOIN, ANSWER            ANSWER: answered in the house, concluded, or refused
 *     JOIN   -> WAIT, ANSWER            ANSWER: no room or no time to wait, or a loop
 *     WAIT   -> ANSWER                  published, patience over with stale at hand, deadline
 *     ANSWER -> SEND
 *     SEND   -> END
 *
 * The table in query.c has the same edges (tests/style compares them). A waiting query is moved by
 * two events only: query_on_published() and query_on_deadline().
 *
 * LOOKUP comes before LOCAL because nearly all questions end there: what is answered in the house
 * never gets into the cache.
 */
enum query_step {
    QUERY_PARSE,
    QUERY_LOOKUP,
    QUERY_LOCAL,
    QUERY_JOIN,
    QUERY_WAIT,
    QUERY_ANSWER,
    QUERY_SEND,
    QUERY_END,
};
#define QUERY_STEPS 8

struct resolver;
struct ask;
struct timeline;

struct query {
    enum query_step step;
    uint64_t id; /* In the query pool, or POOL_NONE while it is in its slot. */
    struct client client;
    struct answer_form form;
    struct question question; /* In the client's spelling. */
    struct cache_key key;
    enum question_class class;
    enum outcome outcome;
    unsigned list; /* Its place (resolver/lists.h). */
    bool is_list;
    bool has_patience; /* The deadline set is stale_patience; answer_deadline comes after it. */
    bool has_slept;    /* It has had its time again (resolver/sleep.h). */
    uint8_t trace;     /* Its place + 1, if it is followed (resolver/trace.h); else 0. */
    int64_t asked_at;
    struct list waiters; /* In its fetch's list. */
    struct deadline deadline;
};

/* What ANSWER composes from. */
struct answer_source {
    struct answer_stored stored; /* Its bytes are NULL for an answer without records. */
    struct answer_error error;   /* Of that one. */
    bool has_question;
};

/* One visit of a query to the dispatcher: what the steps hand on, gone at the end of the turn. */
struct query_turn {
    struct resolver *resolver;
    struct query *query;
    struct ask *ask; /* The client's bytes and the room for its answer; NULL once it has waited. */
    int64_t now;
    struct cache_found found; /* What LOOKUP saw. Its message is in the room of the answer, which
                                 nobody else writes to before ANSWER. */
    enum cache_verdict verdict;
    uint8_t foreseen;                /* What it finds was asked ahead, by this step; else 0. */
    const struct timeline *timeline; /* Of the fetch; valid once it has waited (no ask). */
    struct answer_source source;
    uint8_t *answer;
    size_t answer_len;
    bool is_dropped;
};

/* Runs the query's steps until it parks or ends. A pooled query that ends is given back. */
void query_run(struct query_turn *turn);

/* What a finished fetch tells its waiters. */
struct publication {
    const uint8_t *stored; /* NULL: it failed. */
    size_t stored_len;
    bool is_ad;
    enum ede ede; /* Why it failed, or was replaced; NONE. */
    const char *ede_text;
    const struct timeline *timeline; /* Of the fetch. */
};

/* Events of a waiting query. */
void query_on_published(struct resolver *resolver, struct query *query,
    const struct publication *publication, int64_t now);
void query_on_deadline(struct resolver *resolver, struct query *query, int64_t now);
