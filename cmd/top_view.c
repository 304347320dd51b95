/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/top_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/stats_cell.h"

#define TOP_FIXED_COLUMNS 46 /* Of a class's row, before its picture. */
#define TOP_LINE_SIZE     1024
#define LATENCY_COLUMNS   7
#define RATE_COLUMNS      8
#define SPARK_LEVELS      8
#define TOP_LISTS_WISHED  5 /* Rows that servers leave to the lists. */

static uint64_t grown(uint64_t now, uint64_t before)
{
    return now >= before ? now - before : 0;
}

static void sum_subtract(struct histogram_sum *sum, const struct histogram_sum *before)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum->buckets[i] = grown(sum->buckets[i], before->buckets[i]);
    }
    sum->count = 0;
    sum->max_us = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum->count += sum->buckets[i];
        sum->max_us = sum->buckets[i] > 0 ? histogram_bucket_upper(i) : sum->max_us;
    }
}

/* What came in since the look before. */
static void top_sum_class(
    const struct top_view *top, enum question_class class, struct histogram_sum *sum_out)
{
    struct histogram_sum before;
    stats_view_sum_class(&top->now, class, sum_out);
    stats_view_sum_class(&top->before, class, &before);
    sum_subtract(sum_out, &before);
}

static uint64_t top_failed_since(const struct top_view *top)
{
    struct histogram_sum now;
    struct histogram_sum before;
    stats_view_sum_outcome(&top->now, OUTCOME_FAILED, &now);
    stats_view_sum_outcome(&top->before, OUTCOME_FAILED, &before);
    return grown(now.count, before.count);
}

static struct top_sample *top_sample_new(struct top_view *top)
{
    struct top_sample *sample = &top->samples[top->next];
    top->next = (top->next + 1) % TOP_SAMPLES;
    *sample = (struct top_sample){.is_known = false};
    return sample;
}

void top_view_take(struct top_view *top, const struct stats_view *look, uint64_t between_us)
{
    bool is_same = top->has_now && look->pid == top->now.pid && look->uptime_s >= top->now.uptime_s;
    if (is_same) {
        memcpy(&top->before, &top->now, sizeof top->before);
    }
    memcpy(&top->now, look, sizeof top->now);
    top->has_now = true;
    top->has_before = is_same && between_us > 0;
    top->between_us = between_us;
    struct top_sample *sample = top_sample_new(top);
    if (!top->has_before) {
        return;
    }
    sample->is_known = true;
    sample->failed = top_failed_since(top);
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        struct histogram_sum sum;
        top_sum_class(top, (enum question_class) class, &sum);
        sample->count[class] = sum.count;
        sample->p99_us[class] = histogram_quantile(&sum, 990);
    }
}

void top_view_miss(struct top_view *top)
{
    top->has_now = false;
    top->has_before = false;
    (void)top_sample_new(top);
}

/* A line in the making, and how much of the screen is left. */
struct sheet {
    struct text *text;
    const struct stats_style *style;
    const struct top_view *top;
    struct top_size size;
    unsigned rows_left;
};

/* Bytes of the line that fit `columns`; escape sequences take none, and the bytes behind the first
 * of a character neither. */
static size_t line_fit(const char *line, unsigned columns)
{
    size_t at = 0;
    unsigned used = 0;
    while (line[at] != '\0') {
        if (line[at] == '\033') {
            at += strcspn(line + at, "m");
            at += line[at] == 'm' ? 1 : 0;
            continue;
        }
        bool begins = ((unsigned char)line[at] & 0xc0u) != 0x80u;
        if (begins && used == columns) {
            break;
        }
        used += begins ? 1 : 0;
        at++;
    }
    return at;
}

/* Each line wipes what stood behind it, so that nothing has to be cleared before. The line end
 * stands before the next one: behind the last it would scroll the screen. */
static void sheet_add(struct sheet *sheet, const char *line)
{
    if (sheet->rows_left == 0) {
        return;
    }
    if (sheet->rows_left < sheet->size.rows) {
        text_add(sheet->text, "\r\n");
    }
    sheet->rows_left--;
    text_add_bytes(sheet->text, line, line_fit(line, sheet->size.columns));
    stats_cell_colour(sheet->text, sheet->style, STATS_COLOUR_NONE);
    text_add(sheet->text, "\033[K");
}

static void cell_rate(struct text *text, const struct top_view *top, uint64_t count)
{
    double rate = top->has_before ? (double)count * 1e6 / (double)top->between_us : 0;
    int decimals = rate < 9.95 && rate > 0 ? 1 : 0;
    if (rate >= 999999) {
        stats_cell_count(text, RATE_COLUMNS, (uint64_t)rate);
    } else {
        text_addf(text, "%*.*f", RATE_COLUMNS, decimals, rate);
    }
}

static uint64_t top_metric_growth(const struct top_view *top, const char *name)
{
    return grown(stats_view_metric(&top->now, name), stats_view_metric(&top->before, name));
}

/* Of the looks that are remembered: what failed before them is no news. */
static enum stats_health top_health(const struct top_view *top)
{
    bool is_known = false;
    uint64_t count = 0;
    uint64_t failed = 0;
    for (size_t i = 0; i < TOP_SAMPLES; i++) {
        const struct top_sample *sample = &top->samples[i];
        is_known = is_known || sample->is_known;
        failed += sample->failed;
        for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
            count += sample->count[class];
        }
    }
    return is_known ? stats_view_health_of(&top->now, count, failed) : stats_view_health(&top->now);
}

static void sheet_add_head(struct sheet *sheet)
{
    const struct top_view *top = sheet->top;
    char data[TOP_LINE_SIZE];
    struct text line;
    text_init(&line, data, sizeof data);
    if (!top->has_now) {
        text_add(&line, "mxcache does not answer; waiting for it");
        sheet_add(sheet, data);
        return;
    }
    text_addf(&line, "mxcache %.10s, up ", top->now.version);
    stats_cell_uptime(&line, top->now.uptime_s);
    text_addf(&line, ": %s.  ", stats_health_name(top_health(top)));
    cell_rate(&line, top, top_metric_growth(top, "questions"));
    text_add(&line, " questions/s,");
    cell_rate(&line, top, top_metric_growth(top, "upstream_sent"));
    text_add(&line, " upstream/s");
    sheet_add(sheet, data);

    text_init(&line, data, sizeof data);
    text_addf(&line, "waiting: %" PRIu64 "   fetches: %" PRIu64 "   hedges/s:",
        stats_view_metric(&top->now, "questions_waiting"),
        stats_view_metric(&top->now, "fetches_running"));
    cell_rate(&line, top, top_metric_growth(top, "hedges"));
    text_add(&line, "   SERVFAIL/s:");
    cell_rate(&line, top, top_metric_growth(top, "answers_servfail"));
    sheet_add(sheet, data);
}

/* 50 us is the lowest step, each step is about three times as long, 100 ms is the highest. */
static unsigned spark_level(uint64_t p99_us)
{
    static const uint64_t steps[SPARK_LEVELS - 1] = {50, 150, 500, 1500, 5000, 20000, 100000};
    unsigned level = 0;
    while (level < SPARK_LEVELS - 1 && p99_us >= steps[level]) {
        level++;
    }
    return level;
}

static void spark_add(struct text *text, const struct stats_style *style,
    const struct top_sample *sample, enum question_class class)
{
    static const char *const bars[SPARK_LEVELS] = {
        "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char plain[SPARK_LEVELS + 1] = "_.,-=+*#";
    if (!sample->is_known || sample->count[class] == 0) {
        text_add(text, " ");
        return;
    }
    unsigned level = spark_level(sample->p99_us[class]);
    if (style->is_utf8) {
        text_add(text, bars[level]);
    } else {
        text_add_bytes(text, &plain[level], 1);
    }
}

static void sheet_add_sparks(struct sheet *sheet, struct text *line, enum question_class class)
{
    unsigned room =
        sheet->size.columns > TOP_FIXED_COLUMNS ? sheet->size.columns - TOP_FIXED_COLUMNS : 0;
    room = room < TOP_SAMPLES ? room : TOP_SAMPLES;
    for (unsigned i = room; i > 0; i--) {
        size_t index = (sheet->top->next + TOP_SAMPLES - i) % TOP_SAMPLES;
        spark_add(line, sheet->style, &sheet->top->samples[index], class);
    }
}

static void sheet_add_class(struct sheet *sheet, enum question_class class)
{
    const struct top_view *top = sheet->top;
    struct histogram_sum sum = {.count = 0};
    char data[TOP_LINE_SIZE];
    struct text line;
    text_init(&line, data, sizeof data);
    uint64_t here = 0;
    if (top->has_before) {
        top_sum_class(top, class, &sum);
        uint64_t here_before = stats_view_here(&top->before, class);
        here = stats_view_here(&top->now, class);
        here = grown(here, here_before);
    }
    text_addf(&line, "%-5s ", question_class_name(class));
    cell_rate(&line, top, sum.count);
    stats_cell_percent(&line, 8, here, sum.count);
    stats_cell_latency(&line, LATENCY_COLUMNS + 1, sum.count, histogram_quantile(&sum, 500));
    stats_cell_latency(&line, LATENCY_COLUMNS + 1, sum.count, histogram_quantile(&sum, 990));
    text_addf(&line, "%*s", 6, "");
    sheet_add_sparks(sheet, &line, class);
    sheet_add(sheet, data);
}

static void sheet_add_title(struct sheet *sheet, const char *title)
{
    char data[TOP_LINE_SIZE];
    struct text line;
    text_init(&line, data, sizeof data);
    sheet_add(sheet, "");
    stats_cell_colour(&line, sheet->style, STATS_COLOUR_BOLD);
    text_add(&line, title);
    sheet_add(sheet, data);
}

/* The same server at the look before, or NULL. */
static const struct stats_upstream *upstream_before(
    const struct top_view *top, const struct stats_upstream *upstream)
{
    for (size_t i = 0; top->has_before && i < top->before.upstream_count; i++) {
        const struct stats_upstream *before = &top->before.upstreams[i];
        if (strcmp(before->address, upstream->address) == 0 &&
            strcmp(before->group, upstream->group) == 0 &&
            strcmp(before->tls_name, upstream->tls_name) == 0) {
            return before;
        }
    }
    return NULL;
}

static int compare_slowness(const void *a, const void *b)
{
    const struct stats_upstream *const *x = a;
    const struct stats_upstream *const *y = b;
    if ((*x)->latency_us != (*y)->latency_us) {
        return (*x)->latency_us > (*y)->latency_us ? -1 : 1;
    }
    return strcmp((*x)->address, (*y)->address);
}

static void sheet_add_server(struct sheet *sheet, const struct stats_upstream *upstream)
{
    static const struct stats_upstream none;
    const struct stats_upstream *before = upstream_before(sheet->top, upstream);
    bool is_resting = stats_upstream_is_resting(upstream);
    char data[TOP_LINE_SIZE];
    struct text line;
    text_init(&line, data, sizeof data);
    before = before == NULL ? &none : before;
    stats_cell_colour(&line, sheet->style, is_resting ? STATS_COLOUR_YELLOW : STATS_COLOUR_NONE);
    text_addf(&line, "%-24.24s %-8.8s", upstream->address, upstream->state);
    stats_cell_latency(&line, LATENCY_COLUMNS + 1, upstream->answered, upstream->latency_us);
    cell_rate(&line, sheet->top, grown(upstream->sent, before->sent));
    cell_rate(&line, sheet->top,
        grown(upstream->timed_out + upstream->lost, before->timed_out + before->lost));
    text_addf(&line, "  %.16s", upstream->group);
    sheet_add(sheet, data);
}

/* Rows that the lists below are to have, with their title and the line above it. */
static unsigned rows_for_lists(const struct stats_view *now)
{
    size_t rows = now->list_count < TOP_LISTS_WISHED ? now->list_count : TOP_LISTS_WISHED;
    return rows > 0 ? (unsigned)rows + 2 : 0;
}

static void sheet_add_servers(struct sheet *sheet)
{
    const struct stats_upstream *slowest[STATS_UPSTREAMS_MAX] = {NULL};
    const struct stats_view *now = &sheet->top->now;
    for (size_t i = 0; i < now->upstream_count; i++) {
        slowest[i] = &now->upstreams[i];
    }
    qsort(slowest, now->upstream_count, sizeof slowest[0], compare_slowness);
    sheet_add_title(sheet, "slowest servers          state     trip  sent/s  lost/s  group");
    unsigned kept = 2 + rows_for_lists(now);
    for (size_t i = 0; i < now->upstream_count && (i == 0 || sheet->rows_left > kept); i++) {
        sheet_add_server(sheet, slowest[i]);
    }
}

/* The same list at the look before, or NULL. */
static const struct stats_list *list_before(
    const struct top_view *top, const struct stats_list *list)
{
    for (size_t i = 0; top->has_before && i < top->before.list_count; i++) {
        if (strcmp(top->before.lists[i].zone, list->zone) == 0) {
            return &top->before.lists[i];
        }
    }
    return NULL;
}

static int compare_list_slowness(const void *a, const void *b)
{
    const struct stats_list *const *x = a;
    const struct stats_list *const *y = b;
    if ((*x)->miss_p99_us != (*y)->miss_p99_us) {
        return (*x)->miss_p99_us > (*y)->miss_p99_us ? -1 : 1;
    }
    return strcmp((*x)->zone, (*y)->zone);
}

static void sheet_add_list(struct sheet *sheet, const struct stats_list *list)
{
    static const struct stats_list none;
    const struct stats_list *before = list_before(sheet->top, list);
    char data[TOP_LINE_SIZE];
    struct text line;
    text_init(&line, data, sizeof data);
    before = before == NULL ? &none : before;
    stats_cell_colour(
        &line, sheet->style, stats_list_is_well(list) ? STATS_COLOUR_NONE : STATS_COLOUR_YELLOW);
    text_addf(&line, "%-32.32s %-8.8s", list->zone, list->standing);
    stats_cell_latency(&line, LATENCY_COLUMNS + 1, list->miss.count, list->miss_p50_us);
    stats_cell_latency(&line, LATENCY_COLUMNS + 1, list->miss.count, list->miss_p99_us);
    cell_rate(&line, sheet->top, grown(list->wait.count, before->wait.count));
    cell_rate(&line, sheet->top, grown(stats_list_refusals(list), stats_list_refusals(before)));
    sheet_add(sheet, data);
}

static void sheet_add_lists(struct sheet *sheet)
{
    const struct stats_list *slowest[STATS_LISTS_MAX];
    const struct stats_view *now = &sheet->top->now;
    if (now->list_count == 0) {
        return;
    }
    for (size_t i = 0; i < now->list_count; i++) {
        slowest[i] = &now->lists[i];
    }
    qsort(slowest, now->list_count, sizeof slowest[0], compare_list_slowness);
    sheet_add_title(
        sheet, "slowest lists                    state        p50     p99 asked/s  refused/s");
    for (size_t i = 0; i < now->list_count && sheet->rows_left > 2; i++) {
        sheet_add_list(sheet, slowest[i]);
    }
}

static void sheet_add_keys(struct sheet *sheet)
{
    char data[TOP_LINE_SIZE];
    struct text line;
    text_init(&line, data, sizeof data);
    text_addf(&line, "q quit   space %s   + - every %u s",
        sheet->top->is_paused ? "go on" : "pause", sheet->top->interval_s);
    while (sheet->rows_left > 1) {
        sheet_add(sheet, "");
    }
    sheet_add(sheet, data);
}

void top_view_add(struct text *text, const struct stats_style *style, const struct top_view *top,
    const struct top_size *size)
{
    struct sheet sheet = {
        .text = text, .style = style, .top = top, .size = *size, .rows_left = size->rows};
    sheet_add_head(&sheet);
    sheet_add_title(
        &sheet, "asked  count/s  here %     p50     p99      p99 lately, 50us to 100ms");
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        sheet_add_class(&sheet, (enum question_class) class);
    }
    sheet_add_servers(&sheet);
    sheet_add_lists(&sheet);
    sheet_add_keys(&sheet);
}
