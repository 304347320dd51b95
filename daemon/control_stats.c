/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control_stats.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "daemon/export.h"

static const char *metric_kind_name(enum metric_kind kind)
{
    switch (kind) {
    case METRIC_KIND_COUNTER:
        return "counter";
    case METRIC_KIND_GAUGE:
        return "gauge";
    }
    return "counter";
}

static void metric_add(struct text *answer, const struct metric_row *row, uint64_t value)
{
    text_addf(answer, "metric %s %s %" PRIu64 "\n", row->name, metric_kind_name(row->kind), value);
}

static void metrics_add(struct text *answer, const struct export *export)
{
    for (size_t i = 0; i < resolver_metric_row_count; i++) {
        metric_add(answer, &resolver_metric_rows[i], export->resolver[i]);
    }
    for (size_t i = 0; i < cache_metric_row_count; i++) {
        metric_add(answer, &cache_metric_rows[i], export_cache_value(export, i));
    }
    for (size_t i = 0; i < daemon_metric_row_count; i++) {
        metric_add(answer, &daemon_metric_rows[i], export->daemon[i]);
    }
}

/* The end of a line. */
static void histogram_add(struct text *answer, const struct histogram_sum *sum)
{
    text_addf(answer, " %" PRIu64 " %" PRIu64 " %" PRIu64, sum->count, sum->sum_us, sum->max_us);
    char separator = ' ';
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (sum->buckets[i] > 0) {
            text_addf(answer, "%c%u:%" PRIu64, separator, i, sum->buckets[i]);
            separator = ',';
        }
    }
    text_add(answer, "\n");
}

static void wait_add(
    struct text *answer, const char *class, const char *outcome, const struct histogram_sum *wait)
{
    if (wait->count > 0) {
        text_addf(answer, "wait %s %s", class, outcome);
        histogram_add(answer, wait);
    }
}

static void waits_add(struct text *answer, const struct export *export)
{
    for (unsigned row = 0; row < QUESTION_CLASSES; row++) {
        for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
            wait_add(answer, question_class_name((enum question_class)row),
                outcome_name((enum outcome)outcome), &export->wait[row][outcome]);
        }
    }
}

static void upstream_add_name(
    struct text *answer, const char *keyword, const struct export_upstream *upstream)
{
    char address[ADDRESS_TEXT_SIZE];
    (void)address_format(&upstream->address, address, sizeof address);
    text_addf(answer, "%s %s %s %s", keyword, upstream->group, address,
        upstream->tls_name[0] == '\0' ? "-" : upstream->tls_name);
}

static void upstream_add_numbers(struct text *answer, const struct export_upstream *upstream)
{
    struct histogram_sum latency = {.count = 0};
    for (size_t way = 0; way < SERVER_WAYS; way++) {
        histogram_sum_add(&latency, &upstream->latency[way]);
    }
    text_addf(answer, " %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
        upstream->state, upstream->sent, upstream->answered, upstream->failed, upstream->timed_out,
        upstream->lost);
    text_addf(answer, " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
        upstream->latency_us, histogram_quantile(&latency, 500), histogram_quantile(&latency, 900),
        histogram_quantile(&latency, 990), latency.max_us);
    text_add(answer, "\n");
}

static void round_trips_add(struct text *answer, const struct export_upstream *upstream)
{
    static const char *const words[SERVER_WAYS] = {
        [SERVER_WAY_DATAGRAM] = "datagram",
        [SERVER_WAY_STREAM] = "stream",
    };
    for (size_t way = 0; way < SERVER_WAYS; way++) {
        if (upstream->latency[way].count > 0) {
            upstream_add_name(answer, "round_trip", upstream);
            text_addf(answer, " %s", words[way]);
            histogram_add(answer, &upstream->latency[way]);
        }
    }
}

void control_stats_add_upstreams(struct text *answer, const struct export *export)
{
    for (size_t i = 0; i < export->upstream_count; i++) {
        upstream_add_name(answer, "upstream", &export->upstreams[i]);
        text_add(answer, "\n");
    }
}

static void list_add(struct text *answer, const struct stats_list *list)
{
    text_addf(answer, "list %s %s %" PRIu64 " %" PRIu64, list->zone, list->standing, list->day,
        list->quota);
    text_addf(answer, " %" PRIu64 " %" PRIu64 " %" PRIu64, list->wait_p50_us, list->wait_p99_us,
        list->wait_max_us);
    text_addf(answer, " %" PRIu64 " %" PRIu64 " %" PRIu64, list->miss_p50_us, list->miss_p99_us,
        list->miss_max_us);
    for (size_t i = 0; i < STATS_LIST_ROWS; i++) {
        text_addf(answer, " %" PRIu64, list->counts[i]);
    }
    text_add(answer, "\n");
}

static void list_wait_add(
    struct text *answer, const char *zone, const char *what, const struct histogram_sum *sum)
{
    if (sum->count > 0) {
        text_addf(answer, "list_wait %s %s", zone, what);
        histogram_add(answer, sum);
    }
}

void control_stats_add(struct text *answer, const struct export *export)
{
    text_addf(
        answer, "lately %" PRIu64 " %" PRIu64 "\n", export->lately.asked, export->lately.failed);
    metrics_add(answer, export);
    waits_add(answer, export);
    for (size_t i = 0; i < export->upstream_count; i++) {
        upstream_add_name(answer, "upstream", &export->upstreams[i]);
        upstream_add_numbers(answer, &export->upstreams[i]);
        round_trips_add(answer, &export->upstreams[i]);
    }
    for (size_t i = 0; i < export->lists.count; i++) {
        const struct stats_list *list = &export->lists.items[i];
        list_add(answer, list);
        list_wait_add(answer, list->zone, "wait", &list->wait);
        list_wait_add(answer, list->zone, "miss", &list->miss);
    }
    for (unsigned step = SEQUEL_NONE + 1; step < SEQUEL_STEPS; step++) {
        text_addf(answer, "ahead %s %s\n", sequel_step_name((enum sequel_step)step),
            export->ahead_is_on[step] ? "on" : "off");
    }
}
