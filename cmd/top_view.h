/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/stats_view.h"

/*
 * The live screen as a pure function of the last few looks at the daemon: its health in them,
 * rates, and for each class of question how its slowest hundredth has fared lately. Large: on the
 * heap. Any thread.
 */
#define TOP_SAMPLES 120 /* Looks that are remembered for the pictures. */

struct stats_style;
struct text;

/* What is kept of one look: of the time between it and the one before. */
struct top_sample {
    bool is_known; /* False: the daemon did not answer. */
    uint64_t p99_us[QUESTION_CLASSES];
    uint64_t count[QUESTION_CLASSES];
    uint64_t failed; /* Of all classes. */
};

struct top_view {
    struct stats_view now;
    struct stats_view before;
    bool has_now;
    bool has_before; /* Of the same daemon: rates can be told. */
    uint64_t between_us;
    struct top_sample samples[TOP_SAMPLES]; /* A ring; the last one stands before `next`. */
    size_t next;
    bool is_paused;
    unsigned interval_s;
};

/* What the screen is drawn on. */
struct top_size {
    unsigned columns;
    unsigned rows;
};

/* Takes a new look, made `between_us` after the last one. A daemon that was restarted meanwhile has
 * no rates yet. */
void top_view_take(struct top_view *top, const struct stats_view *look, uint64_t between_us);

/* The daemon did not answer. */
void top_view_miss(struct top_view *top);

/* The whole screen, CR LF between its lines, at most `size->rows` of them and none wider than
 * `size->columns`. */
void top_view_add(struct text *text, const struct stats_style *style, const struct top_view *top,
    const struct top_size *size);
