/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/stats_view.h"

static int view_new(void **state)
{
    *state = calloc(1, sizeof(struct stats_view));
    return *state == NULL ? -1 : 0;
}

static int view_free(void **state)
{
    free(*state);
    return 0;
}

static void add_server(struct stats_view *view, const char *group, const char *server_state)
{
    struct stats_upstream *upstream = &view->upstreams[view->upstream_count++];
    (void)snprintf(upstream->group, sizeof upstream->group, "%s", group);
    (void)snprintf(upstream->state, sizeof upstream->state, "%s", server_state);
}

struct health_case {
    uint64_t hits;
    uint64_t failed;
    const char *servers[4][2];
    enum stats_health health;
};

static void test_health(void **state)
{
    static const struct health_case cases[] = {
        {0, 0, {{NULL}}, STATS_HEALTH_IDLE},
        {0, 0, {{"default", "untried"}}, STATS_HEALTH_IDLE},
        {1, 0, {{"default", "well"}}, STATS_HEALTH_WELL},
        {99, 1, {{"default", "well"}}, STATS_HEALTH_WELL},
        {98, 2, {{"default", "well"}}, STATS_HEALTH_FAILING},
        {0, 1, {{"default", "well"}}, STATS_HEALTH_FAILING},
        {1, 0, {{"default", "well"}, {"default", "resting"}}, STATS_HEALTH_LIMPING},
        {0, 0, {{"default", "untried"}, {"default", "resting"}}, STATS_HEALTH_LIMPING},
        {0, 1, {{"default", "well"}, {"default", "resting"}}, STATS_HEALTH_FAILING},
        {1, 0, {{"default", "resting"}, {"default", "resting"}}, STATS_HEALTH_CUT_OFF},
        {1, 0, {{"default", "well"}, {"office", "resting"}}, STATS_HEALTH_CUT_OFF},
    };
    struct stats_view *view = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memset(view, 0, sizeof *view);
        view->waits[QUESTION_CLASS_A][OUTCOME_HIT].count = cases[i].hits;
        view->waits[QUESTION_CLASS_MX][OUTCOME_FAILED].count = cases[i].failed;
        for (size_t k = 0; k < 4 && cases[i].servers[k][0] != NULL; k++) {
            add_server(view, cases[i].servers[k][0], cases[i].servers[k][1]);
        }
        assert_int_equal(stats_view_health(view), cases[i].health);
    }
    assert_string_equal(stats_health_name(STATS_HEALTH_CUT_OFF), "cut off");
    assert_string_equal(stats_health_name(STATS_HEALTH_IDLE), "idle");
}

static void test_sums(void **state)
{
    struct stats_view *view = *state;
    struct histogram_sum sum;
    memset(view, 0, sizeof *view);
    view->waits[QUESTION_CLASS_MX][OUTCOME_HIT] =
        (struct histogram_sum){.count = 3, .sum_us = 30, .max_us = 12, .buckets[10] = 3};
    view->waits[QUESTION_CLASS_MX][OUTCOME_MISS] =
        (struct histogram_sum){.count = 1, .sum_us = 15, .max_us = 15, .buckets[15] = 1};
    view->waits[QUESTION_CLASS_A][OUTCOME_HIT] =
        (struct histogram_sum){.count = 2, .sum_us = 2, .max_us = 1, .buckets[1] = 2};

    stats_view_sum_class(view, QUESTION_CLASS_MX, &sum);
    assert_int_equal(sum.count, 4);
    assert_int_equal(sum.sum_us, 45);
    assert_int_equal(sum.max_us, 15);
    assert_int_equal(sum.buckets[10], 3);
    assert_int_equal(sum.buckets[15], 1);

    stats_view_sum_outcome(view, OUTCOME_HIT, &sum);
    assert_int_equal(sum.count, 5);
    assert_int_equal(sum.sum_us, 32);
    assert_int_equal(sum.max_us, 12);

    assert_int_equal(stats_view_here(view, QUESTION_CLASS_MX), 3);
    assert_int_equal(stats_view_count(view), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health),
        cmocka_unit_test(test_sums),
    };
    return cmocka_run_group_tests(tests, view_new, view_free);
}
