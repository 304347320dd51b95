/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/resolver_private.h"
#include "resolver/sleep.h"

#define HOURS (INT64_C(3600) * 1000 * MS)

static struct server_view view_of(const struct fixture *fixture)
{
    struct server_view view;
    assert_true(resolver_server_at(fixture->resolver, 0, &view));
    return view;
}

/* A server whose round trip of 20 ms is known. */
static struct fixture *fixture_known(void)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\n");
    fixture_ask(fixture, "known.example.org", TYPE_A, 0);
    assert_true(fixture_reply(fixture, 0, 0, 20 * MS));
    assert_int_equal(view_of(fixture).latency_us, 20 * MS);
    return fixture;
}

static uint64_t sleeps_of(const struct fixture *fixture)
{
    return counter_read(&resolver_stats_of(fixture->resolver)->sleeps);
}

static void test_asked_again_without_blame(void **state)
{
    struct fixture *fixture = fixture_known();
    int64_t woken = 8 * HOURS;
    (void)state;
    fixture_ask(fixture, "a.example.org", TYPE_A, 30 * MS);
    fixture_ask(fixture, "b.example.org", TYPE_A, 30 * MS);
    fixture_ask(fixture, "c.example.org", TYPE_A, 30 * MS);
    assert_int_equal(fixture->sent_count, 4);
    resolver_run_due(fixture->resolver, woken);
    assert_int_equal(sleeps_of(fixture), 1);
    assert_int_equal(fixture->sent_count, 7);
    assert_int_equal(fixture->delivered_count, 1);
    for (size_t i = 4; i < 7; i++) {
        assert_true(fixture_reply(fixture, i, 0, woken + 20 * MS));
    }
    assert_int_equal(fixture->delivered_count, 4);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    assert_int_equal(view_of(fixture).timed_out, 0);
    assert_string_equal(view_of(fixture).state, "well");
    fixture_pass(fixture, woken + 20 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* Replies that lay in our sockets are answers, but no measure. */
static void test_old_reply_is_not_measured(void **state)
{
    struct fixture *fixture = fixture_known();
    (void)state;
    fixture_ask(fixture, "a.example.org", TYPE_A, 30 * MS);
    assert_true(fixture_reply(fixture, 1, 0, 5000 * MS));
    assert_int_equal(sleeps_of(fixture), 1);
    assert_int_equal(fixture->delivered_count, 2);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    assert_int_equal(view_of(fixture).latency_us, 20 * MS);
    assert_int_equal(view_of(fixture).answered, 2);
    fixture_pass(fixture, 5000 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* Nor is it the server's fault that connections did not outlive the night. */
static void test_old_lines_break(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1#dns.example.net\n");
    (void)state;
    fixture_ask(fixture, "a.example.org", TYPE_A, 0);
    fixture_ask(fixture, "b.example.org", TYPE_A, 0);
    fixture_ask(fixture, "c.example.org", TYPE_A, 0);
    for (size_t i = 0; i < 3; i++) {
        fixture_lose(fixture, i, HOURS);
    }
    assert_int_equal(view_of(fixture).lost, 0);
    assert_string_not_equal(view_of(fixture).state, "resting");
    resolver_run_due(fixture->resolver, HOURS);
    assert_int_equal(sleeps_of(fixture), 1);
    assert_int_equal(fixture->sent_count, 6);
    for (size_t i = 3; i < 6; i++) {
        assert_true(fixture_reply(fixture, i, 0, HOURS + MS));
    }
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    fixture_pass(fixture, HOURS + MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* Less than a second late is only late. */
static void test_late_is_no_sleep(void **state)
{
    struct fixture *fixture = fixture_known();
    (void)state;
    fixture_ask(fixture, "a.example.org", TYPE_A, 30 * MS);
    resolver_run_due(
        fixture->resolver, resolver_next_deadline(fixture->resolver) + SLEEP_NOTICED_US - MS);
    assert_int_equal(sleeps_of(fixture), 0);
    assert_int_equal(view_of(fixture).timed_out, 1);
    fixture_free(fixture);
}

/* What is sent after waking up, before the deadlines are looked at, has its time. */
static void test_new_try_is_measured(void **state)
{
    struct fixture *fixture = fixture_known();
    (void)state;
    fixture_ask(fixture, "a.example.org", TYPE_A, 30 * MS);
    fixture_ask(fixture, "b.example.org", TYPE_A, HOURS);
    resolver_run_due(fixture->resolver, HOURS);
    assert_int_equal(sleeps_of(fixture), 1);
    assert_int_equal(fixture->sent_count, 4); /* b is not asked a second time. */
    assert_true(fixture_reply(fixture, 2, 0, HOURS + 100 * MS));
    assert_int_equal(view_of(fixture).latency_us, 30 * MS);
    fixture_free(fixture);
}

/* Who sleeps again and again comes to an end all the same. */
static void test_second_chance_is_the_last(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\n");
    (void)state;
    fixture_ask(fixture, "a.example.org", TYPE_A, 0);
    resolver_run_due(fixture->resolver, HOURS);
    assert_int_equal(fixture->delivered_count, 0);
    resolver_run_due(fixture->resolver, 2 * HOURS);
    assert_int_equal(sleeps_of(fixture), 2);
    assert_int_equal(fixture->delivered_count, 1);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_SERVFAIL);
    assert_int_equal(view_of(fixture).timed_out, 0);
    fixture_pass(fixture, 2 * HOURS + 30000 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* Nobody waits for anything: that a host sleeps is no news. */
static void test_idle_sleep(void **state)
{
    struct fixture *fixture = fixture_known();
    (void)state;
    fixture_pass(fixture, 30000 * MS);
    resolver_run_due(fixture->resolver, HOURS);
    assert_int_equal(sleeps_of(fixture), 0);
    fixture_free(fixture);
}

/* Replies that a server owes since before the sleep do not make it silent, whether it is configured
 * or was found for a direct zone. */
static void test_nobody_is_silent_after_a_sleep(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\n");
    struct server_table *table = &fixture->resolver->servers;
    struct server_group *direct = &table->groups[table->group_count];
    struct server *servers[] = {&table->servers[0], &table->servers[direct->first]};
    int64_t woken = 8 * HOURS;
    (void)state;
    direct->count = direct->used = 1;
    servers[1]->settings.address = servers[0]->settings.address;
    servers[1]->group = table->group_count;
    for (unsigned i = 0; i < SERVER_SILENT_MIN; i++) {
        server_on_sent(servers[1], 0);
        fixture_ask(fixture, (char[]){(char)('a' + i), '\0'}, TYPE_A, 0);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_true(server_is_silent(servers[i], woken));
    }
    sleep_notice(fixture->resolver, woken);
    for (size_t i = 0; i < 2; i++) {
        assert_true(servers[i]->owed >= SERVER_SILENT_MIN);
        assert_false(server_is_silent(servers[i], woken));
    }
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asked_again_without_blame),
        cmocka_unit_test(test_old_reply_is_not_measured),
        cmocka_unit_test(test_old_lines_break),
        cmocka_unit_test(test_late_is_no_sleep),
        cmocka_unit_test(test_new_try_is_measured),
        cmocka_unit_test(test_second_chance_is_the_last),
        cmocka_unit_test(test_idle_sleep),
        cmocka_unit_test(test_nobody_is_silent_after_a_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
