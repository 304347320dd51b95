/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/query_steps.h"

#include "base/must.h"
#include "wire/types.h"
#include "resolver/observer.h"
#include "resolver/query.h"
#include "resolver/query_lists.h"
#include "resolver/resolver.h"

enum step_verdict query_answer(struct query_turn *turn)
{
    const struct query *query = turn->query;
    const struct answer_source *source = &turn->source;
    const struct question *question = source->has_question ? &query->question : NULL;
    if (source->stored.bytes != NULL) {
        turn->answer_len = answer_from_stored(
            &query->form, question, &source->stored, turn->answer, MESSAGE_SIZE_MAX);
    } else {
        turn->answer_len =
            answer_error(&query->form, question, &source->error, turn->answer, MESSAGE_SIZE_MAX);
    }
    must(turn->answer_len >= HEADER_SIZE);
    turn->query->step = QUERY_SEND;
    return STEP_ON;
}

/* Not from the answer's header, where BADVERS looks like NOERROR. */
static unsigned query_rcode(const struct query_turn *turn)
{
    const struct answer_source *source = &turn->source;
    return source->stored.bytes != NULL ? header_rcode(turn->answer) : source->error.rcode;
}

static void query_count(struct query_turn *turn)
{
    struct resolver_stats *stats = &turn->resolver->stats;
    switch (query_rcode(turn)) {
    case RCODE_NOERROR:
        counter_add(&stats->answers_noerror, 1);
        break;
    case RCODE_NXDOMAIN:
        counter_add(&stats->answers_nxdomain, 1);
        break;
    case RCODE_SERVFAIL:
        counter_add(&stats->answers_servfail, 1);
        slow_on_failed(turn);
        break;
    default:
        counter_add(&stats->answers_other, 1);
        break;
    }
    if ((header_flags(turn->answer) & HEADER_TC) != 0) {
        counter_add(&stats->answers_truncated, 1);
    }
}

/* What is answered at once has waited for as long as its batch takes; one clock read tells that for
 * all of them. */
static void query_record_wait(const struct query_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    const struct query *query = turn->query;
    if (turn->ask == NULL) {
        const struct histogram_mark waited = histogram_mark_of(turn->now - query->asked_at);
        histogram_record_mark(&resolver->stats.wait[query->class][query->outcome], &waited);
        lists_record_wait(&resolver->lists, query->list, &waited);
        return;
    }
    if (resolver->unsettled_count == RESOLVER_UNSETTLED_MAX) {
        resolver_settle(resolver, 0);
    }
    resolver->unsettled[resolver->unsettled_count++] =
        (struct unsettled){.class = query->class, .outcome = query->outcome, .list = query->list};
}

/* To somebody who had to wait. */
static void query_deliver(struct query_turn *turn)
{
    struct port *port = &turn->resolver->port;
    slow_on_waited(turn);
    port->deliver(port->world, &turn->query->client, turn->answer, turn->answer_len);
}

enum step_verdict query_send(struct query_turn *turn)
{
    turn->query->step = QUERY_END;
    if (turn->query->trace != 0) {
        trace_on_answer(turn);
        return STEP_END;
    }
    query_count(turn);
    query_lists_count(turn);
    query_record_wait(turn);
    if (turn->resolver->observer != NULL) {
        observer_on_answered(turn, query_rcode(turn));
    }
    if (turn->ask != NULL) {
        turn->ask->answer_len = turn->answer_len;
    } else {
        query_deliver(turn);
    }
    return STEP_END;
}
