/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"

/*
 * The cells of the screens: numbers in few columns, right-aligned, and the picture of a
 * distribution. Pure; any thread.
 */
struct text;

/* What the terminal can show. */
struct stats_style {
    bool is_utf8;
    bool has_colour;
};

enum stats_colour {
    STATS_COLOUR_NONE,
    STATS_COLOUR_BOLD,
    STATS_COLOUR_GREEN,
    STATS_COLOUR_YELLOW,
    STATS_COLOUR_RED,
};

/* Switches the colour where the style has any; NONE switches back. */
void stats_cell_colour(
    struct text *text, const struct stats_style *style, enum stats_colour colour);

/* In at most six columns: 999999, 1.23M, 45.6G. */
void stats_cell_count(struct text *text, unsigned width, uint64_t count);

/* A part of a whole, rounded down to a tenth, so that 100.0 means all; "-" of nothing. */
void stats_cell_percent(struct text *text, unsigned width, uint64_t part, uint64_t whole);

/* At most seven columns; "-" when `count` is 0: nothing was measured. */
void stats_cell_latency(struct text *text, unsigned width, uint64_t count, uint64_t duration_us);

/* 11.8M: bytes in powers of 1,024. */
void stats_cell_bytes(struct text *text, uint64_t bytes);

/* The two largest units of a time: 3h 12m. */
void stats_cell_uptime(struct text *text, uint64_t seconds);

/*
 * Three bars a decade from 10 us to 1 s (steps of 1, 2, 5), one for all that is shorter and one for
 * all that is longer. The tallest is the most frequent; what occurs at all can be seen. The title's
 * words begin above the bars that begin there.
 */
#define STATS_CELL_BARS       17
#define STATS_CELL_BARS_TITLE " 10us  1ms   100ms"
void stats_cell_bars(
    struct text *text, const struct stats_style *style, const struct histogram_sum *sum);
