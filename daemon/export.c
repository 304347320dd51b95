/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "resolver/resolver.h"
#include "daemon/keeper.h"
#include "daemon/worker.h"

struct export *export_new(void)
{
    return calloc(1, sizeof(struct export));
}

void export_free(struct export **export)
{
    if (export != NULL) {
        free(*export);
        *export = NULL;
    }
}

static void export_add_stats(struct export *export, const struct daemon_stats *stats)
{
    for (size_t i = 0; i < EXPORT_DAEMON_ROWS; i++) {
        export->daemon[i] += daemon_stats_read(stats, i);
    }
}

static void export_add_waits(struct export *export, const struct resolver_stats *stats)
{
    for (size_t row = 0; row < QUESTION_CLASSES; row++) {
        for (size_t outcome = 0; outcome < OUTCOMES; outcome++) {
            histogram_merge(&export->wait[row][outcome], &stats->wait[row][outcome]);
        }
    }
}

/* The row of this server, new if need be; NULL: no room. Found by what it is, not by its index:
 * each worker learns the servers of direct zones by itself. */
static struct export_upstream *export_upstream_of(
    struct export *export, const struct server_view *view)
{
    for (size_t i = 0; i < export->upstream_count; i++) {
        struct export_upstream *row = &export->upstreams[i];
        if (address_equal(&row->address, &view->address) && strcmp(row->group, view->group) == 0 &&
            strcmp(row->tls_name, view->tls_name) == 0) {
            return row;
        }
    }
    if (export->upstream_count == EXPORT_UPSTREAMS_MAX) {
        return NULL;
    }
    struct export_upstream *row = &export->upstreams[export->upstream_count++];
    struct text text;
    memset(row, 0, sizeof *row);
    text_init(&text, row->group, sizeof row->group);
    text_add(&text, view->group);
    text_init(&text, row->tls_name, sizeof row->tls_name);
    text_add(&text, view->tls_name);
    row->address = view->address;
    row->state = "untried";
    return row;
}

static unsigned state_weight(const char *state)
{
    if (strcmp(state, "untried") == 0) {
        return 0;
    }
    return strcmp(state, "resting") == 0 ? 2 : 1;
}

static void export_upstream_add(struct export_upstream *row, const struct server_view *view)
{
    uint64_t answered = row->answered + view->answered;
    if (answered > 0) {
        row->latency_us =
            (row->latency_us * row->answered + view->latency_us * view->answered) / answered;
    }
    if (state_weight(view->state) > state_weight(row->state)) {
        row->state = view->state;
    }
    row->sent += view->sent;
    row->answered = answered;
    row->failed += view->failed;
    row->timed_out += view->timed_out;
    row->lost += view->lost;
    for (size_t way = 0; way < SERVER_WAYS; way++) {
        histogram_merge(&row->latency[way], &view->latency[way]);
    }
}

/* In the worker's thread. */
static void export_add_worker(struct worker *worker, void *context)
{
    struct export *export = context;
    const struct resolver *resolver = worker_resolver(worker);
    const struct resolver_stats *stats = resolver_stats_of(resolver);
    for (size_t i = 0; i < EXPORT_RESOLVER_ROWS; i++) {
        export->resolver[i] += resolver_stats_read(stats, i);
    }
    export_add_waits(export, stats);
    worker_note_kernel(worker);
    export_add_stats(export, worker_stats(worker));

    export_lists_add(&export->lists, resolver, clock_now());

    for (unsigned step = SEQUEL_NONE + 1; step < SEQUEL_STEPS; step++) {
        export->ahead_is_on[step] |= resolver_ahead_is_on(resolver, (enum sequel_step)step);
    }
    struct server_view view;
    for (size_t i = 0; resolver_server_at(resolver, i, &view); i++) {
        struct export_upstream *row = export_upstream_of(export, &view);
        if (row != NULL) {
            export_upstream_add(row, &view);
        }
    }
}

struct lately_count export_questions(const struct export *export)
{
    struct lately_count total = {.asked = 0};
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
            total.asked += export->wait[class][outcome].count;
        }
        total.failed += export->wait[class][OUTCOME_FAILED].count;
    }
    return total;
}

void export_gather(struct export *export, const struct export_sources *sources)
{
    must(resolver_metric_row_count == EXPORT_RESOLVER_ROWS);
    must(daemon_metric_row_count == EXPORT_DAEMON_ROWS);
    memset(export->resolver, 0, sizeof export->resolver);
    memset(export->daemon, 0, sizeof export->daemon);
    memset(export->wait, 0, sizeof export->wait);
    memset(export->ahead_is_on, 0, sizeof export->ahead_is_on);
    export->upstream_count = 0;
    export->lists.count = 0;
    cache_read_metrics(sources->cache, &export->cache);
    keeper_refresh(sources->keeper);
    export_add_stats(export, sources->main_stats);
    for (size_t i = 0; i < sources->worker_count; i++) {
        worker_call(sources->workers[i], export_add_worker, export);
    }
    export_lists_finish(&export->lists);
    export->lately = export_questions(export);
    if (sources->lately != NULL) {
        export->lately = lately_of(sources->lately, &export->lately);
    }
}

uint64_t export_cache_value(const struct export *export, size_t index)
{
    must(index < cache_metric_row_count);
    return ((const uint64_t *)&export->cache)[index];
}
