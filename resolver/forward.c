/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/forward.h"

#include "cache/mark.h"
#include "resolver/fetch.h"
#include "resolver/pick.h"
#include "resolver/resolver_private.h"

static const struct server_group *forward_group(
    const struct resolver *resolver, const struct fetch *fetch)
{
    return &resolver->servers.groups[fetch->group];
}

static struct server *forward_server(struct resolver *resolver, const struct exchange *exchange)
{
    bool is_known = exchange->server != SERVER_NONE;
    return is_known ? &resolver->servers.servers[exchange->server] : NULL;
}

/* A server that has never answered with EDNS may be one that drops it (or a wall before it does):
 * the second try of a question asks without. Whether it does is for probes to find out, and until
 * then it is left out. Loss alone says nothing about one that has answered, and over TLS nothing is
 * dropped for what it carries. */
static bool forward_wants_edns(const struct server *server, unsigned tries_before, int64_t now)
{
    bool is_known = server->knows_edns || settings_server_is_tls(&server->settings);
    bool is_doubtful = server->probe.plain_us > 0 || (!is_known && tries_before > 0);
    return now >= server->plain_until && !is_doubtful;
}

/* Messages that are not for this group: when a zone's own name servers do not help, the upstream
 * servers are still to be asked. */
static unsigned forward_asks_kept(const struct resolver *resolver, const struct fetch *fetch)
{
    return forward_group(resolver, fetch)->is_direct ? resolver->limits.asks_max / 3 : 0;
}

bool forward_plan(struct resolver *resolver, const struct fetch *fetch, int64_t now,
    struct exchange_plan *plan_out)
{
    if (fetch->asks_left <= forward_asks_kept(resolver, fetch) || now >= fetch->ends_at) {
        return false;
    }
    if (fetch->has_again) {
        *plan_out = fetch->again;
        return true;
    }
    const struct server_group *group = forward_group(resolver, fetch);
    size_t place = pick_server(&resolver->servers, group, &fetch->tries, resolver->random, now);
    if (place == SERVER_NONE) {
        return false;
    }
    const struct server *server = &resolver->servers.servers[group->first + place];
    *plan_out = (struct exchange_plan){
        .server = group->first + place,
        .place = place,
        .is_stream = settings_server_is_tls(&server->settings),
        .has_edns = forward_wants_edns(server, fetch->tries.asked[place], now),
        .is_gated = server_is_resting(server),
    };
    return !plan_out->is_gated || !group->is_direct; /* There is another way than to wait. */
}

void forward_recall(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    const struct server_group *group = forward_group(resolver, fetch);
    uint64_t question = fetch->inflight.hash;
    uint64_t mark = cache_mark(resolver->cache);
    if (resolver->doubts_mark != mark) {
        resolver->doubts = (struct doubts){0}; /* A flush is about failures, too. */
        resolver->doubts_mark = mark;
    }
    for (size_t place = 0; place < group->count; place++) {
        uint64_t server = server_id(&resolver->servers, group->first + place);
        enum doubt_verdict verdict = doubt_of(&resolver->doubts, question, server, now);
        fetch->tries.is_doubtful[place] = verdict != DOUBT_NONE;
        fetch->tries.has_failed[place] = verdict == DOUBT_FIRM;
        if (verdict == DOUBT_FIRM) {
            /* If nobody else can be asked, that is why. */
            fetch->ede = (enum ede)doubt_reason(&resolver->doubts, question, server);
        }
    }
}

void forward_remember(struct resolver *resolver, const struct fetch *fetch,
    const struct exchange *exchange, bool has_failed, int64_t now)
{
    if (exchange->server == SERVER_NONE ||
        cache_is_flushed(resolver->cache, &fetch->inflight.key, exchange->mark)) {
        return;
    }
    uint64_t question = fetch->inflight.hash;
    uint64_t server = server_id(&resolver->servers, exchange->server);
    if (has_failed) {
        bool is_new = doubt_add(&resolver->doubts, question, server, now);
        doubt_give_reason(&resolver->doubts, question, server, (uint16_t)fetch->ede);
        server_on_failure(&resolver->servers.servers[exchange->server], is_new);
    } else {
        doubt_clear(&resolver->doubts, question, server);
    }
}

/* A reply that may help is awaited. Of a try that has had its time none is, once its server has
 * said to another one that it fails. */
static bool forward_awaits(const struct fetch *fetch)
{
    const struct list *head = &fetch->exchanges;
    for (struct list *link = head->next; link != head; link = link->next) {
        const struct exchange *exchange = list_entry(link, struct exchange, link);
        bool is_known = exchange->place != SERVER_NONE;
        if (!exchange->is_late || !is_known || !fetch->tries.has_failed[exchange->place]) {
            return true;
        }
    }
    return false;
}

bool forward_is_spent(struct resolver *resolver, const struct fetch *fetch, int64_t now)
{
    if (now >= fetch->ends_at) {
        return true;
    }
    struct exchange_plan plan;
    return !forward_awaits(fetch) && !forward_plan(resolver, fetch, now, &plan);
}

/* 0 is no time at all, but none known. */
static int64_t forward_shorter(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The shortest of the usual tails in the group: finding out about a slow or unknown server is not
 * to cost a client more than the others would. One that refuses everything is quick about it, and
 * how quick one was that is dead helps nobody: they count where there are no others. 0: nothing is
 * known yet. */
static int64_t forward_group_tail(const struct resolver *resolver, const struct fetch *fetch)
{
    const struct server_group *group = forward_group(resolver, fetch);
    int64_t of_well = 0;
    int64_t of_all = 0;
    for (size_t place = 0; place < group->count; place++) {
        const struct server *server = &resolver->servers.servers[group->first + place];
        int64_t tail = server_hedge_delay(server, resolver->limits.hedge_permille);
        bool is_well = !server_is_resting(server) && !server_is_failing(server);
        of_well = forward_shorter(of_well, is_well ? tail : 0);
        of_all = forward_shorter(of_all, tail);
    }
    return of_well != 0 ? of_well : of_all;
}

/* Tries of this question that are open, late ones too. */
static unsigned forward_open(const struct fetch *fetch)
{
    unsigned open = 0;
    const struct list *head = &fetch->exchanges;
    for (const struct list *link = head->next; link != head; link = link->next) {
        open++;
    }
    return open;
}

void forward_set_patience(struct resolver *resolver, struct fetch *fetch, struct exchange *exchange,
    unsigned tries_before)
{
    const struct server *server = forward_server(resolver, exchange);
    int64_t timeout = server_try_timeout(server, tries_before, resolver->limits.try_timeout_us);
    int64_t tail = forward_group_tail(resolver, fetch);
    /* A hedge may be lost as well; each further one has to wait twice as long. */
    unsigned open = forward_open(fetch);
    tail <<= open < 4 ? open - 1 : 3;
    exchange->times_out_at = exchange->sent_at + timeout;
    exchange->hedge_at = exchange->sent_at + tail;
    bool is_waited_for = fetch->purpose == FETCH_FOR_CLIENT;
    fetch->is_hedging = is_waited_for && tail != 0 && tail < timeout;
    if (!fetch->is_hedging) {
        fetch->wakes_at = exchange->times_out_at;
        return;
    }
    int64_t glance_at = exchange->sent_at + server_silence(server);
    fetch->wakes_at = glance_at < exchange->hedge_at ? glance_at : exchange->hedge_at;
}

bool forward_on_joined(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    const struct exchange *current = pool_find(&resolver->exchanges, fetch->current);
    if (current == NULL || current->is_late || current->hedge_at <= current->sent_at ||
        current->hedge_at >= current->times_out_at) {
        return false;
    }
    fetch->is_hedging = true;
    fetch->wakes_at = current->hedge_at > now ? current->hedge_at : now;
    return true;
}

/* The current server is a slow one that was asked to measure it again: that was our curiosity. */
static bool forward_is_free(struct resolver *resolver, const struct fetch *fetch,
    const struct exchange *current, const struct exchange_plan *plan)
{
    const struct server *server = forward_server(resolver, current);
    const struct server *other = &resolver->servers.servers[plan->server];
    if (server == NULL || other == server || server_is_resting(other)) {
        return false;
    }
    int64_t own = server_hedge_delay(server, resolver->limits.hedge_permille);
    return own > 2 * forward_group_tail(resolver, fetch);
}

/* The current server has gone quiet altogether, and the other one has not: asking that one is no
 * extra load but the way out. */
static bool forward_is_quiet(struct resolver *resolver, const struct exchange *current,
    const struct exchange_plan *plan, int64_t now)
{
    const struct server *server = forward_server(resolver, current);
    const struct server *other = &resolver->servers.servers[plan->server];
    return server != NULL && other != server && server_is_silent(server, now) &&
           !server_is_silent(other, now) && !server_is_resting(other);
}

/* The budget allows it, and the loser will tell whether it was needed. */
static bool forward_pay(struct resolver *resolver, struct exchange *current)
{
    if (!hedge_spend(&resolver->hedge)) {
        counter_add(&resolver->stats.hedges_unaffordable, 1);
        return false;
    }
    current->is_hedged = true;
    return true;
}

bool forward_may_hedge(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    struct exchange *current = pool_find(&resolver->exchanges, fetch->current);
    struct exchange_plan plan;
    bool has_plan = current != NULL && forward_plan(resolver, fetch, now, &plan) && !plan.is_gated;
    bool is_quiet = has_plan && forward_is_quiet(resolver, current, &plan, now);
    if (has_plan && !is_quiet && now < current->hedge_at) {
        fetch->wakes_at = current->hedge_at;
        return false;
    }
    fetch->is_hedging = false;
    fetch->wakes_at = forward_timeout_at(fetch);
    if (!has_plan) {
        return false;
    }
    bool is_free = is_quiet || forward_is_free(resolver, fetch, current, &plan);
    if (!is_free && !forward_pay(resolver, current)) {
        return false;
    }
    counter_add(&resolver->stats.hedges, 1);
    fetch->reason = is_quiet ? TIMELINE_SILENT : TIMELINE_HEDGE;
    return true;
}

int64_t forward_timeout_at(const struct fetch *fetch)
{
    int64_t at = fetch->ends_at;
    const struct list *head = &fetch->exchanges;
    for (struct list *link = head->next; link != head; link = link->next) {
        const struct exchange *exchange = list_entry(link, struct exchange, link);
        if (!exchange->is_late && exchange->times_out_at < at) {
            at = exchange->times_out_at;
        }
    }
    return at;
}

void forward_on_reply(
    struct resolver *resolver, const struct exchange *exchange, bool is_usable, int64_t now)
{
    struct server *server = forward_server(resolver, exchange);
    if (exchange->is_late && !exchange->is_overslept) {
        counter_add(&resolver->stats.upstream_late, 1);
    }
    if (server == NULL) {
        return;
    }
    if (exchange->has_edns) {
        server_on_edns(server);
    }
    bool was_resting = server_is_resting(server);
    const struct server_reply reply = exchange_as_reply(exchange, is_usable, now);
    server_on_reply(server, &reply, now);
    if (was_resting) {
        forward_open_gate(resolver, server, now);
        server->probe.missed = 0;
    }
}

/* If the server was away, that it said nothing was not about the question. If it answered a probe
 * at once it may well have been, and one try more than RFC 9520 section 3.1 has is to tell. */
static void forward_forgive(struct fetch *fetch, bool was_away)
{
    uint8_t most = was_away ? 0 : PICK_SILENT_MAX - 1;
    for (size_t place = 0; place < SETTINGS_SERVERS_MAX; place++) {
        uint8_t *silent = &fetch->tries.silent[place];
        *silent = *silent < most ? *silent : most;
    }
}

/* Whoever waits for nothing better goes on; in the next turn, not from below this one. */
void forward_open_gate(struct resolver *resolver, const struct server *server, int64_t now)
{
    bool was_away = probe_was_missed(&server->probe);
    for (uint32_t i = 0; i < resolver->fetches.count; i++) {
        struct fetch *fetch = pool_at(&resolver->fetches, i);
        bool waits = fetch != NULL && fetch->step == FETCH_AWAIT && !fetch->is_retired &&
                     fetch->group == server->group;
        if (waits && (fetch->is_gated || !forward_has_losers(fetch))) {
            forward_forgive(fetch, was_away);
            /* All its tries may have been made while nobody was there. */
            bool is_spent = fetch->asks_left == 0 && !list_is_empty(&fetch->waiters);
            fetch->asks_left += is_spent ? 1 : 0;
            deadlines_set(&resolver->deadlines, &fetch->deadline, now);
        }
    }
}

/* None of those who have not failed on this question has been heard of for a while. */
static bool forward_is_hopeless(const struct resolver *resolver, const struct fetch *fetch)
{
    const struct server_group *group = forward_group(resolver, fetch);
    bool is_hopeless = true;
    for (size_t place = 0; place < group->count; place++) {
        const struct probe *probe = &resolver->servers.servers[group->first + place].probe;
        is_hopeless =
            is_hopeless && (fetch->tries.has_failed[place] || probe->missed >= PROBE_HOPE_MAX);
    }
    return is_hopeless;
}

static bool forward_has_failed(const struct resolver *resolver, const struct fetch *fetch)
{
    bool has_failed = false;
    for (size_t place = 0; place < forward_group(resolver, fetch)->count; place++) {
        has_failed = has_failed || fetch->tries.has_failed[place];
    }
    return has_failed;
}

void forward_ask_gate(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    const struct server_group *group = forward_group(resolver, fetch);
    for (size_t place = 0; place < group->count; place++) {
        probe_hasten(resolver, group->first + place, now);
    }
    int64_t patience = forward_has_failed(resolver, fetch) ? 0 : FETCH_HOPELESS_US;
    if (forward_is_hopeless(resolver, fetch) && fetch->ends_at > now + patience) {
        fetch->ends_at = now + patience;
    }
}

static void forward_time_out(struct resolver *resolver, struct exchange *exchange, int64_t now)
{
    struct server *server = forward_server(resolver, exchange);
    exchange->is_late = true;
    counter_add(&resolver->stats.upstream_timeouts, 1);
    if (exchange->is_hedged) {
        counter_add(&resolver->stats.hedges_needed, 1);
        hedge_return(&resolver->hedge);
    }
    if (server != NULL) {
        server_on_timeout(server);
        probe_watch(resolver, exchange->server, now);
    }
}

void forward_on_timeout(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    const struct list *head = &fetch->exchanges;
    for (struct list *link = head->next; link != head; link = link->next) {
        struct exchange *exchange = list_entry(link, struct exchange, link);
        if (!exchange->is_late && now >= exchange->times_out_at) {
            forward_time_out(resolver, exchange, now);
            fetch_note(fetch, exchange, TIMELINE_TIMED_OUT, now);
        }
    }
}

bool forward_has_losers(const struct fetch *fetch)
{
    const struct list *head = &fetch->exchanges;
    for (struct list *link = head->next; link != head; link = link->next) {
        const struct exchange *exchange = list_entry(link, struct exchange, link);
        if (!exchange->is_late && exchange->server != SERVER_NONE) {
            return true;
        }
    }
    return false;
}

void forward_drop_late(struct resolver *resolver, struct fetch *fetch)
{
    const struct list *head = &fetch->exchanges;
    for (struct list *link = head->next; link != head;) {
        struct exchange *exchange = list_entry(link, struct exchange, link);
        link = link->next;
        if (exchange->is_late) {
            exchange_end(resolver, exchange);
        }
    }
}

/* How long to leave the group alone when every server of it has been tried. */
static int64_t forward_pause(const struct fetch *fetch, size_t place)
{
    return fetch->tries.asked[place] > 1 ? 2 * FETCH_PAUSE_US : FETCH_PAUSE_US;
}

int64_t forward_resume_at(struct resolver *resolver, const struct fetch *fetch, int64_t now)
{
    struct exchange_plan plan;
    if (!forward_plan(resolver, fetch, now, &plan)) {
        return forward_awaits(fetch) ? forward_timeout_at(fetch) : now;
    }
    bool is_new = fetch->has_again || fetch->tries.asked[plan.place] == 0;
    if (plan.is_gated) {
        return forward_timeout_at(fetch);
    }
    return is_new ? now : now + forward_pause(fetch, plan.place);
}

/* A server may close an idle stream just as we write to it, so the first time a stream breaks it is
 * opened anew at once (RFC 7766 section 6.2.4). The second time it is the server. UDP would only
 * say TC again, so it has failed on this question; but one that speaks TLS alone may just be
 * starting anew, and is asked again after a pause, as one is whose UDP port is closed. */
static void forward_on_broken(
    const struct server *server, struct fetch *fetch, const struct exchange *exchange)
{
    size_t place = exchange->place;
    if (!exchange->is_stream || place == SERVER_NONE || server == NULL) {
        return;
    }
    if (fetch->tries.has_broken[place]) {
        fetch->tries.has_failed[place] = !settings_server_is_tls(&server->settings);
        fetch->ede = EDE_NETWORK_ERROR;
        return;
    }
    fetch->tries.has_broken[place] = true;
    fetch->has_again = true;
    fetch->reason = TIMELINE_REOPENED;
    fetch->again = (struct exchange_plan){.server = exchange->server,
        .place = place,
        .is_stream = true,
        .has_edns = exchange->has_edns};
}

/* The server is as well as before, and somebody wants to be quicker than it is: the same question
 * goes to it at once, from another port. */
static void forward_on_given_up(struct fetch *fetch, const struct exchange *exchange)
{
    if (exchange->server == SERVER_NONE) {
        return;
    }
    fetch->has_again = true;
    fetch->reason = TIMELINE_REOPENED;
    fetch->again = (struct exchange_plan){.server = exchange->server,
        .place = exchange->place,
        .is_stream = exchange->is_stream,
        .has_edns = exchange->has_edns,
        .is_recookied = exchange->is_recookied};
}

/* What the loss says about the server. */
static void forward_blame(struct resolver *resolver, struct fetch *fetch,
    const struct exchange *exchange, enum line_end end, int64_t now)
{
    struct server *server = forward_server(resolver, exchange);
    if (server == NULL || exchange->is_overslept) {
        return;
    }
    uint8_t *silent = &fetch->tries.silent[exchange->place];
    *silent = (uint8_t)(*silent - (*silent > 0 ? 1 : 0));
    if (end == LINE_BROKEN) {
        server_on_lost(server, exchange->is_stream);
        probe_watch(resolver, exchange->server, now);
    }
}

bool forward_on_lost(struct resolver *resolver, struct fetch *fetch, struct exchange *exchange,
    enum line_end end, int64_t now)
{
    bool is_current = exchange->id == fetch->current && !exchange->is_late;
    if (is_current) {
        fetch->is_hedging = false; /* There is nothing left to hedge against. */
    }
    forward_blame(resolver, fetch, exchange, end, now);
    if (is_current && end == LINE_GIVEN_UP) {
        forward_on_given_up(fetch, exchange);
    } else if (is_current) {
        forward_on_broken(forward_server(resolver, exchange), fetch, exchange);
    }
    exchange_forget(resolver, exchange);
    if (fetch->step == FETCH_LINGER) {
        return false;
    }
    if (!is_current && !forward_is_spent(resolver, fetch, now)) {
        return false;
    }
    fetch->wakes_at = forward_resume_at(resolver, fetch, now);
    if (is_current && fetch->wakes_at == now && !forward_is_spent(resolver, fetch, now)) {
        return true;
    }
    deadlines_set(&resolver->deadlines, &fetch->deadline, fetch->wakes_at);
    return false;
}
