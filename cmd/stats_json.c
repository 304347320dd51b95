/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/stats_json.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "resolver/list_stats.h"
#include "daemon/stats_view.h"

static void add_string(struct text *text, const char *name, const char *value)
{
    text_addf(text, "\"%s\":", name);
    text_add_json_string(text, value, strlen(value));
}

static void add_number(struct text *text, const char *name, uint64_t value)
{
    text_addf(text, "\"%s\":%" PRIu64, name, value);
}

static void add_comma(struct text *text, bool is_first)
{
    text_add(text, is_first ? "" : ",");
}

/* The buckets are told apart, not added up: as they are in the daemon, empty ones left out. */
static void add_buckets(struct text *text, const struct histogram_sum *sum)
{
    bool is_first = true;
    text_add(text, "\"buckets\":[");
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (sum->buckets[i] == 0) {
            continue;
        }
        add_comma(text, is_first);
        is_first = false;
        text_addf(text, "{\"le_us\":%" PRIu64 ",\"count\":%" PRIu64 "}", histogram_bucket_upper(i),
            sum->buckets[i]);
    }
    text_add(text, "]");
}

static void add_histogram(struct text *text, const char *name, const struct histogram_sum *sum)
{
    text_addf(text,
        "\"%s\":{\"count\":%" PRIu64 ",\"p50_us\":%" PRIu64 ",\"p90_us\":%" PRIu64
        ",\"p99_us\":%" PRIu64 ",\"max_us\":%" PRIu64 ",\"sum_us\":%" PRIu64 ",",
        name, sum->count, histogram_quantile(sum, 500), histogram_quantile(sum, 900),
        histogram_quantile(sum, 990), sum->max_us, sum->sum_us);
    add_buckets(text, sum);
    text_add(text, "}");
}

static void add_class(struct text *text, const struct stats_view *view, enum question_class class)
{
    struct histogram_sum sum;
    stats_view_sum_class(view, class, &sum);
    text_addf(text, "\"%s\":{", question_class_name(class));
    add_number(text, "count", sum.count);
    for (unsigned i = 0; i < OUTCOMES; i++) {
        text_add(text, ",");
        add_number(text, outcome_name((enum outcome)i), view->waits[class][i].count);
    }
    text_add(text, ",");
    add_histogram(text, "wait", &sum);
    text_add(text, "}");
}

static void add_outcome(struct text *text, const struct stats_view *view, enum outcome outcome)
{
    struct histogram_sum sum;
    stats_view_sum_outcome(view, outcome, &sum);
    text_addf(text, "\"%s\":{", outcome_name(outcome));
    add_number(text, "count", sum.count);
    text_add(text, ",");
    add_histogram(text, "wait", &sum);
    text_add(text, "}");
}

/* By transport: those by which messages go to this server. */
static void add_transports(struct text *text, const struct stats_upstream *upstream)
{
    bool is_first = true;
    text_add(text, "\"transports\":{");
    for (unsigned way = 0; way < SERVER_WAYS; way++) {
        const char *name = stats_upstream_transport(upstream, (enum server_way)way);
        if (name != NULL) {
            add_comma(text, is_first);
            is_first = false;
            add_histogram(text, name, &upstream->round_trips[way]);
        }
    }
    text_add(text, "}");
}

static void add_upstream(struct text *text, const struct stats_upstream *upstream)
{
    text_add(text, "{");
    add_string(text, "group", upstream->group);
    text_add(text, ",");
    add_string(text, "address", upstream->address);
    text_add(text, ",");
    if (upstream->tls_name[0] != '\0') {
        add_string(text, "tls_name", upstream->tls_name);
    } else {
        text_add(text, "\"tls_name\":null");
    }
    text_add(text, ",");
    add_string(text, "state", upstream->state);
    text_addf(text,
        ",\"sent\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"failed\":%" PRIu64
        ",\"timed_out\":%" PRIu64 ",\"lost\":%" PRIu64,
        upstream->sent, upstream->answered, upstream->failed, upstream->timed_out, upstream->lost);
    text_addf(text,
        ",\"round_trip\":{\"smoothed_us\":%" PRIu64 ",\"p50_us\":%" PRIu64 ",\"p90_us\":%" PRIu64
        ",\"p99_us\":%" PRIu64 ",\"max_us\":%" PRIu64 "},",
        upstream->latency_us, upstream->p50_us, upstream->p90_us, upstream->p99_us,
        upstream->max_us);
    add_transports(text, upstream);
    text_add(text, "}");
}

static void add_list(struct text *text, const struct stats_list *list)
{
    text_add(text, "{");
    if (strcmp(list->zone, "-") == 0) {
        text_add(text, "\"zone\":null");
    } else {
        add_string(text, "zone", list->zone);
    }
    text_add(text, ",");
    add_string(text, "standing", list->standing);
    for (size_t i = 0; i < STATS_LIST_ROWS; i++) {
        text_add(text, ",");
        add_number(text, list_metric_rows[i].name, list->counts[i]);
    }
    text_add(text, ",");
    add_number(text, "sent_last_day", list->day);
    text_add(text, ",");
    add_number(text, "quota", list->quota);
    text_add(text, ",");
    add_histogram(text, "wait", &list->wait);
    text_add(text, ",");
    add_histogram(text, "upstream_wait", &list->miss);
    text_add(text, "}");
}

static void add_ahead_step(struct text *text, const struct stats_view *view, enum sequel_step step)
{
    text_addf(text, "\"%s\":{", sequel_step_name(step));
    add_number(text, "asked", stats_view_ahead_asked(view, step));
    text_add(text, ",");
    add_number(text, "used", stats_view_ahead_used(view, step));
    text_add(text, ",");
    add_number(text, "wasted", stats_view_ahead_wasted(view, step));
    text_addf(text, ",\"is_on\":%s}", view->ahead_is_on[step] ? "true" : "false");
}

static void add_metrics(struct text *text, const struct stats_view *view)
{
    text_add(text, "\"metrics\":{");
    for (size_t i = 0; i < view->metric_count; i++) {
        add_comma(text, i == 0);
        add_number(text, view->metrics[i].name, view->metrics[i].value);
    }
    text_add(text, "}");
}

static void add_head(struct text *text, const struct stats_view *view)
{
    add_string(text, "version", view->version);
    text_add(text, ",");
    add_string(text, "health", stats_health_name(stats_view_health(view)));
    text_add(text, ",");
    add_number(text, "uptime_s", view->uptime_s);
    text_add(text, ",");
    add_number(text, "covers_s", view->covers_s > 0 ? view->covers_s : view->uptime_s);
    text_add(text, ",");
    add_number(text, "workers", view->workers);
    text_add(text, ",");
    add_number(text, "pid", view->pid);
}

void stats_json_add(struct text *text, const struct stats_view *view)
{
    text_add(text, "{");
    add_head(text, view);
    text_add(text, ",\"classes\":{");
    for (unsigned i = 0; i < QUESTION_CLASSES; i++) {
        add_comma(text, i == 0);
        add_class(text, view, (enum question_class)i);
    }
    text_add(text, "},\"outcomes\":{");
    for (unsigned i = 0; i < OUTCOMES; i++) {
        add_comma(text, i == 0);
        add_outcome(text, view, (enum outcome)i);
    }
    text_add(text, "},\"upstreams\":[");
    for (size_t i = 0; i < view->upstream_count; i++) {
        add_comma(text, i == 0);
        add_upstream(text, &view->upstreams[i]);
    }
    text_add(text, "],\"lists\":[");
    for (size_t i = 0; i < view->list_count; i++) {
        add_comma(text, i == 0);
        add_list(text, &view->lists[i]);
    }
    text_add(text, "],\"ahead\":{");
    for (unsigned step = SEQUEL_NONE + 1; step < SEQUEL_STEPS; step++) {
        add_comma(text, step == SEQUEL_NONE + 1);
        add_ahead_step(text, view, (enum sequel_step)step);
    }
    text_add(text, "},");
    add_metrics(text, view);
    text_add(text, "}\n");
}
