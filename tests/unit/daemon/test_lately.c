/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/lately.h"

/* A hundred questions a minute; in the second minute half of them fail, and never again. */
static void test_an_outage_is_forgotten_in_ten_minutes(void **state)
{
    (void)state;
    struct lately lately = {.next = 0};
    struct lately_count total = {.asked = 0};
    for (unsigned minute = 1; minute <= 40; minute++) {
        total.asked += 100;
        total.failed += minute == 2 ? 50 : 0;
        struct lately_count now = lately_of(&lately, &total);
        unsigned known = minute < LATELY_MINUTES ? minute : LATELY_MINUTES;
        assert_int_equal(now.asked, 100 * known);
        assert_int_equal(now.failed, minute >= 2 && minute < 2 + LATELY_MINUTES ? 50 : 0);
        lately_note(&lately, &total);
    }
}

/* What has failed since the last mark counts at once. */
static void test_an_outage_is_seen_at_once(void **state)
{
    (void)state;
    struct lately lately = {.next = 0};
    struct lately_count total = {.asked = 1000};
    for (unsigned minute = 0; minute < 30; minute++) {
        lately_note(&lately, &total);
    }
    total.asked += 3;
    total.failed += 2;
    struct lately_count now = lately_of(&lately, &total);
    assert_int_equal(now.asked, 3);
    assert_int_equal(now.failed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_outage_is_forgotten_in_ten_minutes),
        cmocka_unit_test(test_an_outage_is_seen_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
