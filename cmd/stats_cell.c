/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/stats_cell.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/must.h"
#include "base/text.h"

#define LEVELS       8
#define CELL_SIZE    32
#define UPTIME_UNITS 4

static const char *colour_code(enum stats_colour colour)
{
    switch (colour) {
    case STATS_COLOUR_NONE:
        return "\033[0m";
    case STATS_COLOUR_BOLD:
        return "\033[1m";
    case STATS_COLOUR_GREEN:
        return "\033[32m";
    case STATS_COLOUR_YELLOW:
        return "\033[33m";
    case STATS_COLOUR_RED:
        return "\033[31m";
    }
    must(false);
    return "";
}

void stats_cell_colour(struct text *text, const struct stats_style *style, enum stats_colour colour)
{
    if (style->has_colour) {
        text_add(text, colour_code(colour));
    }
}

/* Three digits and a letter: of `scaled`, which counts in `unit`s. */
static void add_scaled(struct text *text, double scaled, char unit)
{
    int decimals = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
    text_addf(text, "%.*f%c", decimals, scaled, unit);
}

void stats_cell_count(struct text *text, unsigned width, uint64_t count)
{
    static const char units[] = "MGTPE";
    char cell_data[CELL_SIZE];
    struct text cell;
    text_init(&cell, cell_data, sizeof cell_data);
    if (count < 1000000) {
        text_addf(&cell, "%" PRIu64, count);
    } else {
        double scaled = (double)count / 1e6;
        size_t unit = 0;
        for (; scaled >= 999.5 && units[unit + 1] != '\0'; unit++) {
            scaled /= 1e3;
        }
        add_scaled(&cell, scaled, units[unit]);
    }
    text_addf(text, "%*s", (int)width, cell_data);
}

void stats_cell_percent(struct text *text, unsigned width, uint64_t part, uint64_t whole)
{
    if (whole == 0) {
        text_addf(text, "%*s", (int)width, "-");
        return;
    }
    uint64_t tenths = part == whole ? 1000 : (uint64_t)((double)part * 1000 / (double)whole);
    char cell[CELL_SIZE];
    struct text cell_text;
    text_init(&cell_text, cell, sizeof cell);
    text_addf(&cell_text, "%" PRIu64 ".%" PRIu64, tenths / 10, tenths % 10);
    text_addf(text, "%*s", (int)width, cell);
}

void stats_cell_latency(struct text *text, unsigned width, uint64_t count, uint64_t duration_us)
{
    char cell_data[CELL_SIZE];
    struct text cell;
    text_init(&cell, cell_data, sizeof cell_data);
    if (count == 0) {
        text_add(&cell, "-");
    } else {
        text_add_latency(&cell, duration_us);
    }
    text_addf(text, "%*s", (int)width, cell_data);
}

void stats_cell_bytes(struct text *text, uint64_t bytes)
{
    static const char units[] = "kMGTPE";
    if (bytes < 1024) {
        text_addf(text, "%" PRIu64, bytes);
        return;
    }
    double scaled = (double)bytes / 1024;
    size_t unit = 0;
    for (; scaled >= 1000 && units[unit + 1] != '\0'; unit++) {
        scaled /= 1024;
    }
    add_scaled(text, scaled, units[unit]);
}

void stats_cell_uptime(struct text *text, uint64_t seconds)
{
    static const struct {
        uint64_t seconds;
        char name;
    } units[UPTIME_UNITS] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t first = 0;
    while (first + 1 < UPTIME_UNITS && seconds < units[first].seconds) {
        first++;
    }
    text_addf(text, "%" PRIu64 "%c", seconds / units[first].seconds, units[first].name);
    if (first + 1 < UPTIME_UNITS) {
        uint64_t rest = seconds % units[first].seconds / units[first + 1].seconds;
        text_addf(text, " %" PRIu64 "%c", rest, units[first + 1].name);
    }
}

/* Where each bar ends and the next one begins, in us. */
static const uint64_t bar_ends[STATS_CELL_BARS - 1] = {10, 20, 50, 100, 200, 500, 1000, 2000, 5000,
    10000, 20000, 50000, 100000, 200000, 500000, 1000000};

static size_t bar_of(uint64_t duration_us)
{
    size_t bar = 0;
    while (bar < STATS_CELL_BARS - 1 && duration_us >= bar_ends[bar]) {
        bar++;
    }
    return bar;
}

void stats_cell_bars(
    struct text *text, const struct stats_style *style, const struct histogram_sum *sum)
{
    static const char *const blocks[LEVELS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const letters[LEVELS] = {".", ":", "-", "=", "+", "*", "%", "#"};
    const char *const *levels = style->is_utf8 ? blocks : letters;
    uint64_t bars[STATS_CELL_BARS] = {0};
    uint64_t tallest = 0;
    size_t last = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (sum->buckets[i] > 0) {
            size_t bar = bar_of(histogram_bucket_middle(i));
            bars[bar] += sum->buckets[i];
            tallest = bars[bar] > tallest ? bars[bar] : tallest;
            last = bar;
        }
    }
    for (size_t bar = 0; tallest > 0 && bar <= last; bar++) {
        double share = (double)bars[bar] / (double)tallest;
        size_t level = (size_t)(share * LEVELS);
        text_add(text, bars[bar] == 0 ? " " : levels[level < LEVELS ? level : LEVELS - 1]);
    }
}
