/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolver/slow.h"

/*
 * Questions that the operator follows: asked as if a client had asked and the cache held nothing,
 * and told of while they go on. Each is a query like any other and stores its answer; only that it
 * skips LOOKUP and what is concluded from other entries, and that its answer stays here. It is no
 * client's: the work it causes is counted (fetches, what was sent), but it is not among the
 * questions, the answers, the waits, the slow ones or what an observer sees. There are
 * TRACE_PLACES; a place is free again when its question is over and another one wants it. One
 * worker's, embedded in the resolver.
 */
#define TRACE_PLACES      4
#define TRACE_ANSWER_SIZE 4096 /* Longer answers are cut, with TC. */

struct question;
struct query_turn;
struct resolver;

struct trace {
    uint64_t id;    /* Drawn by lot, so that nobody reads another's; 0: free. */
    uint64_t fetch; /* That it waits for, or waited. */
    bool is_over;
    struct slow_record end; /* Once it is over. */
    size_t answer_len;
    uint8_t answer[TRACE_ANSWER_SIZE];
};

/* What there is to tell. */
struct trace_view {
    bool is_over;
    struct timeline timeline;
    struct slow_record end;
    size_t answer_len;
    uint8_t answer[TRACE_ANSWER_SIZE];
};

/* The question is in lower case. 0: as many are under way as can be. */
uint64_t trace_start(struct resolver *resolver, const struct question *question, int64_t now);

/* False: no such question. */
bool trace_look(const struct resolver *resolver, uint64_t id, struct trace_view *view_out);

/* Its answer has been composed. */
void trace_on_answer(struct query_turn *turn);
