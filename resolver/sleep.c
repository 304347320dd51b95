/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/sleep.h"

#include "resolver/exchange.h"
#include "resolver/fetch.h"
#include "resolver/query.h"
#include "resolver/resolver_private.h"

/* From when to when nobody was there, as far as can be told: the earliest deadline stood at the
 * beginning. What was sent later was sent after waking up. */
struct nap {
    int64_t from;
    int64_t to;
};

/* What was sent before says nothing any more, by its silence or by its time. */
static bool sleep_excuse_exchange(
    struct resolver *resolver, struct exchange *exchange, const struct nap *nap)
{
    if (exchange == NULL || exchange->sent_at > nap->from || exchange->is_overslept) {
        return false;
    }
    exchange->is_overslept = true;
    bool is_probe = exchange->fetch == POOL_NONE && exchange->server != SERVER_NONE;
    if (is_probe && resolver->servers.servers[exchange->server].probe.missed > 0) {
        resolver->servers.servers[exchange->server].probe.missed--;
    }
    return true;
}

/* The try was none: it is given back. */
static void sleep_return_try(
    const struct resolver *resolver, struct fetch *fetch, const struct exchange *exchange)
{
    size_t place = exchange->place;
    if (place != SERVER_NONE && fetch->tries.asked[place] > 0) {
        fetch->tries.asked[place]--;
    }
    if (place != SERVER_NONE && fetch->tries.silent[place] > 0) {
        fetch->tries.silent[place]--;
    }
    bool has_room = fetch->asks_left < resolver->limits.asks_max;
    fetch->asks_left += has_room && !fetch->is_retired && !fetch->has_slept ? 1 : 0;
}

/* One that began after waking up is left alone. In LINGER: what it waits for to learn cannot be
 * learned any more. */
static void sleep_excuse_fetch(
    struct resolver *resolver, struct fetch *fetch, const struct nap *nap)
{
    bool was_there = fetch->deadline.at <= nap->to;
    const struct list *head = &fetch->exchanges;
    for (struct list *link = head->next; link != head; link = link->next) {
        struct exchange *exchange = list_entry(link, struct exchange, link);
        if (sleep_excuse_exchange(resolver, exchange, nap) && !exchange->is_late) {
            exchange->is_late = true;
            sleep_return_try(resolver, fetch, exchange);
            was_there = true;
        }
    }
    if (!was_there) {
        return;
    }
    if (!fetch->has_slept) {
        fetch_note(fetch, NULL, TIMELINE_SLEPT, nap->to);
        fetch->has_slept = true;
        fetch->ends_at += nap->to - nap->from;
    }
    fetch->is_hedging = false;
    deadlines_set(&resolver->deadlines, &fetch->deadline, nap->to);
}

static void sleep_excuse_query(
    struct resolver *resolver, struct query *query, const struct nap *nap)
{
    bool has_passed = query->asked_at + resolver->limits.answer_deadline_us <= nap->to;
    if (!has_passed || query->has_slept) {
        return;
    }
    int64_t duration_us = nap->to - nap->from;
    query->has_slept = true;
    query->asked_at += duration_us;
    deadlines_set(&resolver->deadlines, &query->deadline, query->deadline.at + duration_us);
}

/* Those of direct groups, too. */
static void sleep_excuse_servers(struct server_table *table, const struct nap *nap)
{
    for (size_t i = 0; i < table->group_count + SERVER_DIRECT_GROUPS; i++) {
        const struct server_group *group = &table->groups[i];
        for (size_t place = 0; place < group->used; place++) {
            table->servers[group->first + place].owes_since = nap->to;
        }
    }
}

static void sleep_excuse_all(struct resolver *resolver, const struct nap *nap)
{
    for (uint32_t i = 0; i < resolver->fetches.count; i++) {
        struct fetch *fetch = pool_at(&resolver->fetches, i);
        if (fetch != NULL) {
            sleep_excuse_fetch(resolver, fetch, nap);
        }
    }
    for (uint32_t i = 0; i < resolver->exchanges.count; i++) {
        (void)sleep_excuse_exchange(resolver, pool_at(&resolver->exchanges, i), nap);
    }
    for (uint32_t i = 0; i < resolver->queries.count; i++) {
        struct query *query = pool_at(&resolver->queries, i);
        if (query != NULL) {
            sleep_excuse_query(resolver, query, nap);
        }
    }
    sleep_excuse_servers(&resolver->servers, nap);
}

void sleep_notice(struct resolver *resolver, int64_t now)
{
    struct nap nap = {.from = deadlines_next(&resolver->deadlines), .to = now};
    if (nap.from < resolver->awake_at) {
        nap.from = resolver->awake_at;
    }
    if (nap.from == INT64_MAX || now - nap.from < SLEEP_NOTICED_US) {
        return;
    }
    resolver->awake_at = now;
    if (resolver->fetches.in_use > 0) {
        counter_add(&resolver->stats.sleeps, 1);
        sleep_excuse_all(resolver, &nap);
    }
}
