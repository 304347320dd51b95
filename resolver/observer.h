/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "mail/redact.h"
#include "resolver/port.h"
#include "resolver/stats.h"

/*
 * Somebody who wants to be told of every question: the query log, dnstap. There is at most one, and
 * mostly none; a hit then costs one branch for it. Its functions are called in the worker's thread,
 * must not wait for anything, and must not call back. All pointers are valid during the call only.
 */
struct question;
struct query_turn;

/* A question whose answer leaves the house. */
struct observed {
    const struct client *client;
    int64_t asked_at;
    int64_t answered_at;
    const struct question *question; /* In the client's spelling; NULL: it could not be read. */
    const struct redacted *name;     /* Of the question, without keys. */
    enum question_class class;
    enum outcome outcome;
    unsigned rcode;                 /* The extended one. */
    const struct address *upstream; /* Whose reply was used; NULL: nobody's. */
    const uint8_t *query;           /* Its bytes; NULL when it had to wait: see `parked`. */
    size_t query_len;
    const uint8_t *answer;
    size_t answer_len;
};

struct observer {
    void *world;

    /* A question begins to wait; its bytes are not kept. */
    void (*parked)(
        void *world, const struct client *client, const uint8_t *query, size_t len, int64_t now);

    /* With `query` not NULL the wait is told by the next `settled`. */
    void (*answered)(void *world, const struct observed *observed);

    /* What was answered at once since the last call has left the house by now. */
    void (*settled)(void *world, int64_t waited_us);
};

/* For the steps of a query, when there is an observer. */
void observer_on_parked(const struct query_turn *turn);
void observer_on_answered(const struct query_turn *turn, unsigned rcode);
