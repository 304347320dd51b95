/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "base/metrics.h"

/*
 * A log-linear histogram of durations in microseconds: 16 buckets an octave, so a value read back
 * is at most 3.2 % off. 0 to 134 s (2^27 us); longer ones count in the last bucket. One writer, any
 * readers, as with counters.
 *
 * Monitoring wants round decimal edges, and none of them lies between two such buckets: each edge
 * has a bucket of its own split in two, so that what is counted up to an edge is exact.
 */
#define HISTOGRAM_SUB_BITS 4
#define HISTOGRAM_OCTAVES  27
#define HISTOGRAM_EDGES    16 /* 50 us, 100 us, 250 us, ... 5 s. */
#define HISTOGRAM_ROWS     (((HISTOGRAM_OCTAVES - HISTOGRAM_SUB_BITS) + 1) << HISTOGRAM_SUB_BITS)
#define HISTOGRAM_BUCKETS  (HISTOGRAM_ROWS + HISTOGRAM_EDGES)

extern const uint64_t histogram_edges_us[HISTOGRAM_EDGES];

struct histogram {
    struct counter buckets[HISTOGRAM_BUCKETS];
    struct counter sum_us;
    struct counter max_us;
};

/* A reader's private sum of histograms. */
struct histogram_sum {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t sum_us;
    uint64_t max_us;
};

/* Writer. Negative durations count as 0. */
void histogram_record(struct histogram *histogram, int64_t duration_us);

/* The same for a duration that goes to several histograms: where it belongs is found once. */
struct histogram_mark {
    uint64_t duration_us;
    unsigned bucket;
};
struct histogram_mark histogram_mark_of(int64_t duration_us);

static inline void histogram_record_mark(
    struct histogram *histogram, const struct histogram_mark *mark)
{
    if (mark->duration_us > counter_read(&histogram->max_us)) {
        counter_set(&histogram->max_us, mark->duration_us);
    }
    counter_add(&histogram->sum_us, mark->duration_us);
    counter_add(&histogram->buckets[mark->bucket], 1);
}

/* Reader: adds `histogram`, or another reader's sum, to `sum` (zeroed at first). */
void histogram_merge(struct histogram_sum *sum, const struct histogram *histogram);
void histogram_sum_add(struct histogram_sum *sum, const struct histogram_sum *other);

/* The value below which `permille`/1000 of the records lie (500: median); 0 when empty. Never above
 * max_us. */
uint64_t histogram_quantile(const struct histogram_sum *sum, unsigned permille);

/* How many records are at most `limit_us`: exact for one of histogram_edges_us, else to the
 * resolution of a bucket, all of which counts. */
uint64_t histogram_count_up_to(const struct histogram_sum *sum, uint64_t limit_us);

/* Bucket of a value, and the middle and the largest value of a bucket, for pictures and exports. */
unsigned histogram_bucket(uint64_t duration_us);
uint64_t histogram_bucket_middle(unsigned bucket);
uint64_t histogram_bucket_upper(unsigned bucket);
