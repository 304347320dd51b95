/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/doubt.h"

#define SECOND (1000 * MS)

static void test_grows_and_ends(void **state)
{
    static struct doubts doubts;
    (void)state;
    assert_int_equal(doubt_of(&doubts, 7, 0, 0), DOUBT_NONE);
    doubt_add(&doubts, 7, 0, 0);
    assert_int_equal(doubt_of(&doubts, 7, 0, SECOND - 1), DOUBT_FIRM);
    assert_int_equal(doubt_of(&doubts, 7, 0, SECOND), DOUBT_NONE);
    doubt_add(&doubts, 7, 0, SECOND);
    assert_int_equal(doubt_of(&doubts, 7, 0, 3 * SECOND - 1), DOUBT_FIRM);
    assert_int_equal(doubt_of(&doubts, 7, 0, 3 * SECOND), DOUBT_NONE);
    for (unsigned i = 0; i < 20; i++) {
        doubt_add(&doubts, 7, 0, 10 * SECOND);
    }
    assert_int_equal(doubt_of(&doubts, 7, 0, 39 * SECOND), DOUBT_FIRM);
    assert_int_equal(doubt_of(&doubts, 7, 0, 40 * SECOND), DOUBT_LATER);
    assert_int_equal(doubt_of(&doubts, 7, 0, 265 * SECOND), DOUBT_LATER);
    assert_int_equal(doubt_of(&doubts, 7, 0, 310 * SECOND), DOUBT_NONE);
    doubt_clear(&doubts, 7, 0);
    assert_int_equal(doubt_of(&doubts, 7, 0, 11 * SECOND), DOUBT_NONE);
}

static void test_is_exact(void **state)
{
    static struct doubts doubts;
    (void)state;
    doubt_add(&doubts, 7, 0, 0);
    assert_int_equal(doubt_of(&doubts, 7, 1, 0), DOUBT_NONE);
    assert_int_equal(doubt_of(&doubts, 8, 0, 0), DOUBT_NONE);
    doubt_clear(&doubts, 7, 1);
    assert_int_equal(doubt_of(&doubts, 7, 0, 0), DOUBT_FIRM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_ends), cmocka_unit_test(test_is_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
