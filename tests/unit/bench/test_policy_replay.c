/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bench/policy.h"
#include "tests/bench/policy_replay.h"
#include "tests/bench/policy_trace.h"

/* With room for two: 0 expires in place, is renewed and outlives 1, which 2 has pushed out. */
static struct policy_ask asks[] = {
    {.second = 0, .name = 0, .ttl_s = 10}, {.second = 9, .name = 0, .ttl_s = 10}, /* A hit. */
    {.second = 9, .name = 1, .ttl_s = 99, .is_list = true},
    {.second = 10, .name = 0, .ttl_s = 10}, /* Has expired. */
    {.second = 11, .name = 2, .ttl_s = 99}, {.second = 19, .name = 0, .ttl_s = 10}, /* A hit. */
    {.second = 19, .name = 1, .ttl_s = 99, .is_list = true},
    {.second = 20, .name = 1, .ttl_s = 99, .is_list = true}, /* A hit. */
};

static const struct policy_trace trace = {
    .asks = asks, .count = sizeof(asks) / sizeof(asks[0]), .name_count = 3};

static void test_expired_is_a_miss(void **state)
{
    const struct policy_room room = {.slots = 2, .names = trace.name_count};
    struct policy *policy = policy_lru_new(&room);
    struct policy_score score;
    (void)state;
    assert_non_null(policy);
    assert_true(policy_replay(&trace, &room, policy, &score));
    assert_int_equal(score.asks, 8);
    assert_int_equal(score.hits, 3);
    assert_int_equal(score.other_asks, 5);
    assert_int_equal(score.other_hits, 2);
    assert_int_equal(score.entries, 2);
    policy->free(policy);
}

/* The smallest real cache has room for all three names, so that 1 is hit at once. */
static void test_real_cache(void **state)
{
    struct policy_score score;
    (void)state;
    assert_true(policy_replay_real(&trace, 2000, 25, &score));
    assert_int_equal(score.asks, 8);
    assert_int_equal(score.hits, 4);
    assert_int_equal(score.other_asks, 5);
    assert_int_equal(score.other_hits, 2);
    assert_int_equal(score.entries, 3);
}

/* It is as large as was asked for. */
static void test_real_cache_size(void **state)
{
    static struct policy_ask many[9000];
    struct policy_trace full = {.asks = many, .count = 9000, .name_count = 9000};
    struct policy_score score;
    (void)state;
    for (uint32_t i = 0; i < full.count; i++) {
        many[i] = (struct policy_ask){.name = i, .ttl_s = 3600};
    }
    assert_true(policy_replay_real(&full, 3000, 25, &score));
    assert_in_range(score.entries, 2940, 3060);
    assert_int_equal(score.hits, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expired_is_a_miss),
        cmocka_unit_test(test_real_cache),
        cmocka_unit_test(test_real_cache_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
