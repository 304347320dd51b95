/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/hedge.h"

/* In calm weather the share of hedges is what was earned, no more. */
static void test_calm_share(void **state)
{
    struct hedge hedge = {0};
    unsigned spent = 0;
    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        hedge_earn(&hedge, 20);
        spent += hedge_spend(&hedge) ? 1 : 0;
    }
    assert_int_equal(spent, 200);
}

static void test_savings_are_bounded(void **state)
{
    struct hedge hedge = {0};
    unsigned spent = 0;
    (void)state;
    for (unsigned i = 0; i < 1000000; i++) {
        hedge_earn(&hedge, 20);
    }
    while (hedge_spend(&hedge)) {
        spent++;
    }
    assert_int_equal(spent, HEDGE_SAVED_MAX / HEDGE_ONE);
    assert_int_equal(hedge.saved, 0);
}

/* When every hedge was needed, there is always enough for the next. */
static void test_storm_pays_for_itself(void **state)
{
    struct hedge hedge = {.saved = HEDGE_ONE};
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(hedge_spend(&hedge));
        hedge_return(&hedge);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calm_share),
        cmocka_unit_test(test_savings_are_bounded), cmocka_unit_test(test_storm_pays_for_itself)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
