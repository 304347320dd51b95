/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void counter_adds_sets_and_reads(void **state)
{
    (void)state;
    struct counter counter = {0};
    counter_add(&counter, 1);
    counter_add(&counter, 41);
    assert_int_equal(counter_read(&counter), 42);
    counter_set(&counter, 7);
    assert_int_equal(counter_read(&counter), 7);
    counter_set(&counter, UINT64_MAX);
    counter_add(&counter, 1); /* Wraps, as a reader of counters expects. */
    assert_int_equal(counter_read(&counter), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_adds_sets_and_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
