/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/histogram.h"

#define SUB_BUCKETS   (1u << HISTOGRAM_SUB_BITS)
#define DURATION_LAST ((UINT64_C(1) << HISTOGRAM_OCTAVES) - 1)

/*
 * The first SUB_BUCKETS buckets are 1 us wide; from there each octave [2^n, 2^(n+1)) has
 * SUB_BUCKETS buckets of equal width. Row r > 0 of buckets is the octave n = r + SUB_BITS - 1.
 */
static uint64_t bucket_width(unsigned bucket)
{
    unsigned row = bucket / SUB_BUCKETS;
    return row == 0 ? 1 : UINT64_C(1) << (row - 1);
}

static uint64_t bucket_lower(unsigned bucket)
{
    uint64_t sub = bucket % SUB_BUCKETS;
    return bucket < SUB_BUCKETS ? sub : (SUB_BUCKETS + sub) * bucket_width(bucket);
}

unsigned histogram_bucket(uint64_t duration_us)
{
    if (duration_us < SUB_BUCKETS) {
        return (unsigned)duration_us;
    }
    if (duration_us > DURATION_LAST) {
        duration_us = DURATION_LAST;
    }
    unsigned octave = 63u - (unsigned)__builtin_clzll(duration_us);
    unsigned row = octave - HISTOGRAM_SUB_BITS + 1;
    unsigned sub = (unsigned)(duration_us >> (row - 1)) % SUB_BUCKETS;
    return row * SUB_BUCKETS + sub;
}

uint64_t histogram_bucket_middle(unsigned bucket)
{
    return bucket_lower(bucket) + bucket_width(bucket) / 2;
}

uint64_t histogram_bucket_upper(unsigned bucket)
{
    return bucket_lower(bucket) + bucket_width(bucket) - 1;
}

void histogram_record(struct histogram *histogram, int64_t duration_us)
{
    uint64_t duration = duration_us > 0 ? (uint64_t)duration_us : 0;
    if (duration > counter_read(&histogram->max_us)) {
        counter_set(&histogram->max_us, duration);
    }
    counter_add(&histogram->sum_us, duration);
    counter_add(&histogram->buckets[histogram_bucket(duration)], 1);
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
