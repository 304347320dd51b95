/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A month of mail in a minute: the resolver and the cache on a simulated network, with nights and
 * Monday mornings, outages of seconds, hours and a day, servers that move, waves of spam, a host
 * that sleeps. All along, each question is answered once, in time and truly; what fails or is stale
 * is explained by the weather; pools come back to empty, memory stays, and what we send of our own
 * accord is bounded.
 *
 *     month [-d DAYS] [-n SESSIONS-A-DAY] [-s SEED] [-t START-SECOND] [-v]
 *
 * The clock stands at START-SECOND in the beginning, so that it can pass 2^32 ms and the like;
 * counters begin just below 2^32.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "cache/cache.h"
#include "conf/parse.h"
#include "resolver/refresh.h"
#include "resolver/resolver.h"
#include "tests/sim/month.h"

#define STEPS_STUCK 1000000

static const char *const confs[] = {
    "upstreams = 192.0.2.1 192.0.2.2\nlist_route = upstream\nquestions_max = 512\n",
    "upstreams = 192.0.2.2 192.0.2.1\nlist_route = upstream\nahead = no\nhedge_budget = 0\n",
    "upstreams = 192.0.2.1 192.0.2.2\nlist_route = upstream\nstale_max = 0\nrefresh_rate = 1\n",
    "upstreams = 192.0.2.1 192.0.2.2\nlist_route = upstream\nttl_max = 1h\nstale_patience = 0\n",
    "upstreams = 192.0.2.1 192.0.2.3\nlist_route = upstream\nquestions_max = 512\n",
};

double month_now_s(const struct month *month)
{
    return (double)(month->net.now - month->started_at) / (double)CLOCK_US_PER_S;
}

int64_t month_at_s(const struct month *month, double seconds)
{
    return month->started_at + (int64_t)(seconds * (double)CLOCK_US_PER_S);
}

/* ---- The resolver's world ---- */

static void month_deliver(
    void *world, const struct client *client, const uint8_t *message, size_t len)
{
    struct month *month = world;
    mail_deliver(&month->mail, client->line, message, len);
}

static bool month_transmit(void *world, const struct transmission *transmission, uint64_t *line_out)
{
    struct month *month = world;
    return net_transmit(&month->net, transmission, line_out);
}

static void month_withdraw(void *world, uint64_t line, bool is_stream)
{
    struct month *month = world;
    net_withdraw(&month->net, line, is_stream);
}

static void settings_read(struct month *month, unsigned conf)
{
    static struct findings findings;
    findings = (struct findings){0};
    must(settings_parse("month", confs[conf], strlen(confs[conf]), month->settings, &findings));
    month->conf = conf;
    month->mail.deadline_us = month->settings->answer_deadline_us;
    month->mail.stale_max_us = month->settings->stale_max_us;
}

void month_reload(struct month *month, unsigned conf)
{
    settings_read(month, conf);
    must(resolver_set_settings(month->resolver, month->settings, month->net.now));
    cache_set_stale_max(month->cache, month->settings->stale_max_us);
}

/* Counters are never set back, so they may begin anywhere: here, where 32 bits end soon. */
static void counters_raise(struct month *month)
{
    struct resolver_stats *stats =
        (struct resolver_stats *)(uintptr_t)resolver_stats_of(month->resolver);
#define METRIC_COUNTER(name, sentence) counter_set(&stats->name, MONTH_COUNTERS_FROM);
#define METRIC_GAUGE(name, sentence)
#include "resolver/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
    memcpy(&month->before, stats, sizeof month->before);
}

static struct month *month_new(uint64_t seed, int64_t start)
{
    struct month *month = calloc(1, sizeof *month);
    must(month != NULL);
    month->settings = calloc(1, sizeof *month->settings);
    must(month->settings != NULL && net_init(&month->net, seed) &&
         mail_init(&month->mail, &month->net, seed + 1));
    month->net.now = start;
    month->started_at = start;
    random_init_seed(&month->random, seed + 2);
    calendar_init(&month->calendar);
    settings_read(month, MONTH_CONF_USUAL);
    month->cache = cache_new(&(struct cache_options){.budget_bytes = MONTH_CACHE_BYTES,
        .shard_count = 1,
        .stale_max_us = month->settings->stale_max_us,
        .list_share = 25,
        .secret = {seed, seed}});
    must(month->cache != NULL);
    month->resolver = resolver_new(&(struct resolver_options){.settings = month->settings,
        .cache = month->cache,
        .random = &month->random,
        .port = {.world = month,
            .deliver = month_deliver,
            .transmit = month_transmit,
            .withdraw = month_withdraw},
        .version = "simulated"});
    must(month->resolver != NULL);
    month->mail.resolver = month->resolver;
    counters_raise(month);
    return month;
}

static void month_free(struct month *month)
{
    resolver_free(&month->resolver);
    cache_free(&month->cache);
    mail_fini(&month->mail);
    net_fini(&month->net);
    free(month->settings);
    free(month);
}

/* ---- Time ---- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The next thing that happens, at or before `end`. */
static bool month_step(struct month *month, int64_t end)
{
    int64_t arrival = deadlines_next(&month->net.due);
    int64_t deadline = resolver_next_deadline(month->resolver);
    int64_t client = mail_next(&month->mail);
    int64_t next = earlier(arrival, earlier(deadline, client));
    const struct net_flight *flight = NULL;
    if (next > end) {
        return false;
    }
    month->net.now = next > month->net.now ? next : month->net.now;
    if (next == arrival) {
        flight = net_take_arrived(&month->net);
        (void)resolver_on_reply(
            month->resolver, flight->exchange, flight->reply, flight->len, month->net.now);
    } else if (next == deadline) {
        resolver_run_due(month->resolver, month->net.now);
    } else {
        mail_run(&month->mail);
    }
    return true;
}

void month_pass(struct month *month, int64_t end)
{
    int64_t last = month->net.now;
    unsigned stuck = 0;
    while (month_step(month, end)) {
        stuck = month->net.now == last ? stuck + 1 : 0;
        last = month->net.now;
        if (stuck > STEPS_STUCK) {
            mail_fail(&month->mail, "time stands still");
        }
    }
    month->net.now = end;
}

/* ---- The month ---- */

/* Passes to the end of the hour, or to the next change of the weather. */
static void part_run(struct month *month, double end_s)
{
    uint64_t asked = month->mail.counts.asked;
    double next_s = fmin(calendar_next(&month->calendar, month_now_s(month)), end_s);
    month_weather_set(month, next_s);
    month_pass(month, month_at_s(month, next_s));
    month_moments_run(month);
    if (month->net.loss_percent > 0) {
        month->lossy_asked += month->mail.counts.asked - asked;
    }
    month_check_hour(month);
}

static void until_run(struct month *month, double end_s)
{
    while (month_now_s(month) < end_s) {
        part_run(month, end_s);
    }
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void night_run(struct month *month, double day_s)
{
    const struct resolver_stats *stats = resolver_stats_of(month->resolver);
    until_run(month, day_s + CALENDAR_NIGHT_S + 300);
    uint64_t refreshes = counter_read(&stats->fetches_refresh);
    uint64_t sent = month->net.sent;
    uint64_t probes = counter_read(&stats->upstream_probes);
    month_check_quiet(month);
    until_run(month, day_s + CALENDAR_MORNING_S - 300);
    month_check_quiet(month);
    refreshes = counter_read(&stats->fetches_refresh) - refreshes;
    sent = month->net.sent - sent - (counter_read(&stats->upstream_probes) - probes);
    month->night_refreshes_max = larger(month->night_refreshes_max, refreshes);
    month->night_sent_max = larger(month->night_sent_max, sent);
    if (refreshes > REFRESH_CREDITS_MAX * REFRESH_PLACES) {
        mail_fail(&month->mail, "%" PRIu64 " refreshes in a night without a question", refreshes);
    }
}

static void day_run(struct month *month, unsigned day)
{
    double day_s = day * CALENDAR_DAY_S;
    calendar_draw_day(&month->calendar, &month->random, day_s);
    if (month_now_s(month) < day_s + CALENDAR_NIGHT_S) {
        night_run(month, day_s);
    }
    until_run(month, day_s + CALENDAR_DAY_S);
    month_check_memory(month, day + 1);
    if (month->is_verbose) {
        const struct mail_counts *counts = &month->mail.counts;
        (void)fprintf(stderr,
            "day %2u: %" PRIu64 " questions, %" PRIu64 " failed, %" PRIu64 " of lists, %" PRIu64
            " lost, %" PRIu64 " stale; sent %" PRIu64 ", %" PRIu64 " kB\n",
            day + 1, counts->asked, counts->failed, counts->lists_failed, counts->lost,
            counts->stale, month->net.sent, month_heap_kb());
    }
}

static void month_end(struct month *month)
{
    month->net.is_dead[0] = month->net.is_dead[1] = false;
    net_calm(&month->net);
    mail_set_rates(&month->mail, 0, 0);
    month_pass(month, month->net.now + 120 * CLOCK_US_PER_S);
    month_check_quiet(month);
    month_check_hour(month);
    month_check_losses(month);
}

static void summary_print(const struct month *month)
{
    const struct mail_counts *counts = &month->mail.counts;
    const struct resolver_stats *stats = resolver_stats_of(month->resolver);
    printf("%.1f days: %" PRIu64 " sessions, %" PRIu64 " questions, all answered, %" PRIu64
           " at once, the last after %.2f s; %" PRIu64 " failed while no server answered, %" PRIu64
           " while lists refused, %" PRIu64 " in 5 to 20 %% of loss\n",
        month_now_s(month) / CALENDAR_DAY_S, counts->sessions, counts->asked, counts->at_once,
        (double)counts->longest_us / (double)CLOCK_US_PER_S, counts->failed, counts->lists_failed,
        counts->lost);
    printf("of %" PRIu64 " answers whose age is known %" PRIu64 " were stale, the oldest %" PRIu64
           " s; at most %" PRIu64 " questions waited, %" PRIu64 " answers were cached\n",
        counts->clocks, counts->stale, counts->oldest_s, counts->waiting_max, month->entries_max);
    printf("sent upstream %" PRIu64 ": %" PRIu64 " hedges (%" PRIu64 " needed), %" PRIu64
           " probes, %" PRIu64 " refreshes; in a night without a question at most %" PRIu64
           " messages, %" PRIu64 " refreshes; allocated %" PRIu64 " kB, %" PRIu64
           " kB after a week\n",
        month->net.sent, month_grown(&stats->hedges), month_grown(&stats->hedges_needed),
        month_grown(&stats->upstream_probes), month_grown(&stats->fetches_refresh),
        month->night_sent_max, month->night_refreshes_max, month_heap_kb(), month->settled_kb);
}

int main(int argc, char **argv)
{
    uint64_t numbers[4] = {30, 150, 1, 60}; /* Days, sessions a day, seed, start. */
    static const char letters[] = "dnst";
    bool is_verbose = false;
    int option = 0;
    while ((option = getopt(argc, argv, "d:n:s:t:v")) != -1) {
        const char *letter = memchr(letters, option, sizeof letters - 1);
        is_verbose = is_verbose || option == 'v';
        if (option == '?' || (letter == NULL && option != 'v')) {
            (void)fprintf(stderr,
                "usage: month [-d DAYS] [-n SESSIONS-A-DAY] [-s SEED] [-t START-SECOND] [-v]\n");
            return 64;
        }
        if (letter != NULL) {
            numbers[letter - letters] = strtoull(optarg, NULL, 10);
        }
    }
    log_set_level(LOG_LEVEL_ERROR);
    struct month *month = month_new(numbers[2], (int64_t)numbers[3] * CLOCK_US_PER_S);
    month->sessions_a_day = (double)numbers[1];
    month->is_verbose = is_verbose;
    for (unsigned day = 0; day < numbers[0]; day++) {
        day_run(month, day);
    }
    month_end(month);
    summary_print(month);
    month_free(month);
    return 0;
}
