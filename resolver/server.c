/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/server.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/origin.h"

static size_t server_table_find(
    const struct server_table *table, const char *group, const struct settings_server *settings)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct server *server = &table->servers[i];
        bool is_group = strcmp(table->groups[server->group].name, group) == 0;
        if (is_group && settings_server_equal(&server->settings, settings)) {
            return i;
        }
    }
    return SERVER_NONE;
}

/* The same server in its new place. What is under way no longer knows it. */
static void server_move(struct server *server, const struct server *before, size_t group)
{
    memcpy(server, before, sizeof *server);
    server->group = group;
    server->owed = 0;
    server->probe = (struct probe){0};
}

static void server_table_add_group(struct server_table *fresh, const struct server_table *old,
    const struct settings_group *settings, size_t index)
{
    struct server_group *group = &fresh->groups[index];
    *group = (struct server_group){
        .first = fresh->count, .count = settings->server_count, .used = settings->server_count};
    memcpy(group->name, settings->name, sizeof group->name);
    group->origin = origin_of_group(group->name);
    group->trusts_ad = settings->trust_ad != SETTINGS_TRUST_AD_NO;
    for (size_t i = 0; i < settings->server_count; i++) {
        struct server *server = &fresh->servers[fresh->count++];
        size_t before = server_table_find(old, settings->name, &settings->servers[i]);
        if (before != SERVER_NONE) {
            server_move(server, &old->servers[before], index);
        }
        server->settings = settings->servers[i];
        server->group = index;
    }
}

/* The direct groups as they were, or empty. */
static void server_table_add_direct(struct server_table *fresh, const struct server_table *old)
{
    for (size_t i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        size_t index = fresh->group_count + i;
        struct server_group *group = &fresh->groups[index];
        const struct server_group *before =
            old->groups != NULL ? &old->groups[old->group_count + i] : NULL;
        *group = before != NULL ? *before : (struct server_group){.is_direct = true};
        group->first = fresh->count + i * SERVER_DIRECT_SIZE;
        for (size_t place = 0; place < group->used; place++) {
            const struct server *server = &old->servers[before->first + place];
            server_move(&fresh->servers[group->first + place], server, index);
        }
    }
}

bool server_table_init(
    struct server_table *table, const struct settings *settings, const struct server_table *old)
{
    static const struct server_table none;
    size_t total = 0;
    for (size_t i = 0; i < settings->group_count; i++) {
        total += settings->groups[i].server_count;
    }
    *table = (struct server_table){.group_count = settings->group_count};
    table->servers = calloc(total + SERVER_DIRECT_MAX, sizeof *table->servers);
    table->groups = calloc(settings->group_count + SERVER_DIRECT_GROUPS, sizeof *table->groups);
    if (table->servers == NULL || table->groups == NULL) {
        server_table_fini(table);
        return false;
    }
    for (size_t i = 0; i < settings->group_count; i++) {
        server_table_add_group(table, old != NULL ? old : &none, &settings->groups[i], i);
    }
    server_table_add_direct(table, old != NULL ? old : &none);
    return true;
}

void server_table_fini(struct server_table *table)
{
    free(table->servers);
    free(table->groups);
    *table = (struct server_table){0};
}

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
