/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/query.h"

#include "base/must.h"
#include "resolver/query_steps.h"
#include "resolver/resolver_private.h"

#define TO(step) (1u << QUERY_##step)

struct query_row {
    enum step_verdict (*run)(struct query_turn *turn);
    unsigned edges;
};

static const struct query_row query_rows[QUERY_STEPS] = {
    [QUERY_PARSE] = {query_parse, TO(LOOKUP) | TO(ANSWER) | TO(END)},
    [QUERY_LOOKUP] = {query_lookup, TO(LOCAL) | TO(ANSWER)},
    [QUERY_LOCAL] = {query_local, TO(JOIN) | TO(ANSWER)},
    [QUERY_JOIN] = {query_join, TO(WAIT) | TO(ANSWER)},
    [QUERY_WAIT] = {query_wait, TO(ANSWER)},
    [QUERY_ANSWER] = {query_answer, TO(SEND)},
    [QUERY_SEND] = {query_send, TO(END)},
};

static void query_reap(struct query_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    struct query *query = turn->query;
    if (query->id == POOL_NONE) {
        return;
    }
    deadlines_clear(&resolver->deadlines, &query->deadline);
    list_remove(&query->waiters);
    pool_give(&resolver->queries, query->id);
    counter_set(&resolver->stats.questions_waiting, resolver->queries.in_use);
}

void query_run(struct query_turn *turn)
{
    /* JOIN moves the query from its slot to the pool, so turn->query is read anew each time. */
    for (;;) {
        enum query_step step = turn->query->step;
        if (step == QUERY_END) {
            query_reap(turn);
            return;
        }
        enum step_verdict verdict = query_rows[step].run(turn);
        if (verdict == STEP_PARK) {
            must(turn->query->step == QUERY_WAIT);
            return;
        }
        must((query_rows[step].edges & (1u << turn->query->step)) != 0);
        must((verdict == STEP_END) == (turn->query->step == QUERY_END));
    }
}
