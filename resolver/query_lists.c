/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/query_lists.h"

#include "wire/header.h"
#include "mail/list_zone.h"
#include "resolver/classify.h"
#include "resolver/query.h"
#include "resolver/resolver.h"
#include "resolver/resolver_private.h"

bool query_lists_classify(struct query_turn *turn, struct list_question *list_out)
{
    struct resolver *resolver = turn->resolver;
    struct query *query = turn->query;
    *list_out = (struct list_question){0};
    query->class = classify_question(&query->key, list_out);
    if (lists_recognise(&resolver->lists, &query->key, list_out)) {
        query->class = QUESTION_CLASS_LIST;
    }
    query->is_list = query->class == QUESTION_CLASS_LIST;
    if (query->is_list) {
        query->list = lists_use(&resolver->lists, &query->key, list_out, turn->now);
        list_test_schedule(resolver, query->list, turn->now);
    }
    return query->is_list;
}

void query_lists_find(struct query_turn *turn)
{
    const struct cache_found *found = &turn->found;
    struct query *query = turn->query;
    query->is_list = found->is_list;
    query->class = classify_type(query->key.type, found->is_list);
    if (found->is_list || found->kind == CACHE_KIND_FAILURE) {
        query->list = lists_use_again(&turn->resolver->lists, &query->key, turn->now);
        list_test_schedule(turn->resolver, query->list, turn->now);
    }
}

void query_lists_count(const struct query_turn *turn)
{
    const struct query *query = turn->query;
    bool has_records = turn->source.stored.bytes != NULL;
    if (query->list == LISTS_NONE) {
        return;
    }
    unsigned rcode = has_records ? header_rcode(turn->answer) : turn->source.error.rcode;
    const struct lists_outcome outcome = {
        .is_hit = turn->ask != NULL,
        .is_failure = rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN,
        .is_listed = rcode == RCODE_NOERROR && has_records && header_ancount(turn->answer) > 0,
    };
    lists_record_answer(&turn->resolver->lists, query->list, &outcome);
}
