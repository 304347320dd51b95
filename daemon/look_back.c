/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/look_back.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "resolver/lists.h"
#include "resolver/server.h"
#include "daemon/export.h"
#include "daemon/history.h"

/* Of a server: five counters and its round trips by each way. Of a list: its counts, the waits, the
 * fetches. */
#define ROW_HISTOGRAMS  2
#define ROW_COUNTERS    32
#define ROW_NAME_SIZE   384
#define HISTOGRAM_CELLS (HISTOGRAM_BUCKETS + 1)
#define ROW_CELLS       (ROW_COUNTERS + ROW_HISTOGRAMS * HISTOGRAM_CELLS)

_Static_assert(SERVER_WAYS <= ROW_HISTOGRAMS, "A server's ways have their cells.");
_Static_assert(LISTS_MAX + 16 * SERVER_DIRECT_SIZE <= LOOK_BACK_ROWS_MAX,
    "All lists have a row, and so have the servers of sixteen groups.");
_Static_assert(STATS_LIST_ROWS <= ROW_COUNTERS, "A list's counts have their cells.");

struct look_back {
    struct history *history;
    size_t cell_count;
    uint64_t *cells;
    size_t row_count;
    char rows[LOOK_BACK_ROWS_MAX][ROW_NAME_SIZE]; /* What each row of cells is about. */
};

/* A walk over the cells, in their order. Reading: from the export into the cells; else back. */
struct walk {
    uint64_t *at;
    bool is_reading;
};

static void walk_number(struct walk *walk, uint64_t *number)
{
    if (walk->is_reading) {
        *walk->at = *number;
    } else {
        *number = *walk->at;
    }
    walk->at++;
}

/* The largest one of the time cannot be known; its bucket's end is near. */
static void histogram_complete(struct histogram_sum *sum)
{
    uint64_t max_us = 0;
    sum->count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum->count += sum->buckets[i];
        max_us = sum->buckets[i] > 0 ? histogram_bucket_upper(i) : max_us;
    }
    sum->max_us = max_us < sum->max_us ? max_us : sum->max_us;
}

static void walk_histogram(struct walk *walk, struct histogram_sum *sum)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        walk_number(walk, &sum->buckets[i]);
    }
    walk_number(walk, &sum->sum_us);
    if (!walk->is_reading) {
        histogram_complete(sum);
    }
}

/* A gauge has its cell, but what it says now is what counts. */
static void walk_metric(struct walk *walk, const struct metric_row *row, uint64_t *value)
{
    uint64_t now = *value;
    walk_number(walk, value);
    if (row->kind == METRIC_KIND_GAUGE) {
        *value = now;
    }
}

static void walk_metrics(struct walk *walk, struct export *export)
{
    uint64_t *cache = (uint64_t *)&export->cache;
    for (size_t i = 0; i < resolver_metric_row_count; i++) {
        walk_metric(walk, &resolver_metric_rows[i], &export->resolver[i]);
    }
    for (size_t i = 0; i < cache_metric_row_count; i++) {
        walk_metric(walk, &cache_metric_rows[i], &cache[i]);
    }
    for (size_t i = 0; i < daemon_metric_row_count; i++) {
        walk_metric(walk, &daemon_metric_rows[i], &export->daemon[i]);
    }
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
            walk_histogram(walk, &export->wait[class][outcome]);
        }
    }
}

static size_t head_cells(void)
{
    return resolver_metric_row_count + cache_metric_row_count + daemon_metric_row_count +
           (size_t)QUESTION_CLASSES * OUTCOMES * HISTOGRAM_CELLS;
}

/* The cells of what goes by that name; NULL: there is no row left. */
static uint64_t *look_back_row(struct look_back *look_back, const char *name)
{
    size_t row = 0;
    while (row < look_back->row_count && strcmp(look_back->rows[row], name) != 0) {
        row++;
    }
    if (row == LOOK_BACK_ROWS_MAX) {
        return NULL;
    }
    if (row == look_back->row_count) {
        struct text text;
        text_init(&text, look_back->rows[row], ROW_NAME_SIZE);
        text_add(&text, name);
        look_back->row_count++;
    }
    return look_back->cells + head_cells() + row * ROW_CELLS;
}

static void walk_upstream(
    struct look_back *look_back, struct export_upstream *upstream, bool is_reading)
{
    char name[ROW_NAME_SIZE];
    char address[ADDRESS_TEXT_SIZE];
    struct text text;
    (void)address_format(&upstream->address, address, sizeof address);
    text_init(&text, name, sizeof name);
    text_addf(&text, "upstream %s %s %s", upstream->group, address, upstream->tls_name);
    struct walk walk = {.at = look_back_row(look_back, name), .is_reading = is_reading};
    if (walk.at == NULL) {
        return;
    }
    walk_number(&walk, &upstream->sent);
    walk_number(&walk, &upstream->answered);
    walk_number(&walk, &upstream->failed);
    walk_number(&walk, &upstream->timed_out);
    walk_number(&walk, &upstream->lost);
    for (size_t way = 0; way < SERVER_WAYS; way++) {
        walk_histogram(&walk, &upstream->latency[way]);
    }
}

static void walk_list(struct look_back *look_back, struct stats_list *list, bool is_reading)
{
    char name[ROW_NAME_SIZE];
    struct text text;
    text_init(&text, name, sizeof name);
    text_addf(&text, "list %s", list->zone);
    struct walk walk = {.at = look_back_row(look_back, name), .is_reading = is_reading};
    if (walk.at == NULL) {
        return;
    }
    for (size_t i = 0; i < STATS_LIST_ROWS; i++) {
        walk_number(&walk, &list->counts[i]);
    }
    walk_histogram(&walk, &list->wait);
    walk_histogram(&walk, &list->miss);
}

static void look_back_walk(struct look_back *look_back, struct export *export, bool is_reading)
{
    struct walk walk = {.at = look_back->cells, .is_reading = is_reading};
    walk_metrics(&walk, export);
    for (size_t i = 0; i < export->upstream_count; i++) {
        walk_upstream(look_back, &export->upstreams[i], is_reading);
    }
    for (size_t i = 0; i < export->lists.count; i++) {
        walk_list(look_back, &export->lists.items[i], is_reading);
    }
}

struct look_back *look_back_new(void)
{
    struct look_back *look_back = calloc(1, sizeof *look_back);
    if (look_back == NULL) {
        return NULL;
    }
    look_back->cell_count = head_cells() + (size_t)LOOK_BACK_ROWS_MAX * ROW_CELLS;
    look_back->cells = calloc(look_back->cell_count, sizeof *look_back->cells);
    look_back->history = history_new(look_back->cell_count);
    if (look_back->cells == NULL || look_back->history == NULL) {
        look_back_free(&look_back);
    }
    return look_back;
}

void look_back_free(struct look_back **look_back)
{
    if (look_back == NULL || *look_back == NULL) {
        return;
    }
    history_free(&(*look_back)->history);
    free((*look_back)->cells);
    free(*look_back);
    *look_back = NULL;
}

void look_back_note(struct look_back *look_back, struct export *export, int64_t now)
{
    look_back_walk(look_back, export, true);
    history_note(look_back->history, look_back->cells, now);
}

int64_t look_back_apply(struct look_back *look_back, struct export *export, int64_t since)
{
    look_back_walk(look_back, export, true);
    int64_t from = history_since(look_back->history, since, look_back->cells);
    look_back_walk(look_back, export, false);
    /* What nobody counts in now, for a reload has taken its server away, stands still meanwhile. */
    history_recall(look_back->history, look_back->cells);
    export_lists_finish(&export->lists);
    return from;
}
