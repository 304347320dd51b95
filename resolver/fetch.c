/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/fetch.h"

#include <string.h>

#include "base/must.h"
#include "wire/types.h"
#include "cache/mark.h"
#include "resolver/direct.h"
#include "resolver/fetch_steps.h"
#include "resolver/forward.h"
#include "resolver/resolver_private.h"

#define TO(step) (1u << FETCH_##step)

struct fetch_row {
    enum step_verdict (*run)(struct fetch_turn *turn);
    unsigned edges;
};

static const struct fetch_row fetch_rows[FETCH_STEPS] = {
    [FETCH_ROUTE] = {fetch_route, TO(ASK)},
    [FETCH_ASK] = {fetch_ask, TO(AWAIT)},
    [FETCH_AWAIT] = {fetch_await, TO(JUDGE) | TO(ASK) | TO(STORE)},
    [FETCH_JUDGE] = {fetch_judge, TO(ASK) | TO(AWAIT) | TO(STORE)},
    [FETCH_STORE] = {fetch_store, TO(PUBLISH)},
    [FETCH_PUBLISH] = {fetch_publish, TO(LINGER) | TO(END)},
    [FETCH_LINGER] = {fetch_linger, TO(END)},
};

static void fetch_reap(struct fetch_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    struct fetch *fetch = turn->fetch;
    must(list_is_empty(&fetch->waiters));
    while (!list_is_empty(&fetch->exchanges)) {
        exchange_end(resolver, list_entry(fetch->exchanges.next, struct exchange, link));
    }
    deadlines_clear(&resolver->deadlines, &fetch->deadline);
    inflight_remove(&fetch->inflight);
    if (fetch->depth > 0) {
        ahead_on_end(resolver);
    }
    pool_give(&resolver->fetches, fetch->inflight.id);
    counter_set(&resolver->stats.fetches_running, resolver->fetches.in_use);
}

static void fetch_run(struct fetch_turn *turn)
{
    unsigned asks_before = turn->fetch->asks_left;
    for (;;) {
        enum fetch_step step = turn->fetch->step;
        if (step == FETCH_END) {
            fetch_reap(turn);
            return;
        }
        enum step_verdict verdict = fetch_rows[step].run(turn);
        must(turn->fetch->asks_left <= asks_before);
        if (verdict == STEP_PARK) {
            must(turn->fetch->step == FETCH_AWAIT || turn->fetch->step == FETCH_LINGER);
            return;
        }
        must((fetch_rows[step].edges & (1u << turn->fetch->step)) != 0);
    }
}

/* An event moves a waiting fetch to `step`. */
static void fetch_wake(struct fetch_turn *turn, enum fetch_step step)
{
    must((fetch_rows[turn->fetch->step].edges & (1u << step)) != 0);
    turn->fetch->step = step;
    fetch_run(turn);
}

size_t fetch_group(const struct resolver *resolver, const struct cache_key *key)
{
    size_t at = 0;
    if (key->type == TYPE_DS && key->name[0] != 0) {
        at = (size_t)key->name[0] + 1;
    }
    return route_group(&resolver->route, key->name + at, key->name_len - at);
}

static unsigned fetch_list(const struct resolver *resolver, const struct fetch_order *order)
{
    if (order->is_placed) {
        return order->list;
    }
    return order->is_list ? lists_find(&resolver->lists, order->key) : LISTS_NONE;
}

static void fetch_init(struct fetch *fetch, uint64_t id, const struct fetch_order *order,
    const struct resolver *resolver)
{
    const struct cache_key *key = order->key;
    *fetch = (struct fetch){
        .step = FETCH_ROUTE,
        .inflight = {.key = *key, .id = id},
        .is_list = order->is_list,
        .list = fetch_list(resolver, order),
        .purpose = order->purpose,
        .ahead = order->ahead,
        .depth = order->depth,
        .asks_left = resolver->limits.asks_max,
        .mark = cache_mark(resolver->cache),
        .deadline = {.kind = LIFE_FETCH, .id = id},
        .ede = EDE_NO_REACHABLE_AUTHORITY,
    };
    memcpy(fetch->question.name, key->name, key->name_len);
    fetch->question.name_len = key->name_len;
    fetch->question.type = key->type;
    fetch->question.class = key->class;
    list_init(&fetch->exchanges);
    list_init(&fetch->waiters);
}

struct fetch *fetch_start(struct resolver *resolver, const struct fetch_order *order, int64_t now)
{
    uint64_t id;
    struct fetch *fetch = pool_take(&resolver->fetches, &id);
    if (fetch == NULL) {
        return NULL;
    }
    fetch_init(fetch, id, order, resolver);
    fetch->started_at = now;
    timeline_begin(&fetch->timeline, now);
    fetch->ends_at = now + resolver->limits.answer_deadline_us + FETCH_LATE_US;
    inflight_add(&resolver->inflight, &fetch->inflight);
    counter_add(&resolver->stats.fetches, 1);
    counter_set(&resolver->stats.fetches_running, resolver->fetches.in_use);
    hedge_earn(&resolver->hedge, resolver->limits.hedge_permille);

    struct fetch_turn turn = {.resolver = resolver, .fetch = fetch, .now = now};
    fetch_run(&turn);
    return fetch;
}

struct fetch *fetch_start_unwaited(
    struct resolver *resolver, const struct fetch_order *order, int64_t now)
{
    bool has_room = resolver->fetches.in_use < resolver->fetches.count / 2;
    if (!has_room || inflight_find(&resolver->inflight, order->key) != POOL_NONE) {
        return NULL;
    }
    return fetch_start(resolver, order, now);
}

/* It has asked all that it may, and only listens. */
static bool fetch_is_stuck(struct resolver *resolver, const struct fetch *fetch, int64_t now)
{
    struct exchange_plan plan;
    return fetch->step == FETCH_AWAIT && forward_timeout_at(fetch) == fetch->ends_at &&
           !forward_plan(resolver, fetch, now, &plan);
}

/* Whoever asks deserves as much as if nothing had been asked before. */
static void fetch_renew(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    fetch->tries = (struct tries){0};
    fetch->asks_left = resolver->limits.asks_max;
    forward_recall(resolver, fetch, now);
    deadlines_set(&resolver->deadlines, &fetch->deadline, now);
}

/* True: there were some. */
static bool fetch_end_outdated(struct resolver *resolver, struct fetch *fetch)
{
    bool had_any = false;
    const struct list *head = &fetch->exchanges;
    for (struct list *link = head->next; link != head;) {
        struct exchange *exchange = list_entry(link, struct exchange, link);
        link = link->next;
        if (cache_is_flushed(resolver->cache, &fetch->inflight.key, exchange->mark)) {
            exchange_end(resolver, exchange);
            had_any = true;
        }
    }
    return had_any;
}

void fetch_ask_anew(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    if (fetch->step != FETCH_AWAIT || fetch->is_anew || !fetch_end_outdated(resolver, fetch)) {
        return;
    }
    fetch->is_anew = true;
    fetch->is_hedging = false;
    fetch->has_again = false;
    fetch->ends_at = now + resolver->limits.answer_deadline_us + FETCH_LATE_US;
    fetch_renew(resolver, fetch, now);
}

void fetch_join(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    fetch_ask_anew(resolver, fetch, now);
    if (fetch->purpose == FETCH_FOR_CLIENT) {
        return;
    }
    bool is_stuck = fetch_is_stuck(resolver, fetch, now);
    fetch->purpose = FETCH_FOR_CLIENT;
    fetch->ahead = 0;
    fetch->ends_at = now + resolver->limits.answer_deadline_us + FETCH_LATE_US;
    if (is_stuck) {
        fetch_renew(resolver, fetch, now);
    } else if (fetch->step == FETCH_AWAIT && forward_on_joined(resolver, fetch, now)) {
        deadlines_set(&resolver->deadlines, &fetch->deadline, fetch->wakes_at);
    }
}

void fetch_note(
    struct fetch *fetch, const struct exchange *exchange, enum timeline_kind kind, int64_t now)
{
    struct timeline_event event = {.kind = (uint8_t)kind, .server = TIMELINE_SERVER_NONE};
    if (exchange != NULL) {
        event.server = exchange->told_as;
        event.transport = exchange->transport & 3u;
    }
    timeline_add(&fetch->timeline, event, now);
}

static struct fetch *fetch_of(struct resolver *resolver, const struct exchange *exchange)
{
    struct fetch *fetch = pool_find(&resolver->fetches, exchange->fetch);
    must(fetch != NULL);
    return fetch;
}

/* A lingering fetch has one exchange less to learn from. */
static void fetch_linger_on(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    if (list_is_empty(&fetch->exchanges)) {
        struct fetch_turn turn = {.resolver = resolver, .fetch = fetch, .now = now};
        fetch_wake(&turn, FETCH_END);
    }
}

/* The loser of a race has replied after all: it was late, not lost. */
static void fetch_learn(struct fetch_turn *turn)
{
    bool is_usable = turn->verdict == JUDGE_ANSWER || turn->verdict == JUDGE_NODATA ||
                     turn->verdict == JUDGE_NXDOMAIN || turn->verdict == JUDGE_TRUNCATED;
    forward_on_reply(turn->resolver, turn->exchange, is_usable, turn->now);
    exchange_end(turn->resolver, turn->exchange);
    fetch_linger_on(turn->resolver, turn->fetch, turn->now);
}

static void fetch_note_reply(const struct fetch_turn *turn)
{
    const struct exchange *exchange = turn->exchange;
    const struct timeline_event event = {
        .kind = TIMELINE_REPLIED,
        .server = exchange->told_as,
        .detail = (uint8_t)turn->verdict,
        .rcode = header_rcode(turn->reply.bytes) & 0xfu,
        .transport = exchange->transport & 3u,
        .is_late = exchange->is_late,
    };
    timeline_add(&turn->fetch->timeline, event, turn->now);
}

bool fetch_on_reply(struct resolver *resolver, struct exchange *exchange, const uint8_t *bytes,
    size_t len, int64_t now)
{
    struct fetch *fetch = fetch_of(resolver, exchange);
    struct fetch_turn turn = {
        .resolver = resolver,
        .fetch = fetch,
        .now = now,
        .exchange = exchange,
        .reply = {.bytes = bytes, .len = len, .mark = exchange->mark},
    };
    struct judge_case judged = {
        .bytes = bytes,
        .len = len,
        .asked = &fetch->question,
        .wants_dnssec = fetch->inflight.key.wants_dnssec,
        .limits = resolver->limits.ttl,
    };
    if (fetch->is_list) {
        judged.limits.ttl_min = 0; /* Who has been taken off a list is waiting for it. */
    }
    turn.verdict = exchange_judge(resolver, exchange, &judged, &turn.normalised, now);
    bool is_doubtful = turn.verdict == JUDGE_OTHER_CASE || turn.verdict == JUDGE_NO_COOKIE;
    if (turn.verdict == JUDGE_STRANGER || is_doubtful) {
        counter_add(&resolver->stats.upstream_mismatched, 1);
        if (is_doubtful && fetch->step == FETCH_AWAIT) {
            fetch_note_reply(&turn);
            fetch_wake(&turn, FETCH_JUDGE); /* The exchange stays open for the true reply. */
        }
        return false;
    }
    if (fetch->step == FETCH_LINGER) {
        fetch_learn(&turn);
    } else {
        fetch_note_reply(&turn);
        fetch_wake(&turn, FETCH_JUDGE);
    }
    return true;
}

void fetch_on_lost(
    struct resolver *resolver, struct exchange *exchange, enum line_end end, int64_t now)
{
    struct fetch *fetch = fetch_of(resolver, exchange);
    counter_add(&resolver->stats.upstream_lost, end == LINE_BROKEN ? 1 : 0);
    fetch_note(fetch, exchange, end == LINE_BROKEN ? TIMELINE_BROKEN : TIMELINE_GIVEN_UP, now);
    bool asks_on = forward_on_lost(resolver, fetch, exchange, end, now);
    if (fetch->step == FETCH_LINGER) {
        fetch_linger_on(resolver, fetch, now);
    } else if (asks_on) {
        struct fetch_turn turn = {.resolver = resolver, .fetch = fetch, .now = now};
        fetch_wake(&turn, FETCH_ASK);
    }
}

/* What happens when the time that AWAIT was given has passed; AWAIT: wait on. */
static enum fetch_step fetch_after_wait(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    if (fetch->detour.is_awaited && now < fetch->ends_at) {
        return FETCH_ASK;
    }
    if (forward_is_spent(resolver, fetch, now)) {
        return direct_is_lost(resolver, fetch, now) ? FETCH_ASK : FETCH_STORE;
    }
    bool is_held = fetch->is_hedging && !forward_may_hedge(resolver, fetch, now);
    return is_held ? FETCH_AWAIT : FETCH_ASK;
}

void fetch_on_deadline(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    struct fetch_turn turn = {.resolver = resolver, .fetch = fetch, .now = now};
    forward_on_timeout(resolver, fetch, now);
    if (fetch->step == FETCH_LINGER) {
        fetch_wake(&turn, FETCH_END);
        return;
    }
    enum fetch_step step = fetch_after_wait(resolver, fetch, now);
    if (step == FETCH_AWAIT) {
        deadlines_set(&resolver->deadlines, &fetch->deadline, fetch->wakes_at);
        return;
    }
    fetch_wake(&turn, step);
}

void fetch_retire(struct fetch *fetch)
{
    must(list_is_empty(&fetch->waiters));
    inflight_remove(&fetch->inflight);
    fetch->is_retired = true;
    fetch->asks_left = 0;
}

void fetch_turn_to(struct resolver *resolver, struct fetch *fetch, size_t group, int64_t now)
{
    const struct list *head = &fetch->exchanges;
    for (struct list *at = head->next; at != head; at = at->next) {
        struct exchange *exchange = list_entry(at, struct exchange, link);
        if (exchange->server != SERVER_NONE) {
            server_on_withdrawn(&resolver->servers.servers[exchange->server]);
        }
        exchange->server = SERVER_NONE;
        exchange->place = SERVER_NONE;
    }
    fetch->tries = (struct tries){0};
    fetch->has_again = false;
    fetch->detour.is_awaited = false;
    fetch->group = group;
    forward_recall(resolver, fetch, now);
}

void fetch_reroute(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    const struct list *head = &fetch->exchanges;
    for (struct list *at = head->next; at != head; at = at->next) {
        struct exchange *exchange = list_entry(at, struct exchange, link);
        exchange->server = SERVER_NONE;       /* Its index is of the old table. */
        exchange->mark = CACHE_MARK_OUTDATED; /* Others may have to be asked now. */
    }
    fetch->mark = CACHE_MARK_OUTDATED;
    fetch_note(fetch, NULL, TIMELINE_RELOADED, now);
    bool is_idle = fetch->is_gated || forward_timeout_at(fetch) == fetch->ends_at;
    bool waits = fetch->step == FETCH_AWAIT && !fetch->is_retired && is_idle;
    bool awaited = fetch->detour.is_awaited;
    fetch_turn_to(resolver, fetch, fetch_group(resolver, &fetch->inflight.key), now);
    direct_route(resolver, fetch, now);
    if (awaited || waits) {
        deadlines_set(&resolver->deadlines, &fetch->deadline, now);
    }
}
