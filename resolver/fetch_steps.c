/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/fetch_steps.h"

#include "base/must.h"
#include "cache/cache.h"
#include "cache/mark.h"
#include "resolver/cut.h"
#include "resolver/direct.h"
#include "resolver/direct_learn.h"
#include "resolver/fetch.h"
#include "resolver/forward.h"
#include "resolver/reason.h"

enum step_verdict fetch_route(struct fetch_turn *turn)
{
    struct fetch *fetch = turn->fetch;
    fetch->group = fetch_group(turn->resolver, &fetch->inflight.key);
    direct_route(turn->resolver, fetch, turn->now);
    forward_recall(turn->resolver, fetch, turn->now);
    fetch->step = FETCH_ASK;
    return STEP_ON;
}

static struct exchange *fetch_send(struct fetch_turn *turn, const struct exchange_plan *plan)
{
    struct fetch *fetch = turn->fetch;
    const struct exchange_form form = {
        .question = &fetch->question,
        .wants_dnssec = fetch->inflight.key.wants_dnssec,
        .checking_disabled = fetch->inflight.key.checking_disabled,
        .trusts_ad = turn->resolver->servers.groups[fetch->group].trusts_ad,
        .fetch = fetch,
    };
    return exchange_start(turn->resolver, &form, plan, turn->now);
}

static void fetch_note_asked(
    struct fetch_turn *turn, const struct exchange_plan *plan, struct exchange *exchange)
{
    struct fetch *fetch = turn->fetch;
    const struct settings_server *server = &turn->resolver->servers.servers[plan->server].settings;
    enum timeline_transport stream = settings_server_is_tls(server) ? TIMELINE_TLS : TIMELINE_TCP;
    const struct timeline_event event = {
        .kind = exchange != NULL ? TIMELINE_ASKED : TIMELINE_UNSENT,
        .server = timeline_add_server(&fetch->timeline, &server->address),
        .detail = (uint8_t)fetch->reason,
        .transport = (plan->is_stream ? stream : TIMELINE_UDP) & 3u,
    };
    timeline_add(&fetch->timeline, event, turn->now);
    fetch->reason = TIMELINE_NEXT;
    if (exchange != NULL) {
        exchange->told_as = event.server;
        exchange->transport = event.transport;
    }
}

enum step_verdict fetch_ask(struct fetch_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    struct fetch *fetch = turn->fetch;
    fetch->step = FETCH_AWAIT;
    fetch->is_hedging = false;
    if (direct_must_wait(resolver, fetch, turn->now)) {
        fetch_note(fetch, NULL, TIMELINE_SEEKING, turn->now);
        fetch->wakes_at = fetch->detour.ends_at;
        return STEP_ON;
    }
    struct exchange_plan plan;
    bool has_plan = forward_plan(resolver, fetch, turn->now, &plan);
    fetch->is_gated = has_plan && plan.is_gated;
    if (fetch->is_gated) {
        forward_ask_gate(resolver, fetch, turn->now);
    }
    if (!has_plan || fetch->is_gated) {
        fetch_note(fetch, NULL, has_plan ? TIMELINE_ALL_REST : TIMELINE_NOBODY, turn->now);
        fetch->wakes_at = forward_resume_at(resolver, fetch, turn->now);
        return STEP_ON;
    }
    must(fetch->asks_left > 0);
    fetch->asks_left--;
    fetch->has_again = false;
    unsigned tries_before = fetch->tries.asked[plan.place]++;
    if (fetch->reason == TIMELINE_NEXT && tries_before > 0) {
        fetch->reason = TIMELINE_AGAIN;
    }
    if (fetch->list <= LISTS_OTHER) {
        list_stats_send(&resolver->lists.places[fetch->list].stats, turn->now);
    }
    struct exchange *exchange = fetch_send(turn, &plan);
    fetch_note_asked(turn, &plan, exchange);
    if (exchange == NULL) {
        probe_watch(resolver, plan.server, turn->now);
        fetch->current = POOL_NONE;
        bool is_lost = direct_is_lost(resolver, fetch, turn->now);
        fetch->wakes_at = is_lost ? turn->now : forward_resume_at(resolver, fetch, turn->now);
        return STEP_ON;
    }
    if (!plan.has_edns) {
        probe_recheck_edns(resolver, plan.server, turn->now);
    }
    fetch->current = exchange->id;
    fetch->mark = exchange->mark;
    fetch->tries.silent[plan.place]++;
    forward_set_patience(resolver, fetch, exchange, tries_before);
    return STEP_ON;
}

enum step_verdict fetch_await(struct fetch_turn *turn)
{
    struct fetch *fetch = turn->fetch;
    if (fetch->wakes_at > fetch->ends_at) {
        fetch->wakes_at = fetch->ends_at;
    }
    deadlines_set(&turn->resolver->deadlines, &fetch->deadline, fetch->wakes_at);
    return STEP_PARK;
}

/* The exchange has had its reply: tell its server, and close it. */
static void fetch_close(struct fetch_turn *turn, bool is_usable)
{
    struct resolver *resolver = turn->resolver;
    struct exchange *exchange = turn->exchange;
    uint8_t *silent = turn->fetch->tries.silent;
    if (exchange->place != SERVER_NONE && silent[exchange->place] > 0) {
        silent[exchange->place]--;
    }
    forward_on_reply(resolver, exchange, is_usable, turn->now);
    exchange_end(resolver, exchange);
    turn->exchange = NULL;
}

/* The same server, asked in another way; if a reload took it away, whoever is next. */
static void fetch_plan_again(struct fetch_turn *turn, bool is_stream, bool has_edns)
{
    const struct exchange *exchange = turn->exchange;
    turn->fetch->has_again = exchange->place != SERVER_NONE;
    turn->fetch->again = (struct exchange_plan){
        .server = exchange->server,
        .place = exchange->place,
        .is_stream = is_stream,
        .has_edns = has_edns,
    };
    turn->fetch->step = FETCH_ASK;
}

static void fetch_ask_again(struct fetch_turn *turn, bool is_stream, bool has_edns)
{
    fetch_plan_again(turn, is_stream, has_edns);
    fetch_close(turn, true);
}

static void fetch_ask_plain(struct fetch_turn *turn)
{
    const struct exchange *exchange = turn->exchange;
    if (exchange->place != SERVER_NONE) {
        turn->fetch->tries.is_plain[exchange->place] = true;
    }
    turn->fetch->reason = TIMELINE_PLAIN;
    fetch_ask_again(turn, exchange->is_stream, false);
}

/* Once by UDP, with the cookie that came with the refusal; whoever is never content with its own
 * cookies is asked where none is needed (RFC 7873 section 5.3). */
static void fetch_ask_with_cookie(struct fetch_turn *turn)
{
    fetch_plan_again(turn, turn->exchange->is_recookied, turn->exchange->has_edns);
    turn->fetch->again.is_recookied = true;
    turn->fetch->reason = TIMELINE_COOKIE;
    fetch_close(turn, true);
}

/* The spelling or the cookie did not come back: asked anew at once, without the spelling, or to see
 * whether the server has lost its cookies. The try is over, but if this reply was forged, the true
 * one may come. */
static void fetch_ask_in_doubt(struct fetch_turn *turn)
{
    fetch_plan_again(turn, false, turn->exchange->has_edns);
    turn->fetch->reason = TIMELINE_DOUBT;
    turn->exchange->is_late = true;
}

/* Some resolvers refuse to ask certain lists (REFUSED): then these are asked without them. */
static bool fetch_is_shut_out(struct fetch_turn *turn, enum ede ede)
{
    const struct lists *lists = &turn->resolver->lists;
    return ede == EDE_PROHIBITED && turn->fetch->is_list &&
           lists_row(lists, &turn->fetch->inflight.key) != NULL &&
           direct_on_refusal(turn->resolver, turn->fetch, turn->now);
}

/* This server will not help; another may, now or when its late reply comes. */
static void fetch_fail_server(struct fetch_turn *turn, enum ede ede)
{
    struct fetch *fetch = turn->fetch;
    if (turn->exchange->place != SERVER_NONE) {
        fetch->tries.has_failed[turn->exchange->place] = true;
    }
    fetch->ede = reason_after(fetch->ede, ede, turn->reply.bytes, turn->reply.len);
    forward_remember(turn->resolver, fetch, turn->exchange, true, turn->now);
    bool was_current = turn->exchange->id == fetch->current;
    counter_add(&turn->resolver->stats.upstream_failures, 1);
    fetch_close(turn, false);
    if (direct_is_lost(turn->resolver, fetch, turn->now)) {
        fetch->step = FETCH_ASK;
    } else if (forward_is_spent(turn->resolver, fetch, turn->now)) {
        fetch->step = fetch_is_shut_out(turn, ede) ? FETCH_ASK : FETCH_STORE;
    } else if (was_current) {
        fetch->step = FETCH_ASK;
    } else {
        fetch->step = FETCH_AWAIT;
    }
}

/* Without EDNS it answers what it said it would not answer with it: so it is the OPT record that it
 * does not take, and not one question (RFC 6891 section 7). What it has said nothing to, with EDNS,
 * may have been lost. An exchange that was sent plain because this was known shows nothing new, or
 * EDNS would never get its next chance. */
static void fetch_note_plain(struct fetch_turn *turn)
{
    const struct exchange *exchange = turn->exchange;
    if (exchange->has_edns || exchange->server == SERVER_NONE) {
        return;
    }
    struct server *server = &turn->resolver->servers.servers[exchange->server];
    if (exchange->sent_at < server->plain_until) {
        return;
    }
    if (turn->fetch->tries.is_plain[exchange->place]) {
        server->plain_until = turn->now + SERVER_PLAIN_FOR_US;
    } else if (!server->knows_edns) {
        probe_check_edns(turn->resolver, exchange->server, turn->now);
    }
}

/* Instead of what the list said: nothing, "not listed", or what it said for a short time. */
static void fetch_replace(struct fetch_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    struct normalised *normalised = &turn->normalised;
    const struct refusal *refusal = &turn->refusal;
    switch (refusal->action) {
    case LISTS_ACTION_SERVFAIL:
        turn->has_answer = false;
        return;
    case LISTS_ACTION_NXDOMAIN:
        normalised->len =
            refusal_deny(resolver, refusal, &turn->fetch->inflight.key, resolver->normalised);
        normalised->ttl = refusal->keep_s;
        normalised->has_soa = true;
        normalised->is_chained = true; /* Nothing is concluded from it. */
        turn->is_ad = false;
        turn->verdict = JUDGE_NXDOMAIN;
        return;
    case LISTS_ACTION_PASS:
        refusal_bound_ttls(resolver->normalised, normalised->len, 0, refusal->keep_s);
        if (normalised->ttl > refusal->keep_s) {
            normalised->ttl = refusal->keep_s;
        }
        return;
    }
}

/* "Not listed" is kept by bounds of its own; postscreen reads the SOA's TTL. */
static void fetch_bound_denial(struct fetch_turn *turn)
{
    struct normalised *normalised = &turn->normalised;
    uint32_t max = turn->resolver->limits.ttl.negative_ttl_max;
    max = max < REFUSAL_NEGATIVE_MAX_S ? max : REFUSAL_NEGATIVE_MAX_S;
    uint32_t min = max < REFUSAL_NEGATIVE_MIN_S ? max : REFUSAL_NEGATIVE_MIN_S;
    bool has_no_end = !normalised->has_soa || normalised->ttl < min;
    if (turn->verdict == JUDGE_ANSWER || turn->fetch->list == LISTS_NONE) {
        return;
    }
    normalised->ttl = has_no_end ? min : normalised->ttl;
    normalised->ttl = normalised->ttl > max ? max : normalised->ttl;
    refusal_bound_ttls(turn->resolver->normalised, normalised->len, min, max);
}

/* The list refuses those who ask for us, and may answer us: then this reply is nobody's, and the
 * list's own name servers are asked. */
static bool fetch_evades(struct fetch_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    struct fetch *fetch = turn->fetch;
    const struct cache_key *key = &fetch->inflight.key;
    const struct list_zone *row = lists_row_at(&resolver->lists, fetch->list, key);
    struct list_answer answer =
        list_answer_of(row, key->type, resolver->normalised, turn->normalised.len);
    if (row == NULL || !list_cause_is_path(answer.cause) ||
        !direct_on_refusal(resolver, fetch, turn->now)) {
        return false;
    }
    turn->has_answer = false;
    fetch->step = FETCH_ASK;
    return true;
}

/* The one place where a list's refusal is first seen. */
static void fetch_take_list_answer(struct fetch_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    struct fetch *fetch = turn->fetch;
    if (fetch_evades(turn)) {
        return;
    }
    turn->refusal =
        refusal_judge(resolver, fetch->list, &fetch->inflight.key, turn->normalised.len, turn->now);
    if (turn->refusal.cause == LIST_CAUSE_NONE) {
        fetch_bound_denial(turn);
        direct_on_answer(resolver, fetch);
        return;
    }
    counter_add(&resolver->stats.list_refusals, 1);
    fetch_note(fetch, NULL, TIMELINE_LIST_REFUSED, turn->now);
    fetch->ede = EDE_PROHIBITED;
    fetch_replace(turn);
}

static void fetch_take_answer(struct fetch_turn *turn)
{
    turn->has_answer = true;
    turn->is_ad = turn->normalised.is_ad && turn->exchange->trusts_ad;
    fetch_note_plain(turn);
    forward_remember(turn->resolver, turn->fetch, turn->exchange, false, turn->now);
    fetch_close(turn, true);
    turn->fetch->step = FETCH_STORE;
    if (turn->fetch->is_list) {
        fetch_take_list_answer(turn);
    } else {
        direct_on_answer(turn->resolver, turn->fetch);
    }
}

/* The zone's name servers say that others know. */
static void fetch_follow(struct fetch_turn *turn)
{
    bool is_followed = turn->exchange->server != SERVER_NONE &&
                       direct_follow(turn->resolver, turn->fetch, &turn->reply, turn->now);
    if (is_followed) {
        fetch_close(turn, true);
        turn->fetch->step = FETCH_ASK;
    } else {
        fetch_fail_server(turn, EDE_OTHER);
    }
}

enum step_verdict fetch_judge(struct fetch_turn *turn)
{
    struct resolver_stats *stats = &turn->resolver->stats;
    switch (turn->verdict) {
    case JUDGE_ANSWER:
    case JUDGE_NODATA:
    case JUDGE_NXDOMAIN:
        fetch_take_answer(turn);
        return STEP_ON;
    case JUDGE_TRUNCATED:
        counter_add(&stats->upstream_truncated, 1);
        turn->fetch->reason = TIMELINE_TRUNCATED;
        fetch_ask_again(turn, true, turn->exchange->has_edns);
        return STEP_ON;
    case JUDGE_NO_EDNS:
        fetch_ask_plain(turn);
        return STEP_ON;
    case JUDGE_BAD_COOKIE:
        fetch_ask_with_cookie(turn);
        return STEP_ON;
    case JUDGE_OTHER_CASE:
    case JUDGE_NO_COOKIE:
        fetch_ask_in_doubt(turn);
        return STEP_ON;
    case JUDGE_MALFORMED:
        counter_add(&stats->upstream_malformed, 1);
        fetch_fail_server(turn, EDE_NETWORK_ERROR);
        return STEP_ON;
    case JUDGE_REFUSED:
        fetch_fail_server(turn, EDE_PROHIBITED);
        return STEP_ON;
    case JUDGE_REFERRAL:
        fetch_follow(turn);
        return STEP_ON;
    case JUDGE_SERVFAIL:
    case JUDGE_LAME:
        fetch_fail_server(turn, EDE_OTHER);
        return STEP_ON;
    case JUDGE_STRANGER:
        break;
    }
    must_never("a stranger's reply is turned away at the door");
}

static enum cache_kind fetch_kind(enum judge_verdict verdict)
{
    if (verdict == JUDGE_NXDOMAIN) {
        return CACHE_KIND_NXDOMAIN;
    }
    return verdict == JUDGE_NODATA ? CACHE_KIND_NODATA : CACHE_KIND_ANSWER;
}

/* Of the reply that ends the fetch; without one, of what it asked last. */
static uint64_t fetch_mark(const struct fetch_turn *turn)
{
    return turn->reply.bytes != NULL ? turn->reply.mark : turn->fetch->mark;
}

static void fetch_store_failure(struct fetch_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    const struct fetch *fetch = turn->fetch;
    const struct cache_key *key = &fetch->inflight.key;
    bool is_kept = !cache_is_flushed(resolver->cache, key, fetch_mark(turn));
    if (turn->refusal.cause != LIST_CAUSE_NONE) {
        if (is_kept) {
            cache_store_refusal(resolver->cache, key, fetch->ede, turn->refusal.keep_s, turn->now);
        }
        return;
    }
    counter_add(&resolver->stats.fetches_failed, 1);
    if (is_kept && !fetch->is_retired && fetch->purpose != FETCH_FOR_AHEAD) {
        cache_store_failure(resolver->cache, key, fetch->ede, turn->now);
    }
    if (fetch->list < LISTS_MAX) {
        counter_add(&resolver->lists.places[fetch->list].stats.errors, 1);
        list_test_note(resolver, fetch->list, key, NULL, turn->now);
    }
}

/* What denies a name denies all its types. On a list that is the address record and the text beside
 * it. */
static bool fetch_is_any_type(const struct fetch_turn *turn)
{
    const struct normalised *normalised = &turn->normalised;
    return turn->verdict == JUDGE_NXDOMAIN && normalised->has_soa && !normalised->is_chained &&
           cut_is_denial(&turn->fetch->inflight.key);
}

static struct cache_birth fetch_birth(const struct fetch_turn *turn)
{
    static const enum cache_reason reasons[] = {
        [FETCH_FOR_CLIENT] = CACHE_REASON_CLIENT,
        [FETCH_FOR_REFRESH] = CACHE_REASON_REFRESH,
        [FETCH_FOR_AHEAD] = CACHE_REASON_AHEAD,
        [FETCH_FOR_HOUSE] = CACHE_REASON_REFRESH,
    };
    int64_t cost_us = turn->now - turn->fetch->started_at;
    return (struct cache_birth){
        .reason = reasons[turn->fetch->purpose],
        .cost_us = cost_us < 1            ? 1
                   : cost_us < UINT32_MAX ? (uint32_t)cost_us
                                          : UINT32_MAX,
    };
}

enum step_verdict fetch_store(struct fetch_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    const struct cache_key *key = &turn->fetch->inflight.key;
    turn->fetch->step = FETCH_PUBLISH;
    if (!turn->has_answer) {
        fetch_store_failure(turn);
        return STEP_ON;
    }
    const struct normalised *normalised = &turn->normalised;
    uint32_t ttl = normalised->ttl;
    bool has_no_lifetime =
        turn->verdict != JUDGE_ANSWER && !normalised->has_soa && turn->fetch->list == LISTS_NONE;
    if (has_no_lifetime && ttl > FETCH_TTL_WITHOUT_SOA_S) {
        ttl = FETCH_TTL_WITHOUT_SOA_S;
    }
    struct cache_fill fill = {
        .kind = fetch_kind(turn->verdict),
        .message = resolver->normalised,
        .len = normalised->len,
        .ttl_s = ttl,
        .is_ad = turn->is_ad,
        .is_list = turn->fetch->is_list,
        .is_any_type = fetch_is_any_type(turn),
        .ahead = turn->fetch->ahead,
        .origin = resolver->servers.groups[turn->fetch->group].origin,
        .mark = fetch_mark(turn),
        .birth = fetch_birth(turn),
    };
    bool is_kept = fill.ttl_s == 0 && turn->fetch->purpose == FETCH_FOR_REFRESH;
    if (!is_kept) {
        cache_store(resolver->cache, key, &fill, turn->now);
    }
    refresh_on_answer(resolver, turn->fetch, fill.ttl_s, turn->now);
    return STEP_ON;
}

enum step_verdict fetch_publish(struct fetch_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    struct fetch *fetch = turn->fetch;
    struct publication publication = {
        .stored = turn->has_answer ? turn->resolver->normalised : NULL,
        .stored_len = turn->normalised.len,
        .is_ad = turn->is_ad,
        .ede = fetch->ede,
        .ede_text = reason_sentence(fetch->ede),
        .timeline = &fetch->timeline,
    };
    if (turn->refusal.cause != LIST_CAUSE_NONE) {
        publication.ede_text = turn->refusal.sentence;
    } else if (turn->has_answer) {
        publication.ede = EDE_NONE;
    }
    if (fetch->list <= LISTS_OTHER) {
        histogram_record(
            &resolver->lists.places[fetch->list].stats.miss, turn->now - fetch->started_at);
    }
    struct list *link;
    while ((link = list_take_first(&fetch->waiters)) != NULL) {
        struct query *query = list_entry(link, struct query, waiters);
        query_on_published(turn->resolver, query, &publication, turn->now);
    }
    inflight_remove(&fetch->inflight);
    direct_learn_on_published(turn->resolver, &fetch->inflight.key, &publication, turn->now);
    if (turn->has_answer) {
        ahead_on_answer(
            turn->resolver, fetch, turn->resolver->normalised, turn->normalised.len, turn->now);
    }
    fetch->step = forward_has_losers(fetch) ? FETCH_LINGER : FETCH_END;
    return fetch->step == FETCH_END ? STEP_END : STEP_ON;
}

enum step_verdict fetch_linger(struct fetch_turn *turn)
{
    struct fetch *fetch = turn->fetch;
    forward_drop_late(turn->resolver, fetch);
    fetch->wakes_at = forward_timeout_at(fetch);
    deadlines_set(&turn->resolver->deadlines, &fetch->deadline, fetch->wakes_at);
    return STEP_PARK;
}
