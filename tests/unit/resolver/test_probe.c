/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/probe.h"

#include "fixture.h"

#include "base/clock.h"
#include "resolver/exchange.h"
#include "resolver/resolver_private.h"

#define SECONDS(count) ((int64_t)(count)*CLOCK_US_PER_S)

static const char conf[] = "upstreams = 192.0.2.1 192.0.2.2\n";

static struct server *first(struct fixture *fixture)
{
    return &fixture->resolver->servers.servers[0];
}

/* The first server rests, as after many tries without a reply. */
static void put_to_rest(struct fixture *fixture, int64_t now)
{
    for (unsigned i = 0; i < 20; i++) {
        server_on_sent(first(fixture), now);
        server_on_timeout(first(fixture));
    }
    assert_true(server_is_resting(first(fixture)));
    probe_watch(fixture->resolver, 0, now);
}

/* A reply of this rcode to the last probe. */
static bool reply(struct fixture *fixture, unsigned rcode, int64_t now)
{
    struct exchange *exchange =
        pool_find(&fixture->resolver->exchanges, first(fixture)->probe.exchange);
    uint8_t bytes[512];
    assert_non_null(exchange);
    size_t len = query_of(".", TYPE_NS, bytes);
    header_set_id(bytes, exchange->wire_id);
    header_set_flags(bytes, (uint16_t)(HEADER_QR | rcode));
    return probe_on_reply(fixture->resolver, exchange, bytes, len, now);
}

/* Who does not rest is not probed. */
static void test_not_resting(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    probe_watch(fixture->resolver, 0, 0);
    probe_hasten(fixture->resolver, 0, 0);
    fixture_pass(fixture, SECONDS(3600));
    assert_int_equal(COUNTER(fixture, upstream_probes), 0);
    fixture_free(fixture);
}

/* After a second, then at twice the time, up to ten seconds. */
static void test_times(void **state)
{
    static const int64_t at[] = {1, 2, 4, 8, 16, 26, 36, 46};
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    put_to_rest(fixture, 0);
    probe_watch(fixture->resolver, 0, MS); /* Once more changes nothing. */
    for (unsigned i = 0; i < sizeof at / sizeof at[0]; i++) {
        fixture_pass(fixture, SECONDS(at[i]) - 1);
        assert_int_equal(COUNTER(fixture, upstream_probes), i);
        fixture_pass(fixture, SECONDS(at[i]));
        assert_int_equal(COUNTER(fixture, upstream_probes), i + 1);
        assert_int_equal(first(fixture)->probe.missed, i + 1);
    }
    assert_int_equal(fixture->resolver->exchanges.in_use, 1); /* The last one only. */
    fixture_free(fixture);
}

/* Whatever it says, it speaks; then it is left alone, and the next rest begins anew. */
static void test_return(void **state)
{
    static const unsigned rcodes[] = {RCODE_NOERROR, RCODE_REFUSED, RCODE_SERVFAIL};
    (void)state;
    for (size_t i = 0; i < sizeof rcodes / sizeof rcodes[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        put_to_rest(fixture, 0);
        fixture_pass(fixture, SECONDS(4));
        assert_true(reply(fixture, rcodes[i], SECONDS(4) + 20 * MS));
        assert_false(server_is_resting(first(fixture)));
        assert_int_equal(first(fixture)->probe.missed, 0);
        assert_false(first(fixture)->probe.is_told);
        assert_int_equal(fixture->resolver->exchanges.in_use, 0);
        fixture_pass(fixture, SECONDS(60));
        assert_int_equal(COUNTER(fixture, upstream_probes), 3);
        put_to_rest(fixture, SECONDS(60));
        fixture_pass(fixture, SECONDS(61));
        assert_int_equal(COUNTER(fixture, upstream_probes), 4);
        fixture_free(fixture);
    }
}

/* What is no reply to the probe wakes nobody. */
static void test_mismatch(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    uint8_t bytes[512];
    (void)state;
    put_to_rest(fixture, 0);
    fixture_pass(fixture, SECONDS(1));
    struct exchange *exchange =
        pool_find(&fixture->resolver->exchanges, first(fixture)->probe.exchange);
    size_t len = query_of("example.org", TYPE_NS, bytes);
    header_set_id(bytes, exchange->wire_id);
    header_set_flags(bytes, HEADER_QR);
    assert_false(probe_on_reply(fixture->resolver, exchange, bytes, len, SECONDS(1)));
    assert_int_equal(COUNTER(fixture, upstream_mismatched), 1);
    assert_true(server_is_resting(first(fixture)));
    assert_true(reply(fixture, RCODE_NOERROR, SECONDS(1) + MS));
    fixture_free(fixture);
}

/* A question waits for it: the next probe goes out soon, but not sooner than PROBE_WANTED_US after
 * the last one, nor later than it would have. */
static void test_hasten(void **state)
{
    static const struct {
        int64_t hastened_at; /* The last probe was sent at 8 s, the next one is due at 16 s. */
        int64_t due_at;
    } cases[] = {
        {SECONDS(8) + MS, SECONDS(8) + PROBE_WANTED_US},
        {SECONDS(12), SECONDS(12)},
        {SECONDS(16) - 1, SECONDS(16) - 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        put_to_rest(fixture, 0);
        fixture_pass(fixture, cases[i].hastened_at);
        assert_int_equal(COUNTER(fixture, upstream_probes), 4);
        probe_hasten(fixture->resolver, 0, cases[i].hastened_at);
        fixture_pass(fixture, cases[i].due_at - 1);
        assert_int_equal(COUNTER(fixture, upstream_probes), 4);
        fixture_pass(fixture, cases[i].due_at);
        assert_int_equal(COUNTER(fixture, upstream_probes), 5);
        fixture_free(fixture);
    }
}

/* Whether a server that speaks takes EDNS is asked at once, then after twice the time each; a reply
 * ends it. */
static void test_check_edns(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    probe_check_edns(fixture->resolver, 0, 0);
    assert_int_equal(COUNTER(fixture, upstream_probes), 1);
    assert_int_equal(first(fixture)->plain_until, PROBE_PLAIN_FIRST_US);
    fixture_pass(fixture, PROBE_CHECK_US);
    assert_int_equal(fixture->resolver->exchanges.in_use, 0);
    probe_recheck_edns(fixture->resolver, 0, PROBE_PLAIN_FIRST_US - 1);
    assert_int_equal(COUNTER(fixture, upstream_probes), 1);
    probe_recheck_edns(fixture->resolver, 0, PROBE_PLAIN_FIRST_US);
    assert_int_equal(COUNTER(fixture, upstream_probes), 2);
    assert_int_equal(first(fixture)->plain_until, 3 * PROBE_PLAIN_FIRST_US);
    assert_true(reply(fixture, RCODE_NOERROR, PROBE_PLAIN_FIRST_US + MS));
    assert_int_equal(first(fixture)->plain_until, 0);
    assert_int_equal(first(fixture)->probe.plain_us, 0);
    assert_true(first(fixture)->knows_edns);
    fixture_pass(fixture, SECONDS(3600));
    assert_int_equal(COUNTER(fixture, upstream_probes), 2);
    assert_int_equal(fixture->resolver->exchanges.in_use, 0);
    fixture_free(fixture);
}

/* One that cannot be sent may be what puts the server to rest: then it is probed as others are. */
static void test_check_unsent(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    for (unsigned i = 1; i < SERVER_STREAK_MAX; i++) {
        server_on_timeout(first(fixture));
    }
    fixture->is_refusing_to_send = true;
    probe_check_edns(fixture->resolver, 0, 0);
    assert_true(server_is_resting(first(fixture)));
    fixture_pass(fixture, SECONDS(10));
    assert_int_equal(COUNTER(fixture, upstream_probes), 5); /* At 0, 1, 2, 4 and 8 s. */
    fixture_free(fixture);
}

/* No descriptor for it: it is tried again at its time. */
static void test_unsent(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    put_to_rest(fixture, 0);
    fixture->is_refusing_to_send = true;
    fixture_pass(fixture, SECONDS(1));
    assert_int_equal(fixture->resolver->exchanges.in_use, 0);
    fixture->is_refusing_to_send = false;
    fixture_pass(fixture, SECONDS(2));
    assert_int_equal(fixture->probe_count, 1);
    assert_true(reply(fixture, RCODE_NOERROR, SECONDS(2) + MS));
    fixture_free(fixture);
}

/* Stopped: no deadline, no exchange, whether one was under way or not; and started again. */
static void test_stop(void **state)
{
    (void)state;
    for (int64_t at = 0; at < 2; at++) {
        struct fixture *fixture = fixture_new(conf);
        put_to_rest(fixture, 0);
        fixture_pass(fixture, SECONDS(at));
        probe_stop(fixture->resolver, 0);
        assert_int_equal(fixture->resolver->exchanges.in_use, 0);
        fixture_pass(fixture, SECONDS(60));
        assert_int_equal(COUNTER(fixture, upstream_probes), (uint64_t)at);
        probe_watch(fixture->resolver, 0, SECONDS(60));
        fixture_pass(fixture, SECONDS(61));
        assert_int_equal(COUNTER(fixture, upstream_probes), (uint64_t)at + 1);
        fixture_free(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_resting),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_return),
        cmocka_unit_test(test_mismatch),
        cmocka_unit_test(test_hasten),
        cmocka_unit_test(test_unsent),
        cmocka_unit_test(test_check_edns),
        cmocka_unit_test(test_check_unsent),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
