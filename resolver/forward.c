/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/forward.h"

#include "resolver/fetch.h"
#include "resolver/pick.h"
#include "resolver/resolver_private.h"

static const struct server_group *forward_group(
    const struct resolver *resolver, const struct fetch *fetch)
{
    return &resolver->servers.groups[fetch->group];
}

bool forward_plan(struct resolver *resolver, const struct fetch *fetch, int64_t now,
    struct exchange_plan *plan_out)
{
    if (fetch->asks_left == 0 || now >= fetch->ends_at) {
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
        .is_stream = server->settings.tls_name[0] != '\0',
        .has_edns = now >= server->plain_until,
    };
    return true;
}

bool forward_is_spent(struct resolver *resolver, const struct fetch *fetch, int64_t now)
{
    if (now >= fetch->ends_at) {
        return true;
    }
    struct exchange_plan plan;
    return list_is_empty(&fetch->exchanges) && !forward_plan(resolver, fetch, now, &plan);
}

void forward_on_timeout(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    struct exchange *exchange = pool_find(&resolver->exchanges, fetch->current);
    if (exchange == NULL || exchange->is_late) {
        return;
    }
    exchange->is_late = true;
    counter_add(&resolver->stats.upstream_timeouts, 1);
    if (exchange->server != SERVER_NONE) {
        fetch->tries.silent[exchange->place]++;
        server_on_timeout(&resolver->servers.servers[exchange->server], now);
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
        return list_is_empty(&fetch->exchanges) ? now : fetch->ends_at;
    }
    bool is_new = fetch->has_again || fetch->tries.asked[plan.place] == 0;
    return is_new ? now : now + forward_pause(fetch, plan.place);
}

/* A server may close an idle stream just as we write to it, so the first time a stream breaks it is
 * opened anew at once (RFC 7766 section 6.2.4). The second time it is the server: UDP would only
 * say TC again, and TLS would break again. */
static void forward_on_broken(struct fetch *fetch, const struct exchange *exchange)
{
    size_t place = exchange->place;
    if (!exchange->is_stream || place == SERVER_NONE) {
        return;
    }
    if (fetch->tries.has_broken[place]) {
        fetch->tries.has_failed[place] = true;
        fetch->ede = EDE_NETWORK_ERROR;
        return;
    }
    fetch->tries.has_broken[place] = true;
    fetch->has_again = true;
    fetch->again = (struct exchange_plan){.server = exchange->server,
        .place = place,
        .is_stream = true,
        .has_edns = exchange->has_edns};
}

bool forward_on_lost(
    struct resolver *resolver, struct fetch *fetch, struct exchange *exchange, int64_t now)
{
    bool is_current = exchange->id == fetch->current && !exchange->is_late;
    if (exchange->server != SERVER_NONE) {
        server_on_lost(&resolver->servers.servers[exchange->server], now);
    }
    if (is_current) {
        forward_on_broken(fetch, exchange);
    }
    exchange_forget(resolver, exchange);
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
