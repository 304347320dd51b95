/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/probe.h"

#include <inttypes.h>

#include "base/clock.h"
#include "wire/match.h"
#include "wire/question.h"
#include "wire/types.h"
#include "resolver/direct.h"
#include "resolver/events.h"
#include "resolver/exchange.h"
#include "resolver/forward.h"
#include "resolver/resolver_private.h"

static const struct question probe_question = {
    .name = {0}, .name_len = 1, .type = TYPE_NS, .class = CLASS_IN};

static struct server *probe_server(struct resolver *resolver, size_t index)
{
    return &resolver->servers.servers[index];
}

static void probe_arm(struct resolver *resolver, size_t index, int64_t at)
{
    struct probe *probe = &probe_server(resolver, index)->probe;
    probe->deadline.kind = LIFE_PROBE;
    probe->deadline.id = index;
    deadlines_set(&resolver->deadlines, &probe->deadline, at);
}

/* Servers found on the net are silent often enough, and there are others of their zone. */
static void probe_tell_rest(struct resolver *resolver, struct server *server, int64_t now)
{
    const struct server_group *group = &resolver->servers.groups[server->group];
    char address[ADDRESS_TEXT_SIZE];
    if (group->is_direct || server->probe.is_told) {
        return;
    }
    server->probe.is_told = true;
    server->probe.told_at = now;
    address_format(&server->settings.address, address, sizeof address);
    log_event_limited(&event_upstream_rests, &server->probe.limit, now,
        "server=%s upstream=%s sent=%" PRIu64 " answered=%" PRIu64, address, group->name,
        counter_read(&server->sent), counter_read(&server->answered));
}

static void probe_tell_return(struct resolver *resolver, struct server *server, int64_t now)
{
    char address[ADDRESS_TEXT_SIZE];
    if (!server->probe.is_told || server_is_resting(server)) {
        return;
    }
    server->probe.is_told = false;
    address_format(&server->settings.address, address, sizeof address);
    log_event(&event_upstream_returns, "server=%s upstream=%s after_ms=%" PRId64, address,
        resolver->servers.groups[server->group].name,
        (now - server->probe.told_at) / CLOCK_US_PER_MS);
}

/* The last one may still be under way. */
bool probe_was_missed(const struct probe *probe)
{
    return probe->missed > 1;
}

void probe_watch(struct resolver *resolver, size_t index, int64_t now)
{
    struct server *server = probe_server(resolver, index);
    if (server_is_resting(server) && server->probe.interval_us == 0) {
        server->probe.interval_us = PROBE_FIRST_US;
        server->probe.sent_at = now;
        probe_arm(resolver, index, now + PROBE_FIRST_US);
        probe_tell_rest(resolver, server, now);
    }
}

void probe_hasten(struct resolver *resolver, size_t index, int64_t now)
{
    struct server *server = probe_server(resolver, index);
    probe_watch(resolver, index, now);
    if (!server_is_resting(server)) {
        return;
    }
    int64_t at = server->probe.sent_at + PROBE_WANTED_US;
    at = at > now ? at : now;
    if (server->probe.deadline.position == 0 || at < server->probe.deadline.at) {
        probe_arm(resolver, index, at);
    }
}

/* Questions wait for servers to come back; not for those of a direct group, where they go another
 * way meanwhile. */
static bool probe_is_wanted(const struct resolver *resolver, const struct server *server)
{
    return resolver->fetches.in_use > 0 && !resolver->servers.groups[server->group].is_direct;
}

/* The last probe had its time. */
static void probe_end(struct resolver *resolver, struct probe *probe)
{
    struct exchange *exchange = pool_find(&resolver->exchanges, probe->exchange);
    if (exchange != NULL) {
        exchange_end(resolver, exchange);
    }
    probe->exchange = POOL_NONE;
}

/* Over TLS nothing is dropped for what it carries. */
static bool probe_wants_edns(const struct server *server, int64_t now)
{
    bool is_every_other = server->probe.missed % 2 == 0;
    return settings_server_is_tls(&server->settings) ||
           (is_every_other && now >= server->plain_until);
}

static void probe_send(struct resolver *resolver, size_t index, bool has_edns, int64_t now)
{
    struct server *server = probe_server(resolver, index);
    struct exchange_form form = {.question = &probe_question};
    struct exchange_plan plan = {
        .server = index,
        .place = SERVER_NONE,
        .is_stream = settings_server_is_tls(&server->settings),
        .has_edns = has_edns,
    };
    counter_add(&resolver->stats.upstream_probes, 1);
    struct exchange *exchange = exchange_start(resolver, &form, &plan, now);
    server->probe.exchange = exchange != NULL ? exchange->id : POOL_NONE;
}

void probe_on_deadline(struct resolver *resolver, size_t index, int64_t now)
{
    struct server *server = probe_server(resolver, index);
    struct probe *probe = &server->probe;
    probe_end(resolver, probe);
    if (!server_is_resting(server) || !direct_is_used(resolver, server->group, now)) {
        probe->interval_us = 0;
        probe->missed = 0;
        probe_tell_return(resolver, server, now);
        return;
    }
    probe_send(resolver, index, probe_wants_edns(server, now), now);
    probe->sent_at = now;
    probe->missed++;
    bool is_wanted = probe_is_wanted(resolver, server);
    probe_arm(resolver, index, now + (is_wanted ? PROBE_WANTED_US : probe->interval_us));
    probe->interval_us =
        2 * probe->interval_us < PROBE_LAST_US ? 2 * probe->interval_us : PROBE_LAST_US;
}

/* A server that was thought not to take EDNS, or just has been away, has replied to the probe with
 * it. */
static bool probe_was_check(
    const struct server *server, const struct exchange *exchange, int64_t now)
{
    return exchange->has_edns && server->probe.plain_us > 0 && now < server->plain_until;
}

void probe_check_edns(struct resolver *resolver, size_t index, int64_t now)
{
    struct server *server = probe_server(resolver, index);
    struct probe *probe = &server->probe;
    int64_t term_us = probe->plain_us > 0 ? 2 * probe->plain_us : PROBE_PLAIN_FIRST_US;
    probe->plain_us = term_us < SERVER_PLAIN_FOR_US ? term_us : SERVER_PLAIN_FOR_US;
    server->plain_until = now + probe->plain_us;
    probe_end(resolver, probe);
    probe_send(resolver, index, true, now);
    probe_watch(resolver, index, now); /* If it could not be sent, it may rest now. */
    if (probe->deadline.position == 0) {
        probe_arm(resolver, index, now + PROBE_CHECK_US);
    }
}

void probe_recheck_edns(struct resolver *resolver, size_t index, int64_t now)
{
    const struct server *server = probe_server(resolver, index);
    if (server->probe.plain_us > 0 && now >= server->plain_until) {
        probe_check_edns(resolver, index, now);
    }
}

bool probe_on_reply(struct resolver *resolver, struct exchange *exchange, const uint8_t *bytes,
    size_t len, int64_t now)
{
    if (match_reply(bytes, len, exchange->wire_id, &probe_question) == MATCH_NO) {
        counter_add(&resolver->stats.upstream_mismatched, 1);
        return false;
    }
    /* Whatever it says, it speaks: whether it helps is for real questions to find out. */
    struct server *server = probe_server(resolver, exchange->server);
    const struct server_reply reply = exchange_as_reply(exchange, true, now);
    server_on_reply(server, &reply, now);
    bool was_check = probe_was_check(server, exchange, now);
    if (exchange->has_edns) {
        server_on_edns(server);
    }
    if (was_check) {
        exchange_end(resolver, exchange);
        return true;
    }
    bool is_doubted = !exchange->has_edns && now >= server->plain_until;
    size_t index = exchange->server;
    forward_open_gate(resolver, server, now);
    server->probe.missed = 0;
    probe_tell_return(resolver, server, now);
    exchange_end(resolver, exchange);
    if (is_doubted) {
        probe_check_edns(resolver, index, now);
    }
    return true;
}

void probe_on_lost(struct resolver *resolver, struct exchange *exchange)
{
    exchange_forget(resolver, exchange);
}

void probe_stop(struct resolver *resolver, size_t index)
{
    struct probe *probe = &probe_server(resolver, index)->probe;
    probe_end(resolver, probe);
    deadlines_clear(&resolver->deadlines, &probe->deadline);
    probe->interval_us = 0;
}

/* In each of them, `used` places are looked at: the memory of the others is not touched. */
static size_t probe_groups(const struct resolver *resolver)
{
    return resolver->servers.group_count + SERVER_DIRECT_GROUPS;
}

void probe_stop_all(struct resolver *resolver)
{
    for (size_t i = 0; i < probe_groups(resolver); i++) {
        const struct server_group *group = &resolver->servers.groups[i];
        for (size_t place = 0; place < group->used; place++) {
            probe_stop(resolver, group->first + place);
        }
    }
}

void probe_start_all(struct resolver *resolver, int64_t now)
{
    for (size_t i = 0; i < probe_groups(resolver); i++) {
        const struct server_group *group = &resolver->servers.groups[i];
        for (size_t place = 0; place < group->used; place++) {
            probe_watch(resolver, group->first + place, now);
        }
    }
}
