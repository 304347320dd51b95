/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/server.h"

bool server_is_vacant(const struct server *server)
{
    return server->settings.address.family == ADDRESS_NONE;
}

uint64_t server_id(const struct server_table *table, size_t index)
{
    return index | (uint64_t)table->servers[index].generation << 32;
}

int64_t server_try_timeout(const struct server *server, unsigned tries_before, int64_t max_us)
{
    int64_t timeout = 2 * latency_quantile(&server->recent, 990);
    if (timeout == 0) {
        timeout = server->latency_us != 0 ? 4 * server->latency_us : max_us / 2;
    }
    if (timeout < SERVER_TRY_MIN_US) {
        timeout = SERVER_TRY_MIN_US;
    }
    for (unsigned i = 0; i < tries_before && timeout < max_us; i++) {
        timeout *= 2;
    }
    return timeout < max_us ? timeout : max_us;
}

/* Where little is lost, `permille`; where much is, up to five in a hundred (the 95th percentile),
 * or what the operator pays for. */
static unsigned server_tail_permille(const struct server *server, unsigned permille)
{
    unsigned most = permille > 50 ? permille : 50;
    unsigned tail = permille + (unsigned)(2000.0f * server->loss);
    return tail < most ? tail : most;
}

int64_t server_hedge_delay(const struct server *server, unsigned permille)
{
    unsigned tail = server_tail_permille(server, permille);
    int64_t delay = latency_quantile(&server->recent, 1000 - tail);
    if (delay == 0) {
        return 0;
    }
    if (delay < SERVER_HEDGE_MIN_US) {
        return SERVER_HEDGE_MIN_US;
    }
    return delay < SERVER_HEDGE_MAX_US ? delay : SERVER_HEDGE_MAX_US;
}

bool server_is_resting(const struct server *server)
{
    return server->streak >= SERVER_STREAK_MAX;
}

bool server_is_failing(const struct server *server)
{
    return server->failures >= SERVER_FAILURES_MAX;
}

int64_t server_silence(const struct server *server)
{
    int64_t median = latency_quantile(&server->recent, 500);
    int64_t patience = median != 0 ? 2 * median : SERVER_HEDGE_MAX_US;
    return patience > SERVER_SILENT_US ? patience : SERVER_SILENT_US;
}

bool server_is_silent(const struct server *server, int64_t now)
{
    bool is_owing = server->owed >= SERVER_SILENT_MIN;
    return is_owing && now - server->owes_since > server_silence(server);
}

bool server_group_is_well(const struct server_table *table, size_t index, int64_t now)
{
    const struct server_group *group = &table->groups[index];
    for (size_t place = 0; place < group->count; place++) {
        const struct server *server = &table->servers[group->first + place];
        bool is_well = !server_is_resting(server) && !server_is_silent(server, now) &&
                       !server_is_failing(server) && server->loss < SERVER_CALM_LOSS_MAX;
        if (is_well) {
            return true;
        }
    }
    return false;
}

void server_on_sent(struct server *server, int64_t now)
{
    counter_add(&server->sent, 1);
    if (server->owed++ == 0) {
        server->owes_since = now;
    }
}

void server_on_withdrawn(struct server *server)
{
    server->owed -= server->owed > 0 ? 1 : 0;
}

static void server_note_loss(struct server *server, bool is_lost)
{
    server->loss += ((is_lost ? 1.0f : 0.0f) - server->loss) / 64.0f;
}

static void server_measure(struct server *server, const struct server_reply *reply)
{
    int64_t round_trip_us = reply->round_trip_us < 1 ? 1 : reply->round_trip_us;
    latency_add(&server->recent, round_trip_us);
    if (reply->is_usable) {
        histogram_record(&server->latency[reply->way], round_trip_us);
        server->latency_us = server->latency_us == 0
                                 ? round_trip_us
                                 : (7 * server->latency_us + round_trip_us + 7) / 8;
    }
}

void server_on_reply(struct server *server, const struct server_reply *reply, int64_t now)
{
    server->owes_since = now;
    server->heard_at = now;
    server->streak = 0;
    server_note_loss(server, false);
    if (reply->round_trip_us != SERVER_UNMEASURED) {
        server_measure(server, reply);
    }
    if (!reply->is_usable) {
        counter_add(&server->failed, 1);
        return;
    }
    server->failures = 0;
    counter_add(&server->answered, 1);
}

void server_on_failure(struct server *server, bool is_new)
{
    server->failures += is_new ? 1 : 0;
}

void server_on_edns(struct server *server)
{
    server->knows_edns = true;
    if (server->probe.plain_us > 0) {
        server->probe.plain_us = 0;
        server->plain_until = 0;
    }
}

void server_on_timeout(struct server *server)
{
    counter_add(&server->timed_out, 1);
    server_note_loss(server, true);
    server->streak++;
}

void server_on_lost(struct server *server, bool is_stream)
{
    counter_add(&server->lost, 1);
    bool is_only_way = !is_stream || settings_server_is_tls(&server->settings);
    server->streak += is_only_way ? 1 : 0;
}

/* No route to it, most often: another address family than this host has. */
void server_on_unsent(struct server *server)
{
    server->streak++;
}

const char *server_state(const struct server *server)
{
    if (server_is_resting(server)) {
        return "resting";
    }
    if (server_is_failing(server)) {
        return "failing";
    }
    return counter_read(&server->answered) > 0 ? "well" : "untried";
}
