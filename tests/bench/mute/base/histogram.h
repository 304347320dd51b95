/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * base/histogram.h with histograms that record nothing; see base/metrics.h beside it.
 */
#define histogram_record      histogram_record_aloud
#define histogram_record_mark histogram_record_mark_aloud
#include_next "base/histogram.h"
#undef histogram_record
#undef histogram_record_mark

static inline void histogram_record(struct histogram *histogram, int64_t duration_us)
{
    (void)histogram;
    (void)duration_us;
}

static inline void histogram_record_mark(
    struct histogram *histogram, const struct histogram_mark *mark)
{
    (void)histogram;
    (void)mark;
}
