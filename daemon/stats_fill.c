/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/stats_fill.h"

#include <string.h>

#include "base/text.h"
#include "daemon/export.h"
#include "daemon/stats_view.h"

static void word_copy(const char *word, char *copy_out, size_t size)
{
    struct text text;
    text_init(&text, copy_out, size);
    text_add(&text, word);
}

static void metric_fill(struct stats_view *view, const struct metric_row *row, uint64_t value)
{
    if (view->metric_count == STATS_METRICS_MAX) {
        return;
    }
    struct stats_metric *metric = &view->metrics[view->metric_count++];
    word_copy(row->name, metric->name, sizeof metric->name);
    metric->kind = row->kind;
    metric->value = value;
    metric->sentence = row->sentence;
}

static void metrics_fill(struct stats_view *view, const struct export *export)
{
    for (size_t i = 0; i < resolver_metric_row_count; i++) {
        metric_fill(view, &resolver_metric_rows[i], export->resolver[i]);
    }
    for (size_t i = 0; i < cache_metric_row_count; i++) {
        metric_fill(view, &cache_metric_rows[i], export_cache_value(export, i));
    }
    for (size_t i = 0; i < daemon_metric_row_count; i++) {
        metric_fill(view, &daemon_metric_rows[i], export->daemon[i]);
    }
}

static void upstream_fill(struct stats_view *view, const struct export_upstream *upstream)
{
    if (view->upstream_count == STATS_UPSTREAMS_MAX) {
        return;
    }
    struct stats_upstream *shown = &view->upstreams[view->upstream_count++];
    word_copy(upstream->group, shown->group, sizeof shown->group);
    (void)address_format(&upstream->address, shown->address, sizeof shown->address);
    word_copy(upstream->tls_name, shown->tls_name, sizeof shown->tls_name);
    word_copy(upstream->state, shown->state, sizeof shown->state);
    shown->sent = upstream->sent;
    shown->answered = upstream->answered;
    shown->failed = upstream->failed;
    shown->timed_out = upstream->timed_out;
    shown->lost = upstream->lost;
    shown->latency_us = upstream->latency_us;
    memcpy(shown->round_trips, upstream->latency, sizeof shown->round_trips);
    struct histogram_sum all = {.count = 0};
    for (size_t way = 0; way < SERVER_WAYS; way++) {
        histogram_sum_add(&all, &upstream->latency[way]);
    }
    shown->p50_us = histogram_quantile(&all, 500);
    shown->p90_us = histogram_quantile(&all, 900);
    shown->p99_us = histogram_quantile(&all, 990);
    shown->max_us = all.max_us;
}

void stats_view_fill(
    struct stats_view *view_out, const struct export *export, const struct stats_info *info)
{
    memset(view_out, 0, sizeof *view_out);
    word_copy(info->version, view_out->version, sizeof view_out->version);
    view_out->uptime_s = info->uptime_s;
    view_out->workers = info->workers;
    view_out->pid = info->pid;
    view_out->knows_lately = true;
    view_out->lately = export->lately;
    metrics_fill(view_out, export);
    memcpy(view_out->ahead_is_on, export->ahead_is_on, sizeof view_out->ahead_is_on);
    memcpy(view_out->waits, export->wait, sizeof view_out->waits);
    for (size_t i = 0; i < export->upstream_count; i++) {
        upstream_fill(view_out, &export->upstreams[i]);
    }
    for (size_t i = 0; i < export->lists.count; i++) {
        view_out->lists[view_out->list_count++] = export->lists.items[i];
    }
}
