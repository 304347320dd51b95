/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "resolver/list_stats.h"
#include "daemon/metrics_sheet.h"
#include "daemon/stats_view.h"

#define NAME_SIZE (STATS_WORD_SIZE + 16)

/* Each byte of a label may have to be escaped. */
#define LABELS_SIZE                                                                                \
    (2 * (STATS_WORD_SIZE + STATS_ADDRESS_SIZE + STATS_TLS_SIZE + STATS_LIST_ZONE_SIZE) + 64)

/* What stands between the braces of a sample. */
struct labels {
    struct text text;
    char data[LABELS_SIZE];
};

static void labels_init(struct labels *labels)
{
    text_init(&labels->text, labels->data, sizeof labels->data);
}

/* The house counts in small units, monitoring wants seconds. */
struct short_unit {
    const char *suffix;
    uint64_t us;
};

static const struct short_unit short_units[] = {{"_ms", 1000}, {"_s", 1000000}};

static void add_head(const struct metrics_sheet *sheet, const struct stats_view *view)
{
    struct labels labels;
    labels_init(&labels);
    metrics_sheet_label(&labels.text, "version", view->version);
    metrics_sheet_open(sheet, "build", METRICS_FAMILY_INFO, "The version of the daemon.");
    metrics_sheet_sample(sheet->text, "build", "_info", labels.data, 1);
    metrics_sheet_open(
        sheet, "uptime_seconds", METRICS_FAMILY_GAUGE, "Seconds since the daemon's start.");
    metrics_sheet_sample(sheet->text, "uptime_seconds", "", "", view->uptime_s);
    metrics_sheet_open(sheet, "workers", METRICS_FAMILY_GAUGE, "Threads that answer.");
    metrics_sheet_sample(sheet->text, "workers", "", "", view->workers);
}

static const struct short_unit *short_unit_of(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof short_units / sizeof short_units[0]; i++) {
        size_t suffix_len = strlen(short_units[i].suffix);
        if (len > suffix_len && strcmp(name + len - suffix_len, short_units[i].suffix) == 0) {
            return &short_units[i];
        }
    }
    return NULL;
}

static void add_time(const struct metrics_sheet *sheet, const struct stats_metric *metric,
    const struct short_unit *unit)
{
    char name_data[NAME_SIZE];
    struct text name;
    text_init(&name, name_data, sizeof name_data);
    text_add_bytes(&name, metric->name, strlen(metric->name) - strlen(unit->suffix));
    text_add(&name, "_seconds");
    metrics_sheet_open(sheet, name_data, METRICS_FAMILY_GAUGE, metric->sentence);
    text_addf(sheet->text, "mxcache_%s ", name_data);
    metrics_sheet_seconds(sheet->text, metric->value * unit->us);
    text_add(sheet->text, "\n");
}

/* What stands in one family for all steps. */
static bool metric_is_ahead(const struct stats_metric *metric)
{
    return strncmp(metric->name, "ahead_asked_", strlen("ahead_asked_")) == 0 ||
           strncmp(metric->name, "ahead_used_", strlen("ahead_used_")) == 0;
}

static void add_metric(const struct metrics_sheet *sheet, const struct stats_metric *metric)
{
    const struct short_unit *unit = short_unit_of(metric->name);
    if (metric->kind == METRIC_KIND_COUNTER) {
        metrics_sheet_open(sheet, metric->name, METRICS_FAMILY_COUNTER, metric->sentence);
        metrics_sheet_sample(sheet->text, metric->name, "_total", "", metric->value);
    } else if (unit != NULL) {
        add_time(sheet, metric, unit);
    } else {
        metrics_sheet_open(sheet, metric->name, METRICS_FAMILY_GAUGE, metric->sentence);
        metrics_sheet_sample(sheet->text, metric->name, "", "", metric->value);
    }
}

static void add_metrics(const struct metrics_sheet *sheet, const struct stats_view *view)
{
    for (size_t i = 0; i < view->metric_count; i++) {
        if (!metric_is_ahead(&view->metrics[i])) {
            add_metric(sheet, &view->metrics[i]);
        }
    }
}

/* Every series from the start, empty ones too: a series that appears with a value loses it in
 * rate(). */
static void add_waits(const struct metrics_sheet *sheet, const struct stats_view *view)
{
    metrics_sheet_open(sheet, "wait_seconds", METRICS_FAMILY_HISTOGRAM,
        "How long clients waited for their answers, by class of question and outcome.");
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
            struct labels labels;
            labels_init(&labels);
            metrics_sheet_label(
                &labels.text, "class", question_class_name((enum question_class) class));
            text_add(&labels.text, ",");
            metrics_sheet_label(&labels.text, "outcome", outcome_name((enum outcome)outcome));
            metrics_sheet_histogram(
                sheet->text, "wait_seconds", labels.data, &view->waits[class][outcome]);
        }
    }
}

/* ---- Upstream servers ---- */

static void labels_of_server(struct labels *labels, const struct stats_upstream *upstream)
{
    char server_data[STATS_ADDRESS_SIZE + 1 + STATS_TLS_SIZE];
    struct text server;
    text_init(&server, server_data, sizeof server_data);
    text_addf(&server, "%s%s%s", upstream->address, upstream->tls_name[0] != '\0' ? "#" : "",
        upstream->tls_name);
    labels_init(labels);
    metrics_sheet_label(&labels->text, "group", upstream->group);
    text_add(&labels->text, ",");
    metrics_sheet_label(&labels->text, "server", server_data);
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

static void add_server_counter(const struct metrics_sheet *sheet, const struct stats_view *view,
    const struct server_counter *counter)
{
    metrics_sheet_open(sheet, counter->name, METRICS_FAMILY_COUNTER, counter->sentence);
    for (size_t i = 0; i < view->upstream_count; i++) {
        struct labels labels;
        const char *upstream = (const char *)&view->upstreams[i];
        const uint64_t *value = (const uint64_t *)(const void *)(upstream + counter->offset);
        labels_of_server(&labels, &view->upstreams[i]);
        metrics_sheet_sample(sheet->text, counter->name, "_total", labels.data, *value);
    }
}

/* Of servers that come and go with the zones that are asked directly, only what there is: many are
 * never asked over TCP. */
static bool has_round_trips(const struct stats_upstream *upstream, enum server_way way)
{
    bool is_direct = strncmp(upstream->group, "direct:", strlen("direct:")) == 0;
    return !is_direct || upstream->round_trips[way].count > 0;
}

static void add_round_trip(
    struct text *text, const struct stats_upstream *upstream, enum server_way way)
{
    struct labels labels;
    const char *transport = stats_upstream_transport(upstream, way);
    if (transport == NULL || !has_round_trips(upstream, way)) {
        return;
    }
    labels_of_server(&labels, upstream);
    text_add(&labels.text, ",");
    metrics_sheet_label(&labels.text, "transport", transport);
    metrics_sheet_histogram(
        text, "server_round_trip_seconds", labels.data, &upstream->round_trips[way]);
}

static void add_servers(const struct metrics_sheet *sheet, const struct stats_view *view)
{
    metrics_sheet_open(sheet, "server_resting", METRICS_FAMILY_GAUGE,
        "1 while the server gets probes only, because it did not reply several times in a row.");
    for (size_t i = 0; i < view->upstream_count; i++) {
        struct labels labels;
        const struct stats_upstream *upstream = &view->upstreams[i];
        labels_of_server(&labels, upstream);
        metrics_sheet_sample(
            sheet->text, "server_resting", "", labels.data, stats_upstream_is_resting(upstream));
    }
    for (size_t i = 0; i < sizeof server_counters / sizeof server_counters[0]; i++) {
        add_server_counter(sheet, view, &server_counters[i]);
    }
    metrics_sheet_open(sheet, "server_round_trip_seconds", METRICS_FAMILY_HISTOGRAM,
        "How long the server took for replies that could be used, by transport; over TCP and TLS "
        "with the time to connect, where there was no connection yet.");
    for (size_t i = 0; i < view->upstream_count; i++) {
        for (unsigned way = 0; way < SERVER_WAYS; way++) {
            add_round_trip(sheet->text, &view->upstreams[i], (enum server_way)way);
        }
    }
}

/* ---- DNS lists ---- */

static void labels_of_list(struct labels *labels, const struct stats_list *list)
{
    labels_init(labels);
    metrics_sheet_label(&labels->text, "zone", list->zone);
}

static void add_list_sample(struct text *text, const char *name, const char *suffix,
    const struct stats_list *list, uint64_t value)
{
    struct labels labels;
    labels_of_list(&labels, list);
    metrics_sheet_sample(text, name, suffix, labels.data, value);
}

static void add_list_counters(const struct metrics_sheet *sheet, const struct stats_view *view)
{
    for (size_t row = 0; row < STATS_LIST_ROWS; row++) {
        char name_data[NAME_SIZE];
        struct text name;
        text_init(&name, name_data, sizeof name_data);
        text_addf(&name, "list_%s", list_metric_rows[row].name);
        metrics_sheet_open(
            sheet, name_data, METRICS_FAMILY_COUNTER, list_metric_rows[row].sentence);
        for (size_t i = 0; i < view->list_count; i++) {
            const struct stats_list *list = &view->lists[i];
            add_list_sample(sheet->text, name_data, "_total", list, list->counts[row]);
        }
    }
}

static void add_list_gauges(const struct metrics_sheet *sheet, const struct stats_view *view)
{
    metrics_sheet_open(sheet, "list_sent_last_day", METRICS_FAMILY_GAUGE,
        "Messages sent upstream for the list in the last day, which its quota is about.");
    for (size_t i = 0; i < view->list_count; i++) {
        const struct stats_list *list = &view->lists[i];
        add_list_sample(sheet->text, "list_sent_last_day", "", list, list->day);
    }
    metrics_sheet_open(sheet, "list_quota", METRICS_FAMILY_GAUGE,
        "Questions a day that the list allows, where that is known.");
    for (size_t i = 0; i < view->list_count; i++) {
        const struct stats_list *list = &view->lists[i];
        if (list->quota > 0) {
            add_list_sample(sheet->text, "list_quota", "", list, list->quota);
        }
    }
    metrics_sheet_open(sheet, "list_well", METRICS_FAMILY_GAUGE,
        "0 while the list refuses, has ended, or fails its test points.");
    for (size_t i = 0; i < view->list_count; i++) {
        const struct stats_list *list = &view->lists[i];
        add_list_sample(sheet->text, "list_well", "", list, stats_list_is_well(list));
    }
}

static void add_list_waits(const struct metrics_sheet *sheet, const struct stats_view *view)
{
    struct labels labels;
    metrics_sheet_open(sheet, "list_wait_seconds", METRICS_FAMILY_HISTOGRAM,
        "How long clients waited for answers of the list.");
    for (size_t i = 0; i < view->list_count; i++) {
        labels_of_list(&labels, &view->lists[i]);
        metrics_sheet_histogram(
            sheet->text, "list_wait_seconds", labels.data, &view->lists[i].wait);
    }
    metrics_sheet_open(sheet, "list_fetch_seconds", METRICS_FAMILY_HISTOGRAM,
        "How long fetching an answer of the list took, from the first message to the end.");
    for (size_t i = 0; i < view->list_count; i++) {
        labels_of_list(&labels, &view->lists[i]);
        metrics_sheet_histogram(
            sheet->text, "list_fetch_seconds", labels.data, &view->lists[i].miss);
    }
}

/* ---- Asking ahead ---- */

static void add_ahead_samples(const struct metrics_sheet *sheet, const struct stats_view *view,
    const char *name, uint64_t (*count)(const struct stats_view *view, enum sequel_step step))
{
    bool is_gauge = count == NULL;
    for (unsigned step = SEQUEL_NONE + 1; step < SEQUEL_STEPS; step++) {
        struct labels labels;
        labels_init(&labels);
        metrics_sheet_label(&labels.text, "step", sequel_step_name((enum sequel_step)step));
        metrics_sheet_sample(sheet->text, name, is_gauge ? "" : "_total", labels.data,
            is_gauge ? view->ahead_is_on[step] : count(view, (enum sequel_step)step));
    }
}

static void add_ahead(const struct metrics_sheet *sheet, const struct stats_view *view)
{
    metrics_sheet_open(sheet, "ahead_asked", METRICS_FAMILY_COUNTER,
        "Questions asked ahead, by the step that foretold them; see mxcache-metrics(7).");
    add_ahead_samples(sheet, view, "ahead_asked", stats_view_ahead_asked);
    metrics_sheet_open(sheet, "ahead_used", METRICS_FAMILY_COUNTER,
        "Of the questions asked ahead, those that a client asked in time.");
    add_ahead_samples(sheet, view, "ahead_used", stats_view_ahead_used);
    metrics_sheet_open(sheet, "ahead_on", METRICS_FAMILY_GAUGE,
        "1 while it is asked ahead by the step; 0 when it is off, or too little of it was used.");
    add_ahead_samples(sheet, view, "ahead_on", NULL);
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
    const struct metrics_sheet sheet = {.text = text, .form = form};
    add_head(&sheet, view);
    add_metrics(&sheet, view);
    add_waits(&sheet, view);
    add_servers(&sheet, view);
    add_ahead(&sheet, view);
    if (view->list_count > 0) {
        add_list_counters(&sheet, view);
        add_list_gauges(&sheet, view);
        add_list_waits(&sheet, view);
    }
    if (form == METRICS_FORM_OPENMETRICS) {
        text_add(text, "# EOF\n");
    }
}
