/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The seeded random runner: clients ask a small set of names while the weather changes, servers
 * die, lie and come back, the cache is flushed and the configuration reloaded. What must hold
 * whatever happens is checked in sim.c: one answer a question, in time, and everything given back
 * when quiet. Each seed is played twice, and both runs must be equal to the byte.
 *
 *     storm FIRST-SEED COUNT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/header.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "resolver/stats.h"
#include "tests/sim/sim.h"

#define STORM_NAMES 40
#define STORM_TURNS 600

static const char *const confs[] = {
    ("upstreams = 192.0.2.1 192.0.2.2 192.0.2.3\ncache_size = 1M\nquestions_max = 64\n"
     "[zone d.example]\nroute = direct\n"),
    "upstreams = 192.0.2.1\ncache_size = 1M\nquestions_max = 64\n",
    ("upstreams = 192.0.2.2 192.0.2.1\nstale_max = 0\nquestions_max = 64\n"
     "[upstream office]\nservers = 192.0.2.3\n[zone n3.example]\nupstream = office\n"
     "[zone d.example]\nroute = direct\n[zone p1.d.example]\nroute = direct\n"),
};

/* A zone that is asked at its own name servers, and parts of it that they leave to others. */
static const char direct_world[] =
    "d.example. 300 SOA ns1.d.example. root.example. 1 3600 900 604800 60\n"
    "d.example. 300 NS ns1.d.example.\nd.example. 300 NS ns2.d.example.\n"
    "ns1.d.example. 300 A 192.0.2.4\nns2.d.example. 300 A 192.0.2.5\n"
    "p1.d.example. 300 NS ns.p1.d.example.\nns.p1.d.example. 300 A 192.0.2.6\n"
    "p2.d.example. 300 NS n1.example.\np2.d.example. 300 NS nowhere.example.\n"
    "p3.d.example. 300 NS ns1.p3.d.example.\nns1.p3.d.example. 300 A 10.0.0.1\n"
    "x1.d.example. 60 A 127.0.0.2\nx2.p1.d.example. 60 A 127.0.0.2\n";

static char *storm_world(void)
{
    static char text[STORM_NAMES * 160 + 1024];
    size_t len = (size_t)snprintf(
        text, sizeof text, "example. 300 SOA ns.example. root.example. 1 3600 900 604800 60\n");
    for (unsigned i = 0; i < STORM_NAMES; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len,
            "n%u.example. %u A 192.0.2.%u\nn%u.example. 60 MX 10 n%u.example.\n", i, 1 + i * 7,
            100 + i, i, (i + 1) % STORM_NAMES);
    }
    memcpy(text + len, direct_world, sizeof direct_world);
    return text;
}

static void storm_name(struct random *dice, char *name, size_t size)
{
    uint32_t number = random_below(dice, STORM_NAMES * 2);
    if (random_below(dice, 4) > 0) {
        snprintf(name, size, "n%u.example", number);
    } else if (random_below(dice, 2) > 0) {
        snprintf(name, size, "x%u.d.example", number);
    } else {
        snprintf(name, size, "x%u.p%u.d.example", number, random_below(dice, 4));
    }
}

static void storm_ask(struct sim *sim, struct random *dice)
{
    static const uint16_t types[] = {TYPE_A, TYPE_MX, TYPE_AAAA, TYPE_TXT, TYPE_ANY, TYPE_AXFR};
    char name[64];
    storm_name(dice, name, sizeof name);
    struct sim_question question = {
        .name = name,
        .type = types[random_below(dice, 100) < 95 ? random_below(dice, 4) : random_below(dice, 6)],
        .class = random_below(dice, 50) == 0 ? CLASS_CH : CLASS_IN,
        .flags = (uint16_t)(random_below(dice, 30) == 0 ? 0 : HEADER_RD),
        .is_stream = random_below(dice, 10) == 0,
        .has_edns = random_below(dice, 2) == 0,
        .wants_dnssec = random_below(dice, 8) == 0,
        .udp_size = (uint16_t)(512 + random_below(dice, 4000)),
    };
    sim_ask(sim, &question);
}

static void storm_garbage(struct sim *sim, struct random *dice)
{
    uint8_t bytes[64];
    random_bytes(dice, bytes, sizeof bytes);
    sim_ask_bytes(sim, bytes, random_below(dice, sizeof bytes), false);
}

/* What the zone's name servers are, or should be. */
static void storm_authority(struct sim_server *server, struct random *dice, unsigned number)
{
    static const char *const zones[] = {"d.example", "d.example", "p1.d.example"};
    struct sim_authority *authority = &server->authority;
    const char *zone = random_below(dice, 8) > 0 ? zones[number - 4] : "elsewhere.example";
    size_t len;
    must(name_from_text(zone, strlen(zone), authority->zones[0].bytes, &len));
    authority->zones[0].len = (uint8_t)len;
    authority->zone_count = random_below(dice, 8) > 0 ? 1 : 0;
    authority->has_no_glue = random_below(dice, 3) == 0;
    authority->is_hearsay = random_below(dice, 6) == 0;
}

static void storm_weather(struct sim *sim, struct random *dice)
{
    unsigned number = 1 + random_below(dice, 6);
    const uint8_t bytes[16] = {192, 0, 2, (uint8_t)number};
    struct address address = {.family = ADDRESS_IPV4, .port = 53};
    memcpy(address.bytes, bytes, sizeof bytes);
    struct sim_server *server = sim_server_at(sim, &address);
    sim_server_well(server);
    if (number >= 4) {
        storm_authority(server, dice, number);
    }
    server->loss = random_below(dice, 3) == 0 ? random_below(dice, 60) : 0;
    server->duplicates = random_below(dice, 3) == 0 ? 30 : 0;
    server->jitter_us = random_below(dice, 800000);
    server->is_silent = random_below(dice, 5) == 0;
    server->is_refusing = random_below(dice, 8) == 0;
    server->has_no_tcp = random_below(dice, 8) == 0;
    server->has_no_edns = random_below(dice, 8) == 0;
    server->is_truncating = random_below(dice, 8) == 0;
    server->rcode = random_below(dice, 8) == 0 ? (int)random_below(dice, 11) : -1;
    server->lie = (enum sim_lie)(random_below(dice, 3) == 0 ? random_below(dice, SIM_LIES) : 0);
    server->drops_edns = random_below(dice, 10) == 0;
    server->is_lowercase = random_below(dice, 6) == 0;
    server->is_validating = random_below(dice, 4) == 0;
    server->is_looping = random_below(dice, 20) == 0;
    server->has_cookies = random_below(dice, 3) == 0;
    server->wants_cookies = server->has_cookies && random_below(dice, 3) == 0;
    server->delay_p99_us = random_below(dice, 2) == 0 ? 200000 : 0;
    server->flapping_us = random_below(dice, 10) == 0 ? 3000000 : 0;
}

static void storm_turn(struct sim *sim, struct random *dice)
{
    uint32_t roll = random_below(dice, 100);
    if (roll < 80) {
        storm_ask(sim, dice);
    } else if (roll < 83) {
        storm_garbage(sim, dice);
    } else if (roll < 88) {
        storm_weather(sim, dice);
    } else if (roll < 89) {
        cache_flush_all(sim->cache);
    } else if (roll < 90) {
        sim_reload(sim, confs[random_below(dice, 3)]);
    } else {
        sim_pass(sim, random_below(dice, 3000000));
    }
}

/* An upstream message for each answer is bounded by asks_max. */
static void storm_check_asks(const struct sim *sim)
{
    const struct resolver_stats *stats = resolver_stats_of(sim->resolver);
    uint64_t sent = counter_read(&stats->upstream_sent);
    uint64_t fetches = counter_read(&stats->fetches);
    if (sent > fetches * sim->settings->asks_max) {
        sim_fail("%llu messages for %llu fetches", (unsigned long long)sent,
            (unsigned long long)fetches);
    }
}

static uint64_t storm_play(uint64_t seed)
{
    struct random dice;
    random_init_seed(&dice, seed);
    struct sim_plan plan = {.conf = confs[0], .world = storm_world(), .seed = seed};
    struct sim *sim = sim_new(&plan);
    for (unsigned i = 0; i < STORM_TURNS; i++) {
        storm_turn(sim, &dice);
    }
    storm_check_asks(sim);
    uint64_t digest = sim->digest;
    sim_free(&sim);
    return digest;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: storm FIRST-SEED COUNT\n", stderr);
        return 64;
    }
    uint64_t first = strtoull(argv[1], NULL, 10);
    uint64_t count = strtoull(argv[2], NULL, 10);
    for (uint64_t seed = first; seed < first + count; seed++) {
        fprintf(stderr, "\rseed %llu ", (unsigned long long)seed);
        if (storm_play(seed) != storm_play(seed)) {
            sim_fail("two runs of seed %llu differ", (unsigned long long)seed);
        }
    }
    fprintf(stderr, "\r%llu seeds, each twice: well\n", (unsigned long long)count);
    return 0;
}
