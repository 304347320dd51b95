/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

static void test_rows_and_struct_agree(void **state)
{
    static struct resolver_stats stats;
    (void)state;
    counter_add(&stats.questions, 3);
    counter_add(&stats.upstream_truncated, 5);
    assert_string_equal(resolver_metric_rows[0].name, "questions");
    assert_int_equal(resolver_stats_read(&stats, 0), 3);
    size_t last = resolver_metric_row_count - 1;
    assert_string_equal(resolver_metric_rows[last].name, "upstream_truncated");
    assert_int_equal(resolver_stats_read(&stats, last), 5);
}

static void test_names_are_distinct(void **state)
{
    (void)state;
    for (unsigned a = 0; a < QUESTION_CLASSES; a++) {
        for (unsigned b = 0; b < a; b++) {
            assert_true(strcmp(question_class_name((enum question_class)a),
                            question_class_name((enum question_class)b)) != 0);
        }
    }
    for (unsigned a = 0; a < OUTCOMES; a++) {
        for (unsigned b = 0; b < a; b++) {
            assert_true(strcmp(outcome_name((enum outcome)a), outcome_name((enum outcome)b)) != 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_and_struct_agree), cmocka_unit_test(test_names_are_distinct)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
