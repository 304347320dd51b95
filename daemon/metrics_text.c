/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_text.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/text.h"
#include "resolver/list_stats.h"
#include "daemon/stats_view.h"

/* The upper edges of the exported histogram, in seconds as they are written. */
struct edge {
    uint64_t us;
    const char *seconds;
};

static const struct edge edges[] = {
    {50, "0.00005"},
    {100, "0.0001"},
    {250, "0.00025"},
    {500, "0.0005"},
    {1000, "0.001"},
    {2500, "0.0025"},
    {5000, "0.005"},
    {10000, "0.01"},
    {25000, "0.025"},
    {50000, "0.05"},
    {100000, "0.1"},
    {250000, "0.25"},
    {500000, "0.5"},
    {1000000, "1.0"},
    {2500000, "2.5"},
    {5000000, "5.0"},
};

#define EDGES (sizeof edges / sizeof edges[0])

/* Inside quotes and in HELP, three characters are special; a newline cannot occur. */
static void add_escaped(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        if (*string == '\\' || *string == '"') {
            text_add(text, "\\");
        }
        text_add_bytes(text, string, 1);
    }
}

/* What is being written, and in which form. */
struct sheet {
    struct text *text;
    enum metrics_form form;
};

enum family_type {
    FAMILY_INFO,
    FAMILY_GAUGE,
    FAMILY_COUNTER,
    FAMILY_HISTOGRAM,
    FAMILY_SUMMARY,
};

/* How one form speaks of a type: its word, and what follows the family's name in the comments. */
struct family_words {
    const char *type;
    const char *suffix;
};

static struct family_words family_words_of(enum family_type type, enum metrics_form form)
{
    bool is_openmetrics = form == METRICS_FORM_OPENMETRICS;
    switch (type) {
    case FAMILY_INFO:
        return is_openmetrics ? (struct family_words){"info", ""}
                              : (struct family_words){"gauge", "_info"};
    case FAMILY_GAUGE:
        return (struct family_words){"gauge", ""};
    case FAMILY_COUNTER:
        return (struct family_words){"counter", is_openmetrics ? "" : "_total"};
    case FAMILY_HISTOGRAM:
        return (struct family_words){"histogram", ""};
    case FAMILY_SUMMARY:
        return (struct family_words){"summary", ""};
    }
    return (struct family_words){"unknown", ""};
}

static void add_family(
    struct sheet *sheet, const char *name, enum family_type type, const char *sentence)
{
    struct family_words words = family_words_of(type, sheet->form);
    text_addf(sheet->text, "# TYPE mxcache_%s%s %s\n", name, words.suffix, words.type);
    if (sentence != NULL) {
        text_addf(sheet->text, "# HELP mxcache_%s%s ", name, words.suffix);
        add_escaped(sheet->text, sentence);
        text_add(sheet->text, "\n");
    }
}

/* The unit that ends the family's name. */
static void add_unit(struct sheet *sheet, const char *name, const char *unit)
{
    if (sheet->form == METRICS_FORM_OPENMETRICS) {
        text_addf(sheet->text, "# UNIT mxcache_%s %s\n", name, unit);
    }
}

static void add_seconds(struct text *text, uint64_t duration_us)
{
    text_addf(text, "%" PRIu64 ".%06" PRIu64, duration_us / (uint64_t)CLOCK_US_PER_S,
        duration_us % (uint64_t)CLOCK_US_PER_S);
}

static void add_head(struct sheet *sheet, const struct stats_view *view)
{
    struct text *text = sheet->text;
    add_family(sheet, "build", FAMILY_INFO, "The version of the daemon.");
    text_add(text, "mxcache_build_info{version=\"");
    add_escaped(text, view->version);
    text_add(text, "\"} 1\n");
    add_family(sheet, "uptime_seconds", FAMILY_GAUGE, "Seconds since the daemon's start.");
    add_unit(sheet, "uptime_seconds", "seconds");
    text_addf(text, "mxcache_uptime_seconds %" PRIu64 "\n", view->uptime_s);
    add_family(sheet, "workers", FAMILY_GAUGE, "Threads that answer.");
    text_addf(text, "mxcache_workers %" PRIu64 "\n", view->workers);
}

static void add_metrics(struct sheet *sheet, const struct stats_view *view)
{
    for (size_t i = 0; i < view->metric_count; i++) {
        const struct stats_metric *metric = &view->metrics[i];
        bool is_counter = metric->kind == METRIC_KIND_COUNTER;
        add_family(
            sheet, metric->name, is_counter ? FAMILY_COUNTER : FAMILY_GAUGE, metric->sentence);
        text_addf(sheet->text, "mxcache_%s%s %" PRIu64 "\n", metric->name,
            is_counter ? "_total" : "", metric->value);
    }
}

static void add_wait(struct text *text, const struct histogram_sum *wait, const char *labels)
{
    for (size_t i = 0; i < EDGES; i++) {
        text_addf(text, "mxcache_wait_seconds_bucket{%s,le=\"%s\"} %" PRIu64 "\n", labels,
            edges[i].seconds, histogram_count_up_to(wait, edges[i].us));
    }
    text_addf(
        text, "mxcache_wait_seconds_bucket{%s,le=\"+Inf\"} %" PRIu64 "\n", labels, wait->count);
    text_addf(text, "mxcache_wait_seconds_count{%s} %" PRIu64 "\n", labels, wait->count);
    text_addf(text, "mxcache_wait_seconds_sum{%s} ", labels);
    add_seconds(text, wait->sum_us);
    text_add(text, "\n");
}

/* Every series from the start, empty ones too: a series that appears with a value loses it in
 * rate(). */
static void add_waits(struct sheet *sheet, const struct stats_view *view)
{
    add_family(sheet, "wait_seconds", FAMILY_HISTOGRAM,
        "How long clients waited for their answers, by class of question and outcome.");
    add_unit(sheet, "wait_seconds", "seconds");
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
            char labels_data[64];
            struct text labels;
            text_init(&labels, labels_data, sizeof labels_data);
            text_addf(&labels, "class=\"%s\",outcome=\"%s\"",
                question_class_name((enum question_class) class),
                outcome_name((enum outcome)outcome));
            add_wait(sheet->text, &view->waits[class][outcome], labels_data);
        }
    }
}

static void add_server_labels(struct text *text, const struct stats_upstream *upstream)
{
    text_add(text, "group=\"");
    add_escaped(text, upstream->group);
    text_add(text, "\",server=\"");
    add_escaped(text, upstream->address);
    if (upstream->tls_name[0] != '\0') {
        text_add(text, "#");
        add_escaped(text, upstream->tls_name);
    }
    text_add(text, "\"");
}

/* One family of counters over all servers. */
struct server_counter {
    const char *name;
    size_t offset;
    const char *sentence;
};

static const struct server_counter server_counters[] = {
    {"server_sent", offsetof(struct stats_upstream, sent), "Messages sent to the server."},
    {"server_answered", offsetof(struct stats_upstream, answered),
        "Replies of the server that could be used."},
    {"server_failed", offsetof(struct stats_upstream, failed),
        "Replies of the server with SERVFAIL, REFUSED or another failure."},
    {"server_timed_out", offsetof(struct stats_upstream, timed_out),
        "Tries that the server left without a reply."},
    {"server_lost", offsetof(struct stats_upstream, lost), "Tries whose line to the server broke."},
};

static void add_server_counter(
    struct sheet *sheet, const struct stats_view *view, const struct server_counter *counter)
{
    struct text *text = sheet->text;
    add_family(sheet, counter->name, FAMILY_COUNTER, counter->sentence);
    for (size_t i = 0; i < view->upstream_count; i++) {
        const char *upstream = (const char *)&view->upstreams[i];
        const uint64_t *value = (const uint64_t *)(const void *)(upstream + counter->offset);
        text_addf(text, "mxcache_%s_total{", counter->name);
        add_server_labels(text, &view->upstreams[i]);
        text_addf(text, "} %" PRIu64 "\n", *value);
    }
}

static void add_quantile(struct text *text, const struct stats_upstream *upstream,
    const char *quantile, uint64_t duration_us)
{
    text_add(text, "mxcache_server_round_trip_seconds{");
    add_server_labels(text, upstream);
    text_addf(text, ",quantile=\"%s\"} ", quantile);
    add_seconds(text, duration_us);
    text_add(text, "\n");
}

static void add_round_trips(struct sheet *sheet, const struct stats_view *view)
{
    struct text *text = sheet->text;
    add_family(sheet, "server_round_trip_seconds", FAMILY_SUMMARY,
        "How long the server takes to reply, since the start.");
    add_unit(sheet, "server_round_trip_seconds", "seconds");
    for (size_t i = 0; i < view->upstream_count; i++) {
        const struct stats_upstream *upstream = &view->upstreams[i];
        if (upstream->answered == 0) {
            continue;
        }
        add_quantile(text, upstream, "0.5", upstream->p50_us);
        add_quantile(text, upstream, "0.9", upstream->p90_us);
        add_quantile(text, upstream, "0.99", upstream->p99_us);
        add_quantile(text, upstream, "1.0", upstream->max_us);
    }
}

static void add_resting(struct sheet *sheet, const struct stats_view *view)
{
    struct text *text = sheet->text;
    add_family(sheet, "server_resting", FAMILY_GAUGE,
        "1 while the server gets probes only, because it did not reply several times in a row.");
    for (size_t i = 0; i < view->upstream_count; i++) {
        text_add(text, "mxcache_server_resting{");
        add_server_labels(text, &view->upstreams[i]);
        text_addf(text, "} %d\n", stats_upstream_is_resting(&view->upstreams[i]) ? 1 : 0);
    }
}

static void add_list_sample(
    struct text *text, const char *name, const struct stats_list *list, uint64_t value)
{
    text_addf(text, "mxcache_list_%s{zone=\"", name);
    add_escaped(text, list->zone);
    text_addf(text, "\"} %" PRIu64 "\n", value);
}

static void add_list_counters(struct sheet *sheet, const struct stats_view *view)
{
    for (size_t row = 0; row < STATS_LIST_ROWS; row++) {
        char name[STATS_WORD_SIZE];
        char sample[STATS_WORD_SIZE + sizeof "_total"];
        struct text text;
        text_init(&text, name, sizeof name);
        text_addf(&text, "list_%s", list_metric_rows[row].name);
        text_init(&text, sample, sizeof sample);
        text_addf(&text, "%s_total", list_metric_rows[row].name);
        add_family(sheet, name, FAMILY_COUNTER, list_metric_rows[row].sentence);
        for (size_t i = 0; i < view->list_count; i++) {
            add_list_sample(sheet->text, sample, &view->lists[i], view->lists[i].counts[row]);
        }
    }
}

static void add_list_gauges(struct sheet *sheet, const struct stats_view *view)
{
    add_family(sheet, "list_sent_last_day", FAMILY_GAUGE,
        "Messages sent upstream for the list in the last day, which its quota is about.");
    for (size_t i = 0; i < view->list_count; i++) {
        add_list_sample(sheet->text, "sent_last_day", &view->lists[i], view->lists[i].day);
    }
    add_family(sheet, "list_quota", FAMILY_GAUGE,
        "Questions a day that the list allows, where that is known.");
    for (size_t i = 0; i < view->list_count; i++) {
        if (view->lists[i].quota > 0) {
            add_list_sample(sheet->text, "quota", &view->lists[i], view->lists[i].quota);
        }
    }
    add_family(sheet, "list_well", FAMILY_GAUGE,
        "0 while the list refuses, has ended, or fails its test points.");
    for (size_t i = 0; i < view->list_count; i++) {
        add_list_sample(sheet->text, "well", &view->lists[i], stats_list_is_well(&view->lists[i]));
    }
}

static void add_list_quantile(
    struct text *text, const struct stats_list *list, const char *quantile, uint64_t duration_us)
{
    text_add(text, "mxcache_list_wait_seconds{zone=\"");
    add_escaped(text, list->zone);
    text_addf(text, "\",quantile=\"%s\"} ", quantile);
    add_seconds(text, duration_us);
    text_add(text, "\n");
}

static void add_list_waits(struct sheet *sheet, const struct stats_view *view)
{
    add_family(sheet, "list_wait_seconds", FAMILY_SUMMARY,
        "How long clients waited for answers of the list, since the start.");
    add_unit(sheet, "list_wait_seconds", "seconds");
    for (size_t i = 0; i < view->list_count; i++) {
        const struct stats_list *list = &view->lists[i];
        add_list_quantile(sheet->text, list, "0.5", list->wait_p50_us);
        add_list_quantile(sheet->text, list, "0.99", list->wait_p99_us);
        add_list_quantile(sheet->text, list, "1.0", list->wait_max_us);
    }
}

const char *metrics_form_type(enum metrics_form form)
{
    switch (form) {
    case METRICS_FORM_OPENMETRICS:
        return "application/openmetrics-text; version=1.0.0; charset=utf-8";
    case METRICS_FORM_PROMETHEUS:
        return "text/plain; version=0.0.4; charset=utf-8";
    }
    return "text/plain";
}

void metrics_text_add(struct text *text, const struct stats_view *view, enum metrics_form form)
{
    struct sheet sheet = {.text = text, .form = form};
    add_head(&sheet, view);
    add_metrics(&sheet, view);
    add_waits(&sheet, view);
    add_resting(&sheet, view);
    for (size_t i = 0; i < sizeof server_counters / sizeof server_counters[0]; i++) {
        add_server_counter(&sheet, view, &server_counters[i]);
    }
    add_round_trips(&sheet, view);
    if (view->list_count > 0) {
        add_list_counters(&sheet, view);
        add_list_gauges(&sheet, view);
        add_list_waits(&sheet, view);
    }
    if (form == METRICS_FORM_OPENMETRICS) {
        text_add(text, "# EOF\n");
    }
}
