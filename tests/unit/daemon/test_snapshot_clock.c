/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/snapshot_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW (INT64_C(5000000000) * 1000)

static void test_age_in_this_run(void **state)
{
    (void)state;
    struct snapshot_clock clock;
    assert_true(snapshot_clock_make(&clock, NOW));
    assert_true(snapshot_clock_is(&clock.blob));
    assert_int_equal(snapshot_clock_age(&clock.blob, NOW), 0);
    assert_true(snapshot_clock_age(&clock.blob, NOW + 123456789) == 123456789);
    /* Nobody has seen the future: it is another run's, whatever its name. */
    assert_int_equal(snapshot_clock_age(&clock.blob, NOW - 1), -1);
}

static void test_what_tells_nothing(void **state)
{
    (void)state;
    struct snapshot_clock clock;
    assert_true(snapshot_clock_make(&clock, NOW));
    clock.boot[3] = clock.boot[3] == 'x' ? 'y' : 'x';
    assert_int_equal(snapshot_clock_age(&clock.blob, NOW), -1);
    assert_true(snapshot_clock_make(&clock, NOW));
    clock.blob.subject_len--;
    assert_int_equal(snapshot_clock_age(&clock.blob, NOW), -1);
    assert_true(snapshot_clock_make(&clock, NOW));
    clock.blob.len--;
    assert_int_equal(snapshot_clock_age(&clock.blob, NOW), -1);
    assert_true(snapshot_clock_make(&clock, NOW));
    clock.blob.version++;
    assert_int_equal(snapshot_clock_age(&clock.blob, NOW), -1);
    assert_true(snapshot_clock_make(&clock, NOW));
    memset(clock.bytes, 0xff, sizeof clock.bytes);
    assert_int_equal(snapshot_clock_age(&clock.blob, INT64_MAX), -1);
}

static void test_others_are_not_it(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t len;
    } cases[] = {{"clocks", 6}, {"cloc", 4}, {"habits", 6}, {"", 0}, {"Clock", 5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct snapshot_blob blob = {.name = cases[i].name, .name_len = cases[i].len};
        assert_false(snapshot_clock_is(&blob));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_age_in_this_run),
        cmocka_unit_test(test_what_tells_nothing),
        cmocka_unit_test(test_others_are_not_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
