/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void clock_now_never_goes_back(void **state)
{
    (void)state;
    int64_t before = clock_now();
    assert_true(before > 0);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_now();
        assert_true(now >= before);
        before = now;
    }
}

static void clock_now_counts_microseconds(void **state)
{
    (void)state;
    struct timespec low;
    struct timespec high;
    clock_gettime(CLOCK_BOOTTIME, &low);
    int64_t now = clock_now();
    clock_gettime(CLOCK_BOOTTIME, &high);
    assert_true(now >= low.tv_sec * CLOCK_US_PER_S + low.tv_nsec / 1000);
    assert_true(now <= high.tv_sec * CLOCK_US_PER_S + high.tv_nsec / 1000);
}

static void clock_wall_is_the_calendar(void **state)
{
    (void)state;
    struct timespec low;
    struct timespec high;
    clock_gettime(CLOCK_REALTIME, &low);
    int64_t wall = clock_wall();
    clock_gettime(CLOCK_REALTIME, &high);
    /* A second of slack on both sides: the wall clock may be set while the test runs. */
    assert_true(wall >= (low.tv_sec - 1) * CLOCK_US_PER_S);
    assert_true(wall <= (high.tv_sec + 1) * CLOCK_US_PER_S);
}

static void clock_boot_names_the_run(void **state)
{
    (void)state;
    char first[CLOCK_BOOT_SIZE];
    char second[CLOCK_BOOT_SIZE];
    assert_true(clock_boot(first));
    assert_true(clock_boot(second));
    assert_int_equal(strlen(first), CLOCK_BOOT_SIZE - 1);
    assert_string_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_now_never_goes_back),
        cmocka_unit_test(clock_now_counts_microseconds),
        cmocka_unit_test(clock_wall_is_the_calendar),
        cmocka_unit_test(clock_boot_names_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
