/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/page_picture.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/histogram.h"
#include "base/text.h"
#include "daemon/page_text.h"

/* Five columns a decade: what took at most 10 us, the steps up to 10 s, and what took longer. */
#define COLUMNS      32
#define COLUMN_WIDTH 9
#define BAR_WIDTH    8
#define WIDTH        (COLUMNS * COLUMN_WIDTH)
#define HEIGHT       60
#define HEAD         10 /* Above the columns: names of the marks. */
#define FOOT         14 /* Below: the axis. */

#define SPAN_WIDTH  96
#define SPAN_HEIGHT 12
#define SHARE_WIDTH 96

static const uint64_t column_edges_us[COLUMNS - 1] = {10, 16, 25, 40, 63, 100, 160, 250, 400, 630,
    1000, 1600, 2500, 4000, 6300, 10000, 16000, 25000, 40000, 63000, 100000, 160000, 250000, 400000,
    630000, 1000000, 1600000, 2500000, 4000000, 6300000, 10000000};

/* Where a time stands on the axis, in tenths of a column. */
static unsigned axis_place(uint64_t time_us)
{
    unsigned column = 0;
    while (column < COLUMNS - 1 && time_us > column_edges_us[column]) {
        column++;
    }
    uint64_t from = column == 0 ? 0 : column_edges_us[column - 1];
    if (column == COLUMNS - 1) {
        return column * 10 + 5;
    }
    return column * 10 + (unsigned)((time_us - from) * 10 / (column_edges_us[column] - from));
}

/* How many records each column stands for. */
static void columns_count(const struct histogram_sum *sum, uint64_t counts_out[COLUMNS])
{
    uint64_t below = 0;
    for (unsigned i = 0; i < COLUMNS - 1; i++) {
        uint64_t up_to = histogram_count_up_to(sum, column_edges_us[i]);
        counts_out[i] = up_to - below;
        below = up_to;
    }
    counts_out[COLUMNS - 1] = sum->count - below;
}

/* What occurs at all can be seen. */
static unsigned bar_height(uint64_t count, uint64_t most, unsigned height)
{
    if (count == 0) {
        return 0;
    }
    uint64_t share = most > UINT64_MAX / height ? count / (most / height) : count * height / most;
    return share == 0 ? 1 : (unsigned)share;
}

static void bar_add(
    struct text *text, const char *kind, unsigned column, unsigned top, unsigned height)
{
    if (height > 0) {
        text_addf(text, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>", kind,
            column * COLUMN_WIDTH, top, (unsigned)BAR_WIDTH, height);
    }
}

static void bars_add(
    struct text *text, const uint64_t here[COLUMNS], const uint64_t away[COLUMNS], uint64_t most)
{
    for (unsigned i = 0; i < COLUMNS; i++) {
        unsigned low = bar_height(here[i], most, HEIGHT);
        unsigned high = bar_height(away[i], most, HEIGHT);
        high = low + high > HEIGHT ? HEIGHT - low : high;
        bar_add(text, "here", i, HEAD + HEIGHT - low, low);
        bar_add(text, "away", i, HEAD + HEIGHT - low - high, high);
    }
}

static void axis_add(struct text *text)
{
    static const struct {
        uint64_t time_us;
        const char *name;
    } ticks[] = {{10, "10 µs"}, {100, "100"}, {1000, "1 ms"}, {10000, "10"}, {100000, "100"},
        {1000000, "1 s"}, {10000000, "10"}};
    text_addf(text, "<line class=\"base\" x1=\"0\" x2=\"%u\" y1=\"%u.5\" y2=\"%u.5\"/>",
        (unsigned)WIDTH, (unsigned)(HEAD + HEIGHT), (unsigned)(HEAD + HEIGHT));
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        unsigned x = axis_place(ticks[i].time_us) * COLUMN_WIDTH / 10;
        text_addf(text,
            "<line class=\"base\" x1=\"%u\" x2=\"%u\" y1=\"%u\" y2=\"%u\"/>"
            "<text class=\"tick\" x=\"%u\" y=\"%u\">%s</text>",
            x, x, (unsigned)(HEAD + HEIGHT), (unsigned)(HEAD + HEIGHT + 3), x,
            (unsigned)(HEAD + HEIGHT + FOOT - 1), ticks[i].name);
    }
}

/* The two names stand on the outer sides of their lines, where they cannot meet. */
static void mark_add(struct text *text, const char *name, const char *side, uint64_t time_us)
{
    int x = (int)(axis_place(time_us) * COLUMN_WIDTH / 10);
    text_addf(text,
        "<line class=\"mark\" x1=\"%d\" x2=\"%d\" y1=\"0\" y2=\"%u\"/>"
        "<text class=\"tick %s\" x=\"%d\" y=\"8\">%s</text>",
        x, x, (unsigned)(HEAD + HEIGHT), side, strcmp(side, "before") == 0 ? x - 3 : x + 3, name);
}

static void waits_title_add(struct text *text, const char *name, const struct histogram_sum *all)
{
    text_addf(text, "<title>Waits of %s questions: half had their answer within ", name);
    page_text_latency(text, all->count, histogram_quantile(all, 500));
    text_add(text, ", 99 of 100 within ");
    page_text_latency(text, all->count, histogram_quantile(all, 990));
    text_add(text, "</title>");
}

void page_picture_waits(struct text *text, const char *name, const struct histogram_sum *here,
    const struct histogram_sum *away)
{
    struct histogram_sum all = *here;
    uint64_t low[COLUMNS];
    uint64_t high[COLUMNS];
    uint64_t most = 1;
    histogram_sum_add(&all, away);
    columns_count(here, low);
    columns_count(away, high);
    for (unsigned i = 0; i < COLUMNS; i++) {
        most = low[i] + high[i] > most ? low[i] + high[i] : most;
    }
    text_addf(text, "<svg class=\"waits\" role=\"img\" viewBox=\"-24 0 %u %u\">",
        (unsigned)WIDTH + 48, (unsigned)(HEAD + HEIGHT + FOOT));
    waits_title_add(text, name, &all);
    bars_add(text, low, high, most);
    axis_add(text);
    if (all.count > 0) {
        mark_add(text, "50 %", "before", histogram_quantile(&all, 500));
        mark_add(text, "99 %", "after", histogram_quantile(&all, 990));
    }
    text_add(text, "</svg>");
}

void page_picture_span(struct text *text, uint64_t p50_us, uint64_t p90_us, uint64_t p99_us)
{
    unsigned scale = COLUMNS * 10;
    unsigned from = axis_place(p50_us) * SPAN_WIDTH / scale;
    unsigned to = axis_place(p99_us) * SPAN_WIDTH / scale;
    unsigned often = axis_place(p90_us) * SPAN_WIDTH / scale;
    if (p50_us == 0) {
        return;
    }
    text_addf(text,
        "<svg class=\"span\" aria-hidden=\"true\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\">"
        "<line class=\"base\" x1=\"0\" x2=\"%u\" y1=\"6\" y2=\"6\"/>"
        "<line class=\"rare\" x1=\"%u\" x2=\"%u\" y1=\"6\" y2=\"6\"/>"
        "<line class=\"often\" x1=\"%u\" x2=\"%u\" y1=\"6\" y2=\"6\"/>"
        "<circle class=\"dot\" cx=\"%u\" cy=\"6\" r=\"3\"/></svg>",
        (unsigned)SPAN_WIDTH, (unsigned)SPAN_HEIGHT, (unsigned)SPAN_WIDTH, (unsigned)SPAN_HEIGHT,
        (unsigned)SPAN_WIDTH, from, to, from, often, from);
}

void page_picture_share(struct text *text, uint64_t part, uint64_t whole)
{
    uint64_t most = whole == 0 ? 1 : whole;
    unsigned width = bar_height(part > most ? most : part, most, SHARE_WIDTH);
    text_addf(text,
        "<svg class=\"share\" aria-hidden=\"true\" width=\"%u\" height=\"8\" viewBox=\"0 0 %u 8\" "
        "preserveAspectRatio=\"none\"><rect class=\"rest\" width=\"%u\" height=\"8\" rx=\"2\"/>"
        "<rect class=\"here\" width=\"%u\" height=\"8\" rx=\"2\"/></svg>",
        (unsigned)SHARE_WIDTH, (unsigned)SHARE_WIDTH, (unsigned)SHARE_WIDTH, width);
}
