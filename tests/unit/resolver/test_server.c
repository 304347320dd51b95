/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/server.h"

#define SECOND (1000 * MS)

static void test_try_timeout(void **state)
{
    static const struct {
        int64_t latency_us;
        unsigned tries_before;
        int64_t wanted_us;
    } cases[] = {
        {0, 0, 400 * MS},                         /* Nothing known: half of the bound. */
        {0, 1, 800 * MS}, {10 * MS, 0, 200 * MS}, /* The floor. */
        {10 * MS, 1, 400 * MS}, {10 * MS, 2, 800 * MS}, {10 * MS, 9, 800 * MS},
        {100 * MS, 0, 400 * MS}, {500 * MS, 0, 800 * MS}, /* The bound. */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct server server;
        server.latency_us = cases[i].latency_us;
        assert_int_equal(
            server_try_timeout(&server, cases[i].tries_before, 800 * MS), cases[i].wanted_us);
    }
}

static void test_rest_until_a_reply(void **state)
{
    static struct server server;
    (void)state;
    assert_string_equal(server_state(&server), "untried");
    server_on_timeout(&server);
    server_on_lost(&server, false);
    assert_false(server_is_resting(&server));
    server_on_timeout(&server);
    assert_true(server_is_resting(&server));
    assert_string_equal(server_state(&server), "resting");
    server_hear(&server, 20 * MS, true, 27 * MS);
    assert_false(server_is_resting(&server));
    assert_string_equal(server_state(&server), "well");
    assert_int_equal(counter_read(&server.timed_out), 2);
    assert_int_equal(counter_read(&server.lost), 1);
}

static void test_hedge_delay(void **state)
{
    static struct server server;
    (void)state;
    assert_int_equal(server_hedge_delay(&server, 20), 0); /* Nothing is known. */
    for (unsigned i = 0; i < 200; i++) {
        server_hear(&server, i % 25 == 0 ? 150 * MS : 20 * MS, true, 0);
    }
    assert_in_range(server_hedge_delay(&server, 20), 150 * MS, 180 * MS);
    /* Where much is lost, the 95th percentile is patience enough. */
    for (unsigned i = 0; i < 10; i++) {
        server_on_timeout(&server);
    }
    assert_in_range(server_hedge_delay(&server, 20), 20 * MS, 24 * MS);
}

static void test_hedge_delay_is_bounded(void **state)
{
    static struct server fast;
    static struct server slow;
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        server_hear(&fast, 100, true, 0);
        server_hear(&slow, 3000 * MS, true, 0);
    }
    assert_int_equal(server_hedge_delay(&fast, 20), SERVER_HEDGE_MIN_US);
    assert_int_equal(server_hedge_delay(&slow, 20), SERVER_HEDGE_MAX_US);
}

static void test_silence(void **state)
{
    static struct server server;
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        server_hear(&server, 20 * MS, true, 1000 * MS);
    }
    for (unsigned i = 0; i < SERVER_SILENT_MIN; i++) {
        assert_false(server_is_silent(&server, 9000 * MS)); /* It owes too little to tell. */
        server_on_sent(&server, 1001 * MS);
    }
    assert_false(server_is_silent(&server, 1030 * MS));
    assert_true(server_is_silent(&server, 1060 * MS));
    server_hear(&server, 20 * MS, true, 1061 * MS);
    server_on_withdrawn(&server);
    assert_false(server_is_silent(&server, 1062 * MS));
}

static void test_failing(void **state)
{
    static struct server server;
    (void)state;
    for (unsigned i = 0; i < SERVER_FAILURES_MAX; i++) {
        assert_false(server_is_failing(&server));
        server_on_failure(&server, false); /* The same question again. */
        assert_false(server_is_failing(&server));
        server_on_failure(&server, true);
        server_hear(&server, MS, false, 0);
    }
    assert_true(server_is_failing(&server));
    assert_string_equal(server_state(&server), "failing");
    server_hear(&server, MS, true, 0);
    assert_false(server_is_failing(&server));
    server_on_failure(&server, true);
    assert_false(server_is_failing(&server)); /* In a row. */
}

/* What could not be sent counts like what was not answered, but not as a message lost. */
static void test_unsent(void **state)
{
    static struct server server;
    (void)state;
    for (unsigned i = 0; i < SERVER_STREAK_MAX; i++) {
        assert_false(server_is_resting(&server));
        server_on_unsent(&server);
    }
    assert_true(server_is_resting(&server));
    assert_int_equal(counter_read(&server.lost), 0);
    assert_int_equal(counter_read(&server.timed_out), 0);
}

static void test_latency_is_smoothed(void **state)
{
    static struct server server;
    (void)state;
    server_hear(&server, 80 * MS, true, 0);
    assert_int_equal(server.latency_us, 80 * MS);
    server_hear(&server, 160 * MS, true, 0);
    assert_in_range(server.latency_us, 90 * MS, 90 * MS + 1);
    server_hear(&server, 1, false, 0); /* A failure says nothing about the round trip of answers. */
    assert_in_range(server.latency_us, 90 * MS, 90 * MS + 1);
    assert_int_equal(counter_read(&server.failed), 1);
}

static void test_each_way_has_its_times(void **state)
{
    static struct server server;
    const struct server_reply by_stream = {90 * MS, SERVER_WAY_STREAM, true};
    const struct server_reply useless = {80 * MS, SERVER_WAY_STREAM, false};
    (void)state;
    server_hear(&server, 20 * MS, true, 0);
    server_on_reply(&server, &by_stream, 0);
    server_on_reply(&server, &useless, 0);
    assert_int_equal(counter_read(&server.latency[SERVER_WAY_DATAGRAM].sum_us), 20 * MS);
    assert_int_equal(counter_read(&server.latency[SERVER_WAY_STREAM].sum_us), 90 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_way_has_its_times),
        cmocka_unit_test(test_try_timeout), cmocka_unit_test(test_rest_until_a_reply),
        cmocka_unit_test(test_hedge_delay), cmocka_unit_test(test_hedge_delay_is_bounded),
        cmocka_unit_test(test_silence), cmocka_unit_test(test_failing),
        cmocka_unit_test(test_unsent), cmocka_unit_test(test_latency_is_smoothed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
