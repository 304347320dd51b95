/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "base/clock.h"
#include "resolver/list_stats.h"

#define HOUR (3600 * CLOCK_US_PER_S)

static void test_day(void **state)
{
    static struct list_stats stats;
    (void)state;
    assert_int_equal(list_stats_day(&stats, 0), 0);
    for (int64_t hour = 0; hour < 48; hour++) {
        list_stats_send(&stats, hour * HOUR);
        list_stats_send(&stats, hour * HOUR + 1);
        int64_t hours = hour < 23 ? hour + 1 : 24;
        assert_int_equal(list_stats_day(&stats, hour * HOUR + 2), 2 * hours);
    }
    /* Time without a question. */
    assert_int_equal(list_stats_day(&stats, 50 * HOUR), 42);
    list_stats_send(&stats, 50 * HOUR);
    assert_int_equal(list_stats_day(&stats, 50 * HOUR), 43);
    assert_int_equal(list_stats_day(&stats, 73 * HOUR), 1);
    assert_int_equal(list_stats_day(&stats, 74 * HOUR), 0);
    list_stats_send(&stats, 200 * HOUR);
    assert_int_equal(list_stats_day(&stats, 200 * HOUR), 1);
    assert_int_equal(counter_read(&stats.sent), 98);
}

static void test_rows(void **state)
{
    static struct list_stats stats;
    (void)state;
    counter_set(&stats.asked, 1);
    counter_set(&stats.sent, 2);
    assert_string_equal(list_metric_rows[0].name, "asked");
    assert_int_equal(list_stats_read(&stats, 0), 1);
    assert_string_equal(list_metric_rows[list_metric_row_count - 1].name, "sent");
    assert_int_equal(list_stats_read(&stats, list_metric_row_count - 1), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_day),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
