/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/observer.h"

#include "resolver/judge.h"
#include "resolver/query.h"
#include "resolver/resolver.h"
#include "resolver/resolver_private.h"

void observer_on_parked(const struct query_turn *turn)
{
    const struct observer *observer = turn->resolver->observer;
    observer->parked(
        observer->world, &turn->ask->client, turn->ask->query, turn->ask->len, turn->now);
}

/* The last server that replied with something to use. */
static const struct address *observer_find_upstream(const struct query_turn *turn)
{
    const struct timeline *timeline = turn->timeline;
    bool is_theirs =
        turn->ask == NULL && timeline != NULL &&
        (turn->query->outcome == OUTCOME_MISS || turn->query->outcome == OUTCOME_JOINED);
    for (size_t i = is_theirs ? timeline->count : 0; i > 0; i--) {
        const struct timeline_event *event = &timeline->events[i - 1];
        bool is_used = event->kind == TIMELINE_REPLIED && event->detail <= JUDGE_NXDOMAIN;
        if (is_used && event->server < timeline->server_count) {
            return &timeline->servers[event->server];
        }
    }
    return NULL;
}

void observer_on_answered(const struct query_turn *turn, unsigned rcode)
{
    const struct resolver *resolver = turn->resolver;
    const struct query *query = turn->query;
    const struct question *question = turn->source.has_question ? &query->question : NULL;
    struct redacted name = {.len = 0};
    if (question != NULL) {
        struct redact_case redact =
            lists_redact(&resolver->lists, question->name, question->name_len);
        redact_keep(&redact, question->name, question->name_len, &name);
    }
    const struct observed observed = {
        .client = &query->client,
        .asked_at = query->asked_at,
        .answered_at = turn->now,
        .question = question,
        .name = &name,
        .class = query->class,
        .outcome = query->outcome,
        .rcode = rcode,
        .upstream = observer_find_upstream(turn),
        .query = turn->ask != NULL ? turn->ask->query : NULL,
        .query_len = turn->ask != NULL ? turn->ask->len : 0,
        .answer = turn->answer,
        .answer_len = turn->answer_len,
    };
    resolver->observer->answered(resolver->observer->world, &observed);
}
