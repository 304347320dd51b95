/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/bench/policy_trace.h"

static const struct policy_trace_options usual = {
    .connections = 2000, .seconds = 100, .bots_percent = 60, .seed = 1};

static void make(struct policy_trace *trace, const struct policy_trace_options *options)
{
    assert_true(policy_trace_init(trace, options));
}

static void test_same_seed_same_trace(void **state)
{
    struct policy_trace_options options = usual;
    struct policy_trace a;
    struct policy_trace b;
    struct policy_trace c;
    (void)state;
    make(&a, &options);
    make(&b, &options);
    options.seed = 2;
    make(&c, &options);
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.asks, b.asks, a.count * sizeof(a.asks[0]));
    assert_true(a.count != c.count || memcmp(a.asks, c.asks, a.count * sizeof(a.asks[0])) != 0);
    policy_trace_fini(&a);
    policy_trace_fini(&b);
    policy_trace_fini(&c);
}

static void test_asks_are_in_bounds(void **state)
{
    struct policy_trace trace;
    uint32_t second = 0;
    (void)state;
    make(&trace, &usual);
    for (uint32_t i = 0; i < trace.count; i++) {
        const struct policy_ask *ask = &trace.asks[i];
        assert_true(ask->second >= second && ask->second < usual.seconds);
        assert_true(ask->name < trace.name_count);
        assert_in_range(ask->ttl_s, 60, 3600);
        second = ask->second;
    }
    assert_int_equal(second, usual.seconds - 1);
    policy_trace_fini(&trace);
}

/* Bots are looked up in five lists and never come again. */
static void test_bots_come_once(void **state)
{
    struct policy_trace_options options = usual;
    struct policy_trace_facts facts;
    struct policy_trace trace;
    (void)state;
    options.bots_percent = 100;
    make(&trace, &options);
    assert_true(policy_trace_sum_up(&trace, &facts));
    assert_int_equal(facts.lists, 5 * options.connections);
    assert_int_equal(facts.lists_names, facts.lists);
    assert_int_equal(facts.lists_once, facts.lists);
    policy_trace_fini(&trace);
}

static void test_facts(void **state)
{
    struct policy_ask asks[] = {
        {.name = 0},
        {.name = 1, .is_list = true},
        {.name = 0},
        {.name = 0},
        {.name = 2, .is_list = true},
        {.name = 2, .is_list = true},
    };
    struct policy_trace trace = {.asks = asks, .count = 6, .name_count = 3};
    struct policy_trace_facts facts;
    (void)state;
    assert_true(policy_trace_sum_up(&trace, &facts));
    assert_int_equal(facts.lists, 3);
    assert_int_equal(facts.names, 3);
    assert_int_equal(facts.once, 1);
    assert_int_equal(facts.lists_names, 2);
    assert_int_equal(facts.lists_once, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_trace),
        cmocka_unit_test(test_asks_are_in_bounds),
        cmocka_unit_test(test_bots_come_once),
        cmocka_unit_test(test_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
