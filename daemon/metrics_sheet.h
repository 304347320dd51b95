/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "daemon/metrics_text.h"

/*
 * The grammar of both forms in which metrics are told: comments that open a family, samples,
 * labels, histograms. Knows no metric. Names are given without "mxcache_" and without suffixes.
 */
struct histogram_sum;

/* What is being written, and in which form. */
struct metrics_sheet {
    struct text *text;
    enum metrics_form form;
};

enum metrics_family {
    METRICS_FAMILY_INFO,
    METRICS_FAMILY_GAUGE,
    METRICS_FAMILY_COUNTER,
    METRICS_FAMILY_HISTOGRAM,
};

/* The lines that open a family. A name that ends with a unit says so. `sentence`: NULL for none. */
void metrics_sheet_open(const struct metrics_sheet *sheet, const char *name,
    enum metrics_family family, const char *sentence);

/* name="value" with what must be escaped. */
void metrics_sheet_label(struct text *text, const char *name, const char *value);

/* One sample; `suffix` is "" or "_total"; `labels` stand between braces, "" for none. */
void metrics_sheet_sample(
    struct text *text, const char *name, const char *suffix, const char *labels, uint64_t value);

/* All samples of one histogram, in seconds. */
void metrics_sheet_histogram(
    struct text *text, const char *name, const char *labels, const struct histogram_sum *sum);

/* "1.234567". */
void metrics_sheet_seconds(struct text *text, uint64_t duration_us);
