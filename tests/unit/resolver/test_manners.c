/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/manners.h"

static const uint8_t given[EDNS_COOKIE_SIZE_MIN] = {1, 2, 3};

static void test_letters(void **state)
{
    struct manners manners = {0};
    (void)state;
    assert_true(manners_keeps_letters(&manners, 0));
    manners_on_letters(&manners, false, 5);
    assert_false(manners_keeps_letters(&manners, 5));
    assert_false(manners_keeps_letters(&manners, 4 + MANNERS_FORGET_US));
    assert_true(manners_keeps_letters(&manners, 5 + MANNERS_FORGET_US));
    manners_on_letters(&manners, true, 6);
    assert_true(manners_keeps_letters(&manners, 6));
}

static void test_cookie_is_remembered(void **state)
{
    struct manners manners = {0};
    (void)state;
    assert_true(manners_takes_cookies(&manners, 0));
    manners_on_cookie(&manners, COOKIE_NONE, given, 0, 0);
    manners_on_cookie(&manners, COOKIE_CLIENT_ONLY, given, EDNS_COOKIE_CLIENT_SIZE, 0);
    assert_false(manners_expects_cookie(&manners));
    manners_on_cookie(&manners, COOKIE_GOOD, given, sizeof given, 0);
    assert_true(manners_expects_cookie(&manners));
    assert_int_equal(manners.cookie_len, sizeof given);
    assert_memory_equal(manners.cookie, given, sizeof given);
}

/* Only misses in a row count, and then they are forgotten for a while. */
static void test_cookie_is_given_up(void **state)
{
    struct manners manners = {0};
    (void)state;
    manners_on_cookie(&manners, COOKIE_GOOD, given, sizeof given, 0);
    for (unsigned i = 0; i < 3 * MANNERS_MISSES_MAX; i++) {
        bool is_good = i % MANNERS_MISSES_MAX == 0;
        manners_on_cookie(&manners, is_good ? COOKIE_GOOD : COOKIE_MISSING, given, sizeof given, 0);
    }
    assert_true(manners_expects_cookie(&manners));
    manners_on_cookie(&manners, COOKIE_WRONG, given, sizeof given, 7);
    assert_false(manners_expects_cookie(&manners));
    assert_false(manners_takes_cookies(&manners, 6 + MANNERS_FORGET_US));
    assert_true(manners_takes_cookies(&manners, 7 + MANNERS_FORGET_US));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_letters),
        cmocka_unit_test(test_cookie_is_remembered), cmocka_unit_test(test_cookie_is_given_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
