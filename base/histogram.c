/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/histogram.h"

#define SUB_BUCKETS   (1u << HISTOGRAM_SUB_BITS)
#define DURATION_LAST ((UINT64_C(1) << HISTOGRAM_OCTAVES) - 1)

const uint64_t histogram_edges_us[HISTOGRAM_EDGES] = {
    50,
    100,
    250,
    500,
    1000,
    2500,
    5000,
    10000,
    25000,
    50000,
    100000,
    250000,
    500000,
    1000000,
    2500000,
    5000000,
};

/*
 * The first SUB_BUCKETS rows are 1 us wide; from there each octave [2^n, 2^(n+1)) has SUB_BUCKETS
 * rows of equal width. A row is a bucket, or two where an edge lies in it: a duration's bucket is
 * its row and one more for each edge below it.
 */
static uint64_t row_width(unsigned row)
{
    return row < SUB_BUCKETS ? 1 : UINT64_C(1) << (row / SUB_BUCKETS - 1);
}

static uint64_t row_lower(unsigned row)
{
    uint64_t sub = row % SUB_BUCKETS;
    return row < SUB_BUCKETS ? sub : (SUB_BUCKETS + sub) * row_width(row);
}

static unsigned row_of(uint64_t duration_us)
{
    if (duration_us < SUB_BUCKETS) {
        return (unsigned)duration_us;
    }
    unsigned octave = 63u - (unsigned)__builtin_clzll(duration_us);
    unsigned shift = octave - HISTOGRAM_SUB_BITS;
    unsigned sub = (unsigned)(duration_us >> shift) % SUB_BUCKETS;
    return (shift + 1) * SUB_BUCKETS + sub;
}

/* Short waits are the many, and end at the first edge. */
unsigned histogram_bucket(uint64_t duration_us)
{
    unsigned edges = 0;
    if (duration_us > DURATION_LAST) {
        duration_us = DURATION_LAST;
    }
    while (edges < HISTOGRAM_EDGES && duration_us > histogram_edges_us[edges]) {
        edges++;
    }
    return row_of(duration_us) + edges;
}

/* The smallest and the largest value of a bucket. */
struct span {
    uint64_t lower;
    uint64_t upper;
};

static struct span bucket_span(unsigned bucket)
{
    unsigned edges = 0;
    while (edges < HISTOGRAM_EDGES && bucket > row_of(histogram_edges_us[edges]) + edges) {
        edges++;
    }
    unsigned row = bucket - edges;
    struct span span = {row_lower(row), row_lower(row) + row_width(row) - 1};
    if (edges > 0 && span.lower <= histogram_edges_us[edges - 1]) {
        span.lower = histogram_edges_us[edges - 1] + 1;
    }
    if (edges < HISTOGRAM_EDGES && span.upper > histogram_edges_us[edges]) {
        span.upper = histogram_edges_us[edges];
    }
    return span;
}

uint64_t histogram_bucket_middle(unsigned bucket)
{
    struct span span = bucket_span(bucket);
    return span.lower + (span.upper - span.lower + 1) / 2;
}

uint64_t histogram_bucket_upper(unsigned bucket)
{
    return bucket_span(bucket).upper;
}

struct histogram_mark histogram_mark_of(int64_t duration_us)
{
    uint64_t duration = duration_us > 0 ? (uint64_t)duration_us : 0;
    return (struct histogram_mark){.duration_us = duration, .bucket = histogram_bucket(duration)};
}

void histogram_record(struct histogram *histogram, int64_t duration_us)
{
    const struct histogram_mark mark = histogram_mark_of(duration_us);
    histogram_record_mark(histogram, &mark);
}

void histogram_merge(struct histogram_sum *sum, const struct histogram *histogram)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t value = counter_read(&histogram->buckets[i]);
        sum->buckets[i] += value;
        sum->count += value;
    }
    sum->sum_us += counter_read(&histogram->sum_us);
    uint64_t max = counter_read(&histogram->max_us);
    if (max > sum->max_us) {
        sum->max_us = max;
    }
}

void histogram_sum_add(struct histogram_sum *sum, const struct histogram_sum *other)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum->buckets[i] += other->buckets[i];
    }
    sum->count += other->count;
    sum->sum_us += other->sum_us;
    sum->max_us = other->max_us > sum->max_us ? other->max_us : sum->max_us;
}

uint64_t histogram_quantile(const struct histogram_sum *sum, unsigned permille)
{
    if (sum->count == 0) {
        return 0;
    }
    /* The rank of the record that is asked for, from 1; in two parts against overflow. */
    uint64_t rank = sum->count / 1000 * permille + (sum->count % 1000 * permille + 999) / 1000;
    uint64_t seen = 0;
    for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS && rank < sum->count; i++) {
        seen += sum->buckets[i];
        if (seen > 0 && seen >= rank) {
            uint64_t middle = histogram_bucket_middle(i);
            return middle < sum->max_us ? middle : sum->max_us;
        }
    }
    /* The slowest record, or one in the last bucket, which has no upper edge: only the maximum is
     * known of it. */
    return sum->max_us;
}

uint64_t histogram_count_up_to(const struct histogram_sum *sum, uint64_t limit_us)
{
    unsigned last = histogram_bucket(limit_us);
    uint64_t count = 0;
    for (unsigned i = 0; i <= last; i++) {
        count += sum->buckets[i];
    }
    return count;
}
