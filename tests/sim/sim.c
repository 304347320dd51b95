/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/must.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "tests/sim/sim_network.h"

_Noreturn void sim_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("sim: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}

void sim_digest(struct sim *sim, const uint8_t *bytes, size_t len)
{
    struct hash_key key = {.k0 = sim->digest, .k1 = (uint64_t)sim->now};
    sim->digest = hash_siphash13(&key, bytes, len);
}

static void sim_parse(const char *conf, struct settings *settings_out)
{
    static struct findings findings;
    findings = (struct findings){0};
    if (!settings_parse("conf", conf, strlen(conf), settings_out, &findings)) {
        char text[600];
        finding_format(&findings.items[0], text, sizeof text);
        sim_fail("%s", text);
    }
}

static void sim_read_world(struct sim *sim, const char *zone)
{
    char error[256];
    FILE *file = fmemopen((void *)(uintptr_t)zone, strlen(zone), "r");
    must(file != NULL);
    if (!world_init(&sim->world, file, error, sizeof error)) {
        sim_fail("world: %s", error);
    }
    fclose(file);
}

struct sim *sim_new(const struct sim_plan *plan)
{
    struct sim *sim = calloc(1, sizeof *sim);
    must(sim != NULL);
    sim->settings = calloc(1, sizeof *sim->settings);
    sim->clients = calloc(SIM_CLIENTS_MAX, sizeof *sim->clients);
    must(sim->settings != NULL && sim->clients != NULL);
    sim->now = INT64_C(1000000000);
    random_init_seed(&sim->random, plan->seed);
    random_init_seed(&sim->resolver_random, plan->seed + 1);
    sim_parse(plan->conf, sim->settings);
    sim_read_world(sim, plan->world);
    struct cache_options cache = {.budget_bytes = sim->settings->cache_size,
        .shard_count = 1,
        .stale_max_us = sim->settings->stale_max_us,
        .secret = {plan->seed, plan->seed}};
    sim->cache = cache_new(&cache);
    struct resolver_options options = {.settings = sim->settings,
        .cache = sim->cache,
        .random = &sim->resolver_random,
        .port = sim_port(sim),
        .version = "simulated"};
    sim->resolver = resolver_new(&options);
    must(sim->cache != NULL && sim->resolver != NULL);
    return sim;
}

/* Longer than any life: answer_deadline is at most 30 s. */
#define SIM_QUIET_US (INT64_C(30) * 1000000)

/* A dead server may be probed for ever; when all are well, there is nothing left to do. */
static void sim_check_quiet(struct sim *sim)
{
    sim_pass(sim, SIM_QUIET_US);
    for (size_t i = 0; i < sim->server_count; i++) {
        sim_server_well(&sim->servers[i]);
    }
    sim_pass(sim, SIM_QUIET_US);
    for (size_t i = 0; i < sim->client_count; i++) {
        if (sim->clients[i].state == SIM_CLIENT_WAITING) {
            sim_fail("client %zu was never answered", i);
        }
    }
    if (resolver_waiting(sim->resolver) != 0 || resolver_fetching(sim->resolver) != 0) {
        sim_fail("lives are left over: %u queries, %u fetches", resolver_waiting(sim->resolver),
            resolver_fetching(sim->resolver));
    }
    if (sim->lines_open != 0) {
        sim_fail("%llu lines were never closed", (unsigned long long)sim->lines_open);
    }
}

void sim_free(struct sim **sim)
{
    struct sim *old = *sim;
    sim_check_quiet(old);
    resolver_free(&old->resolver);
    cache_free(&old->cache);
    world_fini(&old->world);
    for (size_t i = 0; i < old->event_count; i++) {
        free(old->events[i].bytes);
    }
    free(old->events);
    free(old->sent);
    free(old->clients);
    free(old->settings);
    free(old);
    *sim = NULL;
}

struct sim_server *sim_server_at(struct sim *sim, const struct address *address)
{
    for (size_t i = 0; i < sim->server_count; i++) {
        if (memcmp(sim->servers[i].address.bytes, address->bytes, sizeof address->bytes) == 0) {
            return &sim->servers[i];
        }
    }
    must(sim->server_count < SIM_SERVERS_MAX);
    struct sim_server *server = &sim->servers[sim->server_count++];
    server->address = *address;
    sim_server_well(server);
    return server;
}

/* The next thing that happens, at or before `end`. False: nothing more. */
static bool sim_step(struct sim *sim, int64_t end)
{
    int64_t event = sim_event_next(sim);
    int64_t deadline = resolver_next_deadline(sim->resolver);
    int64_t next = event < deadline ? event : deadline;
    if (next > end) {
        return false;
    }
    sim->now = next > sim->now ? next : sim->now;
    if (event <= deadline) {
        sim_event_run(sim);
    } else {
        resolver_run_due(sim->resolver, sim->now);
    }
    return true;
}

void sim_pass(struct sim *sim, int64_t duration_us)
{
    int64_t end = sim->now + duration_us;
    uint64_t steps = 0;
    while (sim_step(sim, end)) {
        if (++steps > 10000000) {
            sim_fail("time stands still at %lld", (long long)sim->now);
        }
    }
    sim->now = end;
}

void sim_reload(struct sim *sim, const char *conf)
{
    sim_parse(conf, sim->settings);
    must(resolver_set_settings(sim->resolver, sim->settings, sim->now));
    cache_set_stale_max(sim->cache, sim->settings->stale_max_us);
}

void sim_change_world(struct sim *sim, const char *zone)
{
    world_fini(&sim->world);
    sim_read_world(sim, zone);
}

void sim_mark(struct sim *sim)
{
    for (size_t i = 0; i < sim->server_count; i++) {
        sim->servers[i].asked = 0;
    }
    sim->sent_marked = sim->sent_count;
    sim->questions = 0;
}

void sim_sleep(struct sim *sim, int64_t duration_us)
{
    sim_events_sleep(sim, sim->now + duration_us, duration_us);
    sim_clients_sleep(sim, duration_us);
    sim->now += duration_us;
}
