/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/trace.h"

#include <string.h>

#include "base/must.h"
#include "wire/header.h"
#include "wire/question.h"
#include "resolver/fetch.h"
#include "resolver/query.h"
#include "resolver/resolver_private.h"

/* A free place, or that of the question that has been over for the longest time; else NULL. */
static struct trace *trace_room(struct resolver *resolver)
{
    struct trace *oldest = NULL;
    for (size_t i = 0; i < TRACE_PLACES; i++) {
        struct trace *trace = &resolver->traces[i];
        if (trace->id == 0) {
            return trace;
        }
        if (trace->is_over && (oldest == NULL || trace->end.at < oldest->end.at)) {
            oldest = trace;
        }
    }
    return oldest;
}

static void trace_take_question(struct query *query, const struct question *question)
{
    query->question = *question;
    memcpy(query->key.name, question->name, question->name_len);
    query->key.name_len = question->name_len;
    query->key.type = question->type;
    query->key.class = question->class;
}

uint64_t trace_start(struct resolver *resolver, const struct question *question, int64_t now)
{
    struct trace *trace = trace_room(resolver);
    if (trace == NULL) {
        return 0;
    }
    do {
        *trace = (struct trace){.id = random_u64(resolver->random)};
    } while (trace->id == 0);
    struct query slot = {
        .step = QUERY_LOCAL,
        .id = POOL_NONE,
        .form = {.flags = HEADER_RD, .has_edns = true, .size_max = TRACE_ANSWER_SIZE},
        .class = QUESTION_CLASS_OTHER,
        .outcome = OUTCOME_LOCAL,
        .list = LISTS_NONE,
        .trace = (uint8_t)(trace - resolver->traces + 1),
        .asked_at = now,
    };
    trace_take_question(&slot, question);
    struct query_turn turn = {
        .resolver = resolver,
        .query = &slot,
        .now = now,
        .verdict = CACHE_MISS,
        .source = {.has_question = true,
            .stored = {.extra = {.ede = EDE_NONE, .ttl_cap = UINT32_MAX}}},
        .answer = resolver->answer,
    };
    uint64_t id = trace->id;
    query_run(&turn);
    trace->fetch = inflight_find(&resolver->inflight, &slot.key);
    return id;
}

bool trace_look(const struct resolver *resolver, uint64_t id, struct trace_view *view_out)
{
    const struct trace *trace = resolver->traces;
    while (trace < resolver->traces + TRACE_PLACES && (id == 0 || trace->id != id)) {
        trace++;
    }
    if (trace == resolver->traces + TRACE_PLACES) {
        return false;
    }
    const struct fetch *fetch = trace->is_over ? NULL : pool_find(&resolver->fetches, trace->fetch);
    view_out->is_over = trace->is_over;
    view_out->end = trace->end;
    view_out->timeline = fetch != NULL ? fetch->timeline : trace->end.timeline;
    view_out->answer_len = trace->answer_len;
    memcpy(view_out->answer, trace->answer, trace->answer_len);
    return true;
}

void trace_on_answer(struct query_turn *turn)
{
    struct trace *trace = &turn->resolver->traces[turn->query->trace - 1];
    must(turn->answer_len <= sizeof trace->answer);
    slow_describe(&trace->end, turn);
    trace->end.at = turn->now;
    memcpy(trace->answer, turn->answer, turn->answer_len);
    trace->answer_len = turn->answer_len;
    trace->is_over = true;
}
