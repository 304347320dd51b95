/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <malloc.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "cache/cache.h"
#include "resolver/resolver.h"
#include "tests/sim/month.h"

#define HEDGE_SHARE   0.02 /* hedge_budget, as by default. */
#define HEDGE_SAVED   64   /* resolver/hedge.h. */
#define ASKS_MAX      6
#define LOST_SHARE    0.001 /* Of the questions in lossy weather. */
#define LOST_MIN      5
#define PROBE_ALONE_S 10.0 /* resolver/probe.h. */
#define PROBE_WAITED  0.55
#define PROBES_FIRST  12 /* Before the interval has grown. */
#define GROWTH        1.01
#define SETTLED_DAYS  8
#define QUIET_TRIES   60

uint64_t month_grown(const struct counter *counter)
{
    return counter_read(counter) - MONTH_COUNTERS_FROM;
}

static void check_growing(struct month *month)
{
    const struct resolver_stats *stats = resolver_stats_of(month->resolver);
    for (size_t i = 0; i < resolver_metric_row_count; i++) {
        bool may_sink = resolver_metric_rows[i].kind == METRIC_KIND_GAUGE;
        uint64_t before = resolver_stats_read(&month->before, i);
        uint64_t now = resolver_stats_read(stats, i);
        if (!may_sink && now < before) {
            mail_fail(&month->mail, "%s ran backwards: %" PRIu64 ", then %" PRIu64,
                resolver_metric_rows[i].name, before, now);
        }
    }
    memcpy(&month->before, stats, sizeof month->before);
}

static void check_sums(struct month *month)
{
    const struct resolver_stats *stats = resolver_stats_of(month->resolver);
    uint64_t questions = month_grown(&stats->questions);
    uint64_t answers = month_grown(&stats->answers_noerror) +
                       month_grown(&stats->answers_nxdomain) +
                       month_grown(&stats->answers_servfail) + month_grown(&stats->answers_other);
    uint64_t waiting = counter_read(&stats->questions_waiting);
    const struct mail_counts *counts = &month->mail.counts;
    if (questions != counts->asked || questions != answers + waiting ||
        waiting != month->mail.waiting.in_use || waiting != resolver_waiting(month->resolver)) {
        mail_fail(&month->mail,
            "%" PRIu64 " questions for %" PRIu64 " asked, %" PRIu64 " answers, %" PRIu64 " waiting",
            questions, counts->asked, answers, waiting);
    }
    uint64_t failures = counts->failed + counts->lists_failed + counts->lost;
    if (counts->asked != counts->answered + failures + waiting ||
        month_grown(&stats->answers_servfail) != failures) {
        mail_fail(&month->mail,
            "clients counted otherwise: %" PRIu64 " answered, %" PRIu64 " failed", counts->answered,
            failures);
    }
    if (month_grown(&stats->upstream_sent) != month->net.sent) {
        mail_fail(&month->mail, "sent upstream: %" PRIu64 ", arrived %" PRIu64,
            month_grown(&stats->upstream_sent), month->net.sent);
    }
}

static void check_budgets(struct month *month)
{
    const struct resolver_stats *stats = resolver_stats_of(month->resolver);
    struct cache_metrics cache;
    cache_read_metrics(month->cache, &cache);
    if (cache.cache_bytes > MONTH_CACHE_BYTES) {
        mail_fail(&month->mail, "the cache has %" PRIu64 " bytes", cache.cache_bytes);
    }
    if (cache.cache_entries > month->entries_max) {
        month->entries_max = cache.cache_entries;
    }
    uint64_t sent = month_grown(&stats->upstream_sent);
    uint64_t probes = month_grown(&stats->upstream_probes);
    uint64_t hedges = month_grown(&stats->hedges);
    uint64_t needed = month_grown(&stats->hedges_needed);
    double allowed = HEDGE_SAVED + HEDGE_SHARE * (double)sent + (double)needed;
    if ((double)hedges > allowed) {
        mail_fail(&month->mail,
            "%" PRIu64 " hedges, %" PRIu64 " of them needed, for %" PRIu64 " messages", hedges,
            needed, sent);
    }
    if (sent > ASKS_MAX * month_grown(&stats->fetches) + probes) {
        mail_fail(&month->mail, "%" PRIu64 " messages are more than asks_max", sent);
    }
    double probes_allowed = month->alone_s / PROBE_ALONE_S + 2 * month->all_s / PROBE_WAITED +
                            (double)(PROBES_FIRST * month->outages);
    if ((double)probes > probes_allowed) {
        mail_fail(&month->mail, "%" PRIu64 " probes, %.0f at most", probes, probes_allowed);
    }
}

/* Bytes that are allocated now, whoever does the allocating. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

uint64_t month_heap_kb(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL) {
        return __sanitizer_get_current_allocated_bytes() / 1024;
    }
    struct mallinfo2 info = mallinfo2();
    return (info.uordblks + info.hblkhd) / 1024;
}

/* By then the cache is full. Chunks of a cache come and go, its budget does not. */
void month_check_memory(struct month *month, unsigned day)
{
    uint64_t now_kb = month_heap_kb();
    if (day == SETTLED_DAYS) {
        month->settled_kb = now_kb;
    }
    if (day > SETTLED_DAYS && (double)now_kb > GROWTH * (double)month->settled_kb) {
        mail_fail(&month->mail, "allocated: %" PRIu64 " kB, and %" PRIu64 " kB after a week",
            now_kb, month->settled_kb);
    }
}

/* Nobody has asked for a while: nothing is left over, and we leave upstream alone. */
void month_check_quiet(struct month *month)
{
    for (unsigned i = 0; i < QUIET_TRIES && resolver_fetching(month->resolver) > 0; i++) {
        month_pass(month, month->net.now + CLOCK_US_PER_S);
    }
    if (resolver_waiting(month->resolver) != 0 || resolver_fetching(month->resolver) != 0 ||
        month->mail.waiting.in_use != 0) {
        mail_fail(&month->mail, "lives are left over: %u questions, %u fetches",
            resolver_waiting(month->resolver), resolver_fetching(month->resolver));
    }
    bool is_well = !month->net.is_dead[0] && !month->net.is_dead[1];
    if (is_well && month->net.flights.in_use != 0) {
        mail_fail(&month->mail, "%u lines were never closed", month->net.flights.in_use);
    }
}

void month_check_hour(struct month *month)
{
    mail_check_waiting(&month->mail);
    check_growing(month);
    check_sums(month);
    check_budgets(month);
}

void month_check_losses(const struct month *month)
{
    const struct mail_counts *counts = &month->mail.counts;
    if ((double)counts->lost > LOST_MIN + LOST_SHARE * (double)month->lossy_asked) {
        mail_fail(&month->mail, "%" PRIu64 " of %" PRIu64 " questions were lost to lossy weather",
            counts->lost, month->lossy_asked);
    }
}
