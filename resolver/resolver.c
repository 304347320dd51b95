/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/resolver.h"

#include <stdlib.h>

#include "base/must.h"
#include "mail/habit.h"
#include "conf/settings.h"
#include "resolver/direct.h"
#include "resolver/direct_learn.h"
#include "resolver/fetch.h"
#include "resolver/observer.h"
#include "resolver/query.h"
#include "resolver/resolver_private.h"
#include "resolver/server_table.h"
#include "resolver/sleep.h"

static uint32_t resolver_seconds(int64_t duration_us)
{
    return (uint32_t)(duration_us / 1000000);
}

static void resolver_take_limits(struct resolver *resolver, const struct settings *settings)
{
    resolver->limits = (struct resolver_limits){
        .answer_deadline_us = settings->answer_deadline_us,
        .stale_patience_us = settings->stale_patience_us,
        .try_timeout_us = settings->try_timeout_us,
        .stale_ttl_s = resolver_seconds(settings->stale_ttl_us),
        .asks_max = (unsigned)settings->asks_max,
        .hedge_permille = (unsigned)settings->hedge_budget * 10,
        .udp_answer_max = (uint16_t)settings->udp_answer_max,
        .private_lists_local = settings->private_lists_local,
        .ttl =
            {
                .ttl_min = resolver_seconds(settings->ttl_min_us),
                .ttl_max = resolver_seconds(settings->ttl_max_us),
                .negative_ttl_max = resolver_seconds(settings->negative_ttl_max_us),
            },
    };
}

static bool resolver_init_pools(struct resolver *resolver, uint32_t questions_max)
{
    uint32_t fetches_max = 2 * questions_max;
    return pool_init(&resolver->queries, sizeof(struct query), questions_max) &&
           pool_init(&resolver->fetches, sizeof(struct fetch), fetches_max) &&
           pool_init(&resolver->exchanges, sizeof(struct exchange), 2 * fetches_max) &&
           inflight_init(&resolver->inflight, fetches_max, resolver->random) &&
           deadlines_init(&resolver->deadlines, questions_max + fetches_max + RESOLVER_DEADLINES);
}

struct resolver *resolver_new(const struct resolver_options *options)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (resolver == NULL) {
        return NULL;
    }
    resolver->cache = options->cache;
    resolver->random = options->random;
    resolver->port = options->port;
    resolver->version = options->version;
    resolver->observer = options->observer;
    resolver_take_limits(resolver, options->settings);
    if (!resolver_init_pools(resolver, (uint32_t)options->settings->questions_max) ||
        !route_init(&resolver->route, options->settings, resolver->random) ||
        !server_table_init(&resolver->servers, options->settings, NULL) ||
        !ahead_init(resolver, options->settings)) {
        resolver_free(&resolver);
        return NULL;
    }
    refresh_set_settings(resolver, options->settings);
    resolver->cookie_secret = hash_key_new(options->random);
    lists_set_settings(&resolver->lists, options->settings);
    direct_init(resolver, options->settings);
    warm_start(resolver, 0); /* Due at the first look at the deadlines. */
    return resolver;
}

void resolver_free(struct resolver **resolver)
{
    if (*resolver == NULL) {
        return;
    }
    struct resolver *old = *resolver;
    for (uint32_t i = 0; i < old->exchanges.count; i++) {
        struct exchange *exchange = pool_at(&old->exchanges, i);
        if (exchange != NULL) {
            exchange_end(old, exchange);
        }
    }
    ahead_fini(old);
    server_table_fini(&old->servers);
    route_fini(&old->route);
    deadlines_fini(&old->deadlines);
    inflight_fini(&old->inflight);
    pool_fini(&old->exchanges);
    pool_fini(&old->fetches);
    pool_fini(&old->queries);
    free(old);
    *resolver = NULL;
}

enum ask_verdict resolver_ask(struct resolver *resolver, struct ask *ask, int64_t now)
{
    struct query slot;
    slot.step = QUERY_PARSE;
    slot.id = POOL_NONE;
    slot.client = ask->client;
    slot.class = QUESTION_CLASS_OTHER;
    slot.outcome = OUTCOME_LOCAL;
    slot.is_list = false;
    slot.list = LISTS_NONE;
    slot.has_patience = false;
    slot.has_slept = false;
    slot.trace = 0;
    slot.asked_at = now;
    slot.waiters = (struct list){0};
    slot.deadline = (struct deadline){0};

    struct query_turn turn;
    turn.resolver = resolver;
    turn.query = &slot;
    turn.ask = ask;
    turn.now = now;
    turn.verdict = CACHE_MISS;
    turn.source =
        (struct answer_source){.stored = {.extra = {.ede = EDE_NONE, .ttl_cap = UINT32_MAX}}};
    turn.answer = ask->answer;
    turn.answer_len = 0;
    turn.is_dropped = false;
    turn.foreseen = 0;

    counter_add(&resolver->stats.questions, 1);
    query_run(&turn);
    ahead_on_question(&turn);
    if (turn.query->step == QUERY_WAIT) {
        return ASK_PARKED;
    }
    return turn.is_dropped ? ASK_DROPPED : ASK_ANSWERED;
}

bool resolver_on_reply(
    struct resolver *resolver, uint64_t exchange, const uint8_t *bytes, size_t len, int64_t now)
{
    struct exchange *found = pool_find(&resolver->exchanges, exchange);
    if (found == NULL) {
        return false;
    }
    sleep_notice(resolver, now);
    return found->fetch == POOL_NONE ? probe_on_reply(resolver, found, bytes, len, now)
                                     : fetch_on_reply(resolver, found, bytes, len, now);
}

void resolver_on_line_lost(
    struct resolver *resolver, uint64_t exchange, enum line_end end, int64_t now)
{
    struct exchange *found = pool_find(&resolver->exchanges, exchange);
    if (found == NULL) {
        return;
    }
    sleep_notice(resolver, now);
    if (found->fetch == POOL_NONE) {
        probe_on_lost(resolver, found);
    } else {
        fetch_on_lost(resolver, found, end, now);
    }
}

int64_t resolver_next_deadline(const struct resolver *resolver)
{
    return deadlines_next(&resolver->deadlines);
}

static void resolver_run_one(struct resolver *resolver, const struct deadline *due, int64_t now)
{
    switch ((enum life)due->kind) {
    case LIFE_QUERY:
        query_on_deadline(resolver, pool_find(&resolver->queries, due->id), now);
        return;
    case LIFE_FETCH:
        fetch_on_deadline(resolver, pool_find(&resolver->fetches, due->id), now);
        return;
    case LIFE_PROBE:
        probe_on_deadline(resolver, (size_t)due->id, now);
        return;
    case LIFE_WARM:
        warm_on_deadline(resolver, now);
        return;
    case LIFE_REFRESH:
        refresh_on_deadline(resolver, due->id, now);
        return;
    case LIFE_LISTS:
        list_test_on_deadline(resolver, now);
        return;
    case LIFE_DIRECT:
        direct_learn_on_deadline(resolver, (size_t)due->id, now);
        return;
    }
    must_never("a life");
}

void resolver_run_due(struct resolver *resolver, int64_t now)
{
    const struct deadline *due;
    sleep_notice(resolver, now);
    while ((due = deadlines_take_due(&resolver->deadlines, now)) != NULL) {
        resolver_run_one(resolver, due, now);
    }
}

struct resolver_change {
    const struct settings *settings;
    struct server_table servers; /* Empty until it is taken. */
    struct route route;
};

struct resolver_change *resolver_prepare(struct resolver *resolver, const struct settings *settings)
{
    struct resolver_change *change = calloc(1, sizeof *change);
    if (change == NULL) {
        return NULL;
    }
    change->settings = settings;
    if (!server_table_allocate(&change->servers, settings) ||
        !route_init(&change->route, settings, resolver->random)) {
        resolver_change_free(&change);
    }
    return change;
}

void resolver_change_free(struct resolver_change **change)
{
    if (*change != NULL) {
        server_table_fini(&(*change)->servers);
        route_fini(&(*change)->route);
        free(*change);
        *change = NULL;
    }
}

void resolver_take(struct resolver *resolver, struct resolver_change **change_inout, int64_t now)
{
    struct resolver_change *change = *change_inout;
    const struct settings *settings = change->settings;
    probe_stop_all(resolver);
    resolver->doubts = (struct doubts){0}; /* By index: the servers have new ones. */
    server_table_fill(&change->servers, settings, &resolver->servers);
    server_table_fini(&resolver->servers);
    route_fini(&resolver->route);
    resolver->servers = change->servers;
    resolver->route = change->route;
    free(change);
    *change_inout = NULL;
    resolver_take_limits(resolver, settings);
    lists_set_settings(&resolver->lists, settings);
    ahead_set_settings(resolver, settings);
    direct_set_settings(resolver, settings);
    refresh_set_settings(resolver, settings);
    for (uint32_t i = 0; i < resolver->fetches.count; i++) {
        struct fetch *fetch = pool_at(&resolver->fetches, i);
        if (fetch != NULL) {
            fetch_reroute(resolver, fetch, now);
        }
    }
    probe_start_all(resolver, now);
    warm_start(resolver, now);
}

bool resolver_set_settings(struct resolver *resolver, const struct settings *settings, int64_t now)
{
    struct resolver_change *change = resolver_prepare(resolver, settings);
    if (change == NULL) {
        return false;
    }
    resolver_take(resolver, &change, now);
    return true;
}

void resolver_settle(struct resolver *resolver, int64_t waited_us)
{
    const struct histogram_mark waited = histogram_mark_of(waited_us);
    for (unsigned i = 0; i < resolver->unsettled_count; i++) {
        const struct unsettled *answer = &resolver->unsettled[i];
        histogram_record_mark(&resolver->stats.wait[answer->class][answer->outcome], &waited);
        lists_record_wait(&resolver->lists, answer->list, &waited);
    }
    resolver->unsettled_count = 0;
    if (resolver->observer != NULL) {
        resolver->observer->settled(resolver->observer->world, waited_us);
    }
}

uint32_t resolver_waiting(const struct resolver *resolver)
{
    return resolver->queries.in_use;
}

uint32_t resolver_fetching(const struct resolver *resolver)
{
    return resolver->fetches.in_use;
}

const struct resolver_stats *resolver_stats_of(const struct resolver *resolver)
{
    return &resolver->stats;
}

/* The server with that number, when places that nobody has are not counted. */
static const struct server *resolver_find_server(const struct server_table *table, size_t index)
{
    if (index < table->count) {
        return &table->servers[index];
    }
    size_t number = table->count;
    for (size_t i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        const struct server_group *group = &table->groups[table->group_count + i];
        for (size_t place = 0; place < group->count; place++) {
            const struct server *server = &table->servers[group->first + place];
            if (!server_is_vacant(server) && number++ == index) {
                return server;
            }
        }
    }
    return NULL;
}

bool resolver_server_at(const struct resolver *resolver, size_t index, struct server_view *view_out)
{
    const struct server *server = resolver_find_server(&resolver->servers, index);
    if (server == NULL) {
        return false;
    }
    *view_out = (struct server_view){
        .group = resolver->servers.groups[server->group].name,
        .address = server->settings.address,
        .tls_name = settings_server_tls_label(&server->settings),
        .state = server_state(server),
        .sent = counter_read(&server->sent),
        .answered = counter_read(&server->answered),
        .failed = counter_read(&server->failed),
        .timed_out = counter_read(&server->timed_out),
        .lost = counter_read(&server->lost),
        .latency_us = (uint64_t)server->latency_us,
        .latency = server->latency,
    };
    return true;
}

bool resolver_ahead_is_on(const struct resolver *resolver, enum sequel_step step)
{
    return resolver->ahead.is_on && habit_step_is_on(resolver->ahead.habit, step);
}

size_t resolver_slow(
    const struct resolver *resolver, bool failed, int64_t now, struct slow_record *records_out)
{
    const struct slow *slow = &resolver->slow;
    return slow_copy(failed ? &slow->failed : &slow->slowest, now, records_out);
}

uint64_t resolver_trace_start(
    struct resolver *resolver, const struct question *question, int64_t now)
{
    return trace_start(resolver, question, now);
}

bool resolver_trace_look(const struct resolver *resolver, uint64_t id, struct trace_view *view_out)
{
    return trace_look(resolver, id, view_out);
}

struct redact_case resolver_redact(const struct resolver *resolver, const uint8_t *name, size_t len)
{
    return lists_redact(&resolver->lists, name, len);
}

static const char *resolver_list_standing(const struct lists_place *place)
{
    bool has_ended = place->row != NULL && place->row->ended != NULL;
    if (place->cause != LIST_CAUSE_NONE) {
        return list_cause_name(place->cause);
    }
    return has_ended ? "ended" : "well";
}

bool resolver_list_at(
    const struct resolver *resolver, size_t index, int64_t now, struct list_view *view_out)
{
    const struct lists *lists = &resolver->lists;
    bool is_others = index == LISTS_OTHER;
    if (index > LISTS_OTHER) {
        return false;
    }
    const struct lists_place *place = &lists->places[index];
    bool is_there = is_others ? counter_read(&place->stats.asked) > 0 : index < lists->count;
    *view_out = (struct list_view){
        .zone = is_others ? "-" : place->zone,
        .standing = resolver_list_standing(place),
        .stats = is_there ? &place->stats : NULL,
        .day = list_stats_day(&place->stats, now),
        .quota = place->row != NULL ? list_quota_of(place->row) : 0,
    };
    return true;
}
