/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/origin.h"

/* The tags stand in files: they may not change from one version to the next. */
static void test_tags_are_for_ever(void **state)
{
    (void)state;
    assert_int_equal(origin_of_group("default"), 57401);
    assert_int_equal(origin_of_group("office"), 6323);
    assert_int_not_equal(origin_of_group("a"), origin_of_group("b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tags_are_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
