/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void histogram_buckets_cover_without_gaps(void **state)
{
    (void)state;
    uint64_t lower = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t upper = histogram_bucket_upper(i);
        assert_true(upper >= lower);
        assert_int_equal(histogram_bucket(lower), i);
        assert_int_equal(histogram_bucket(upper), i);
        uint64_t middle = histogram_bucket_middle(i);
        assert_true(lower <= middle && middle <= upper);
        /* 3.2 % off at most, at either edge. */
        assert_true((middle - lower) * 1000 <= lower * 32 + 999);
        assert_true((upper - middle) * 1000 <= upper * 32 + 999);
        lower = upper + 1;
    }
    assert_true(lower == UINT64_C(1) << HISTOGRAM_OCTAVES);
    assert_int_equal(histogram_bucket(lower), HISTOGRAM_BUCKETS - 1);
    assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void histogram_edges_are_as_computed_by_hand(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        unsigned bucket;
        uint64_t upper;
    } cases[] = {
        {0, 0, 0},
        {15, 15, 15},
        {16, 16, 16},
        {31, 31, 31},
        {32, 32, 33},
        {33, 32, 33},
        {34, 33, 35},
        {48, 40, 49},
        {50, 41, 50},
        {51, 42, 51},
        {52, 43, 53},
        {1000, 115, 1000},
        {1001, 116, 1023},
        {1024, 117, 1087},
        {1000000, 283, 1000000},
        {5000001, 323, 5242879},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(histogram_bucket(cases[i].value), cases[i].bucket);
        assert_int_equal(histogram_bucket_upper(cases[i].bucket), cases[i].upper);
    }
}

/* What monitoring is told: everything up to the edge, and nothing above it. */
static void histogram_counts_exactly_at_its_edges(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    struct histogram_sum sum = {.count = 0};
    for (size_t i = 0; i < HISTOGRAM_EDGES; i++) {
        histogram_record(&histogram, (int64_t)histogram_edges_us[i]);
        histogram_record(&histogram, (int64_t)histogram_edges_us[i] + 1);
    }
    histogram_merge(&sum, &histogram);
    for (size_t i = 0; i < HISTOGRAM_EDGES; i++) {
        assert_int_equal(histogram_count_up_to(&sum, histogram_edges_us[i]), 2 * i + 1);
    }
    assert_int_equal(histogram_count_up_to(&sum, UINT64_MAX), 2 * HISTOGRAM_EDGES);
}

static void histogram_sums_add_up(void **state)
{
    (void)state;
    struct histogram_sum sum = {.count = 2, .sum_us = 20, .max_us = 12};
    struct histogram_sum other = {.count = 1, .sum_us = 7, .max_us = 7};
    sum.buckets[8] = 1;
    sum.buckets[12] = 1;
    other.buckets[8] = 1;
    histogram_sum_add(&sum, &other);
    assert_int_equal(sum.count, 3);
    assert_int_equal(sum.sum_us, 27);
    assert_int_equal(sum.max_us, 12);
    assert_int_equal(sum.buckets[8], 2);
    other.max_us = 99;
    histogram_sum_add(&sum, &other);
    assert_int_equal(sum.max_us, 99);
}

static void histogram_quantiles_of_a_thousand(void **state)
{
    (void)state;
    static const struct {
        unsigned permille;
        uint64_t exact;
    } cases[] = {{0, 10}, {1, 10}, {500, 5000}, {900, 9000}, {990, 9900}, {1000, 10000}};
    struct histogram histogram = {0};
    for (int64_t i = 1; i <= 1000; i++) {
        histogram_record(&histogram, i * 10);
    }
    struct histogram_sum sum = {.count = 0};
    histogram_merge(&sum, &histogram);
    assert_int_equal(sum.count, 1000);
    assert_int_equal(sum.sum_us, 5005000);
    assert_int_equal(sum.max_us, 10000);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = histogram_quantile(&sum, cases[i].permille);
        uint64_t slack = cases[i].exact * 32 / 1000;
        assert_in_range(value, cases[i].exact - slack, cases[i].exact + slack);
    }
    assert_int_equal(histogram_quantile(&sum, 1000), 10000);
}

static void histogram_takes_the_ends(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    struct histogram_sum sum = {.count = 0};
    histogram_merge(&sum, &histogram);
    assert_int_equal(histogram_quantile(&sum, 500), 0);

    histogram_record(&histogram, -5);
    histogram_record(&histogram, INT64_MIN);
    histogram_merge(&sum, &histogram);
    assert_int_equal(sum.buckets[0], 2);
    assert_int_equal(sum.sum_us, 0);

    /* An hour has no bucket of its own: what is known of it is the maximum. */
    int64_t hour = INT64_C(3600) * 1000000;
    struct histogram slow = {0};
    struct histogram_sum slow_sum = {.count = 0};
    for (int i = 0; i < 4; i++) {
        histogram_record(&slow, hour - i);
    }
    histogram_merge(&slow_sum, &slow);
    assert_true(histogram_quantile(&slow_sum, 500) == (uint64_t)hour);
    assert_true(slow_sum.max_us == (uint64_t)hour);
}

static void histogram_quantile_is_never_above_the_maximum(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    struct histogram_sum sum = {.count = 0};
    for (int i = 0; i < 9; i++) {
        histogram_record(&histogram, 1024); /* The lower edge of a bucket. */
    }
    histogram_merge(&sum, &histogram);
    assert_int_equal(histogram_quantile(&sum, 500), 1024);
}

static void histogram_merges_workers(void **state)
{
    (void)state;
    struct histogram a = {0};
    struct histogram b = {0};
    struct histogram_sum sum = {.count = 0};
    histogram_record(&a, 5);
    histogram_record(&a, 700);
    histogram_record(&b, 700);
    histogram_merge(&sum, &a);
    histogram_merge(&sum, &b);
    assert_int_equal(sum.count, 3);
    assert_int_equal(sum.sum_us, 1405);
    assert_int_equal(sum.max_us, 700);
    assert_int_equal(histogram_count_up_to(&sum, 4), 0);
    assert_int_equal(histogram_count_up_to(&sum, 5), 1);
    assert_int_equal(histogram_count_up_to(&sum, 600), 1);
    assert_int_equal(histogram_count_up_to(&sum, 700), 3);
    assert_int_equal(histogram_count_up_to(&sum, UINT64_MAX), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histogram_buckets_cover_without_gaps),
        cmocka_unit_test(histogram_edges_are_as_computed_by_hand),
        cmocka_unit_test(histogram_counts_exactly_at_its_edges),
        cmocka_unit_test(histogram_sums_add_up),
        cmocka_unit_test(histogram_quantiles_of_a_thousand),
        cmocka_unit_test(histogram_takes_the_ends),
        cmocka_unit_test(histogram_quantile_is_never_above_the_maximum),
        cmocka_unit_test(histogram_merges_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
