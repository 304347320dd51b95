/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/latency.h"

static void test_unknown_at_first(void **state)
{
    struct latency latency = {0};
    (void)state;
    for (unsigned i = 0; i + 1 < LATENCY_KNOWN_MIN; i++) {
        latency_add(&latency, 20 * MS);
    }
    assert_int_equal(latency_quantile(&latency, 950), 0);
    latency_add(&latency, 20 * MS);
    assert_in_range(latency_quantile(&latency, 950), 20 * MS, 24 * MS);
}

static void test_quantiles(void **state)
{
    struct latency latency = {0};
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        latency_add(&latency, i % 20 == 0 ? 300 * MS : 10 * MS);
    }
    assert_in_range(latency_quantile(&latency, 500), 10 * MS, 12 * MS);
    assert_in_range(latency_quantile(&latency, 900), 10 * MS, 12 * MS);
    assert_in_range(latency_quantile(&latency, 990), 300 * MS, 360 * MS);
}

static void test_the_past_fades(void **state)
{
    struct latency latency = {0};
    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        latency_add(&latency, 500 * MS);
    }
    for (unsigned i = 0; i < 4 * LATENCY_WINDOW; i++) {
        latency_add(&latency, 5 * MS);
    }
    assert_in_range(latency_quantile(&latency, 950), 5 * MS, 6 * MS);
}

static void test_weights_stay_finite(void **state)
{
    struct latency latency = {0};
    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        latency_add(&latency, 20 * MS);
    }
    assert_true(latency.total < 1e9f);
    assert_in_range(latency_quantile(&latency, 500), 20 * MS, 24 * MS);
}

static void test_extremes(void **state)
{
    struct latency latency = {0};
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        latency_add(&latency, i % 2 == 0 ? 0 : INT64_MAX / 4);
    }
    assert_in_range(latency_quantile(&latency, 400), 1, 100);
    assert_in_range(latency_quantile(&latency, 999), 4000 * MS, 6000 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unknown_at_first),
        cmocka_unit_test(test_quantiles), cmocka_unit_test(test_the_past_fades),
        cmocka_unit_test(test_weights_stay_finite), cmocka_unit_test(test_extremes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
