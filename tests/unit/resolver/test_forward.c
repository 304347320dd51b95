/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/fetch.h"
#include "resolver/forward.h"
#include "resolver/resolver_private.h"

static const char conf[] = "upstreams = 192.0.2.1 192.0.2.2\nquestions_max = 16\n";
static const char conf_one[] = "upstreams = 192.0.2.1\nquestions_max = 16\n";

/* The fetch for the only question under way. */
static struct fetch *fetch_only(const struct fixture *fixture)
{
    assert_int_equal(fixture->resolver->fetches.in_use, 1);
    for (uint32_t i = 0;; i++) {
        struct fetch *fetch = pool_at(&fixture->resolver->fetches, i);
        if (fetch != NULL) {
            return fetch;
        }
    }
}

static void test_plan(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct exchange_plan plan;
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    struct fetch *fetch = fetch_only(fixture);
    assert_true(forward_plan(fixture->resolver, fetch, 0, &plan));
    assert_int_equal(plan.server, 1);
    assert_int_equal(plan.place, 1);
    assert_false(plan.is_stream);
    assert_true(plan.has_edns);
    fixture->resolver->servers.servers[1].plain_until = 10;
    assert_true(forward_plan(fixture->resolver, fetch, 9, &plan));
    assert_false(plan.has_edns);
    assert_true(forward_plan(fixture->resolver, fetch, 10, &plan));
    assert_true(plan.has_edns);

    fetch->has_again = true;
    fetch->again = (struct exchange_plan){.server = 0, .place = 0, .is_stream = true};
    assert_true(forward_plan(fixture->resolver, fetch, 0, &plan));
    assert_int_equal(plan.server, 0);
    assert_true(plan.is_stream);
    assert_true(forward_plan(fixture->resolver, fetch, fetch->ends_at - 1, &plan));
    assert_false(forward_plan(fixture->resolver, fetch, fetch->ends_at, &plan));
    fetch->asks_left = 0;
    assert_false(forward_plan(fixture->resolver, fetch, 0, &plan));
    fixture_free(fixture);
}

static void test_spent(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    struct fetch *fetch = fetch_only(fixture);
    assert_false(forward_is_spent(fixture->resolver, fetch, 0));
    assert_true(forward_is_spent(fixture->resolver, fetch, fetch->ends_at));
    fetch->asks_left = 0; /* A reply may still come. */
    assert_false(forward_is_spent(fixture->resolver, fetch, 0));
    struct exchange *open = list_entry(fetch->exchanges.next, struct exchange, link);
    assert_true(forward_resume_at(fixture->resolver, fetch, 0) == open->times_out_at);
    open->is_late = true;
    assert_true(forward_resume_at(fixture->resolver, fetch, 0) == fetch->ends_at);
    exchange_end(fixture->resolver, list_entry(fetch->exchanges.next, struct exchange, link));
    assert_true(forward_is_spent(fixture->resolver, fetch, 0));
    assert_int_equal(forward_resume_at(fixture->resolver, fetch, 5), 5);
    fetch->asks_left = 1; /* The other server has not been asked. */
    assert_false(forward_is_spent(fixture->resolver, fetch, 0));
    assert_int_equal(forward_resume_at(fixture->resolver, fetch, 5), 5);
    fetch->tries.asked[1] = 1;
    assert_int_equal(forward_resume_at(fixture->resolver, fetch, 5), 5 + FETCH_PAUSE_US);
    fetch->tries.has_failed[0] = true;
    fetch->tries.has_failed[1] = true;
    assert_true(forward_is_spent(fixture->resolver, fetch, 0));
    fixture_free(fixture);
}

/* One question, one silent server: three tries, each told to the server once, and the time to the
 * end is spent listening. */
static void test_timeouts(void **state)
{
    struct fixture *fixture = fixture_new(conf_one);
    struct server_view view;
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_pass(fixture, 399 * MS);
    assert_int_equal(fixture->sent_count, 1);
    fixture_pass(fixture, 400 * MS); /* Never measured: half of try_timeout. */
    assert_int_equal(fixture->sent_count, 2);
    fixture_pass(fixture, 1200 * MS);
    assert_int_equal(fixture->sent_count, 3);
    fixture_pass(fixture, 3999 * MS);
    assert_int_equal(fixture->sent_count, 3);
    assert_int_equal(COUNTER(fixture, upstream_timeouts), 3);
    assert_true(resolver_server_at(fixture->resolver, 0, &view));
    assert_int_equal(view.timed_out, 3);
    assert_int_equal(fixture->delivered_count, 0);
    assert_true(fixture_reply(fixture, 0, 0, 3999 * MS)); /* The first try is still heard. */
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    assert_int_equal(COUNTER(fixture, upstream_late), 1);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* A server that cannot be sent to (IPv6 without a route) costs the question no time, and the next
 * question does not begin with it. */
static void test_unsendable(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture->is_refusing_to_send = true;
    assert_int_equal(fixture_ask(fixture, "mail.example.org", TYPE_A, 0), ASK_PARKED);
    assert_int_equal(COUNTER(fixture, upstream_unsent), 1);
    fixture->is_refusing_to_send = false;
    assert_int_equal(resolver_next_deadline(fixture->resolver), 0);
    fixture_pass(fixture, 0);
    assert_int_equal(fixture->sent_count, 1);
    assert_string_equal(fixture->sent[0].server, "192.0.2.2@53");
    assert_true(fixture_reply(fixture, 0, 0, 20 * MS));
    fixture_ask(fixture, "www.example.org", TYPE_A, 20 * MS);
    assert_string_equal(fixture->sent[1].server, "192.0.2.2@53");
    fixture_free(fixture);
}

/* When nobody can be sent to, the tries are spread over time and not burnt at once. */
static void test_unsendable_everywhere(void **state)
{
    struct fixture *fixture = fixture_new(conf_one);
    (void)state;
    fixture->is_refusing_to_send = true;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    assert_int_equal(resolver_next_deadline(fixture->resolver), FETCH_PAUSE_US);
    fixture_pass(fixture, FETCH_PAUSE_US);
    assert_int_equal(COUNTER(fixture, upstream_unsent), 2);
    assert_int_equal(resolver_next_deadline(fixture->resolver), 3 * FETCH_PAUSE_US);
    fixture->is_refusing_to_send = false;
    fixture_pass(fixture, 3 * FETCH_PAUSE_US);
    assert_true(fixture_reply(fixture, 0, 0, 1000 * MS));
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    fixture_free(fixture);
}

static void test_lost_line_and_servers(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct server_view view;
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_lose(fixture, 0, MS);
    assert_int_equal(fixture->sent_count, 2);
    assert_string_equal(fixture->sent[0].server, "192.0.2.1@53");
    assert_string_equal(fixture->sent[1].server, "192.0.2.2@53");
    fixture_reply(fixture, 1, 0, 31 * MS);
    assert_true(resolver_server_at(fixture->resolver, 0, &view));
    assert_int_equal(view.lost, 1);
    assert_string_equal(view.group, "default");
    assert_true(resolver_server_at(fixture->resolver, 1, &view));
    assert_int_equal(view.answered, 1);
    assert_int_equal(view.latency_us, 30 * MS);
    assert_false(resolver_server_at(fixture->resolver, 2, &view));
    fixture_free(fixture);
}

/* Somebody guesses replies: the same question goes to the same server at once, for it is as well as
 * before, whoever else there may be. However long that goes on, it ends. */
static void test_given_up_lines(void **state)
{
    static const char *const confs[] = {conf, conf_one};
    (void)state;
    for (size_t i = 0; i < sizeof confs / sizeof confs[0]; i++) {
        struct fixture *fixture = fixture_new(confs[i]);
        const struct server *server = &fixture->resolver->servers.servers[0];
        fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
        for (size_t lost = 0; fixture->sent_count > lost; lost++) {
            assert_string_equal(fixture->sent[lost].server, "192.0.2.1@53");
            assert_int_equal(server->owed, 1);
            fixture_lose_by(fixture, lost, LINE_GIVEN_UP, MS);
        }
        assert_int_equal(fixture->sent_count, fixture->resolver->limits.asks_max);
        assert_int_equal(server->streak, 0);
        assert_int_equal(server->owed, 0);
        assert_int_equal(counter_read(&server->lost), 0);
        assert_int_equal(COUNTER(fixture, upstream_lost), 0);
        fixture_pass(fixture, 10000 * MS);
        assert_int_equal(fixture->probe_count, 0);
        assert_int_equal(header_rcode(fixture->delivered), RCODE_SERVFAIL);
        fixture_check_quiet(fixture);
        fixture_free(fixture);
    }
}

/* What was hedged against may be given up as well: the other one is still waited for. */
static void test_given_up_late(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_pass(fixture, 3000 * MS);
    size_t sent = fixture->sent_count;
    assert_in_range(sent, 2, 6);
    fixture_lose_by(fixture, 0, LINE_GIVEN_UP, 3000 * MS);
    assert_int_equal(fixture->sent_count, sent);
    fixture_reply(fixture, sent - 1, 0, 3001 * MS);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    fixture_free(fixture);
}

/* A refused server is left alone for a pause and asked again; from the third time on it rests:
 * probes find out when it is back, and the question waits for that, to its deadline. */
static void test_lost_again_and_again(void **state)
{
    struct fixture *fixture = fixture_new(conf_one);
    int64_t now = 0;
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, now);
    for (size_t i = 0; i < SERVER_STREAK_MAX; i++) {
        int64_t pause = i == 0 ? FETCH_PAUSE_US : 2 * FETCH_PAUSE_US;
        assert_int_equal(fixture->sent_count, i + 1);
        fixture_lose(fixture, i, now);
        fixture_pass(fixture, now + pause - 1);
        assert_int_equal(fixture->sent_count, i + 1);
        fixture_pass(fixture, now + pause);
        now += pause;
    }
    assert_int_equal(fixture->sent_count, SERVER_STREAK_MAX);
    fixture_pass(fixture, 3999 * MS);
    assert_int_equal(fixture->delivered_count, 0);
    assert_in_range(fixture->probe_count, 4, 7);
    fixture_pass(fixture, 4000 * MS);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_SERVFAIL);
    assert_int_equal(fixture->sent_count, SERVER_STREAK_MAX);
    fixture_pass(fixture, 10000 * MS);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* All tries are late and out of asks; when the last line breaks, nobody need wait any longer. */
static void test_late_lines_break(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\nasks_max = 3\n");
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_pass(fixture, 2500 * MS);
    assert_int_equal(fixture->sent_count, 3);
    fixture_lose(fixture, 2, 2500 * MS);
    fixture_lose(fixture, 0, 2500 * MS);
    fixture_pass(fixture, 2500 * MS);
    assert_int_equal(fixture->delivered_count, 0);
    fixture_lose(fixture, 1, 2500 * MS);
    fixture_pass(fixture, 2500 * MS);
    assert_int_equal(fixture->delivered_count, 1);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* The line of an earlier try breaks: the current one goes on undisturbed. */
static void test_late_line_is_no_event(void **state)
{
    struct fixture *fixture = fixture_new(conf_one);
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_pass(fixture, 400 * MS);
    int64_t next = resolver_next_deadline(fixture->resolver);
    fixture_lose(fixture, 0, 500 * MS);
    assert_int_equal(fixture->sent_count, 2);
    assert_int_equal(resolver_next_deadline(fixture->resolver), next);
    fixture_free(fixture);
}

/* An idle stream that is closed just as we write is opened anew; the second time it is the server,
 * which is asked again after a pause, for it has no other way. */
static void test_broken_stream(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1#dns.example.net\n");
    (void)state;
    fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 0);
    fixture_lose(fixture, 0, MS);
    assert_int_equal(fixture->sent_count, 2);
    assert_true(fixture->sent[1].is_stream);
    assert_true(fixture_reply(fixture, 1, 0, 2 * MS));
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);

    fixture_ask_edns(fixture, "www.example.org", TYPE_A, 3 * MS);
    fixture_lose(fixture, 2, 4 * MS);
    fixture_lose(fixture, 3, 5 * MS);
    assert_int_equal(resolver_next_deadline(fixture->resolver), 5 * MS + 2 * FETCH_PAUSE_US);
    assert_int_equal(fixture->sent_count, 4);
    fixture_pass(fixture, 5 * MS + 2 * FETCH_PAUSE_US);
    assert_int_equal(fixture->sent_count, 5);
    assert_int_equal(fixture->delivered_count, 1);
    assert_true(fixture_reply(fixture, 4, 0, 500 * MS));
    assert_int_equal(fixture->delivered_count, 2);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* Where the stream was the second way, after TC, there is nothing to wait for. */
static void test_broken_stream_after_tc(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\n");
    (void)state;
    fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 0);
    assert_true(fixture_reply(fixture, 0, HEADER_TC, MS));
    fixture_lose(fixture, 1, 2 * MS);
    assert_true(fixture->sent[2].is_stream);
    fixture_lose(fixture, 2, 3 * MS);
    fixture_pass(fixture, 3 * MS);
    assert_int_equal(fixture->sent_count, 3);
    assert_int_equal(fixture->delivered_count, 1);
    assert_int_equal(header_rcode(fixture->delivered), RCODE_SERVFAIL);
    assert_int_equal(ede_of(fixture->delivered, fixture->delivered_len), EDE_NETWORK_ERROR);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

/* A stream whose try was over breaks: that was no chance given, and nothing is sent for it. */
static void test_broken_late_stream(void **state)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1#dns.example.net\n");
    (void)state;
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_pass(fixture, 400 * MS);
    assert_int_equal(fixture->sent_count, 2);
    fixture_lose(fixture, 0, 500 * MS);
    assert_int_equal(fixture->sent_count, 2);
    fixture_lose(fixture, 1, 510 * MS);
    assert_int_equal(fixture->sent_count, 3);
    assert_true(fixture_reply(fixture, 2, 0, 520 * MS));
    assert_int_equal(header_rcode(fixture->delivered), RCODE_NOERROR);
    fixture_free(fixture);

    /* Nor when the next line breaks, another server's, and all have been asked: there is a pause.
     */
    fixture = fixture_new("upstreams = 192.0.2.1#dns.example.net 192.0.2.2\n");
    fixture_ask(fixture, "mail.example.org", TYPE_A, 0);
    fixture_pass(fixture, 400 * MS);
    assert_true(fixture->sent[0].is_stream && !fixture->sent[1].is_stream);
    fixture_lose(fixture, 0, 500 * MS);
    fixture_lose(fixture, 1, 510 * MS);
    assert_int_equal(fixture->sent_count, 2);
    assert_int_equal(resolver_next_deadline(fixture->resolver), 510 * MS + FETCH_PAUSE_US);
    fixture_free(fixture);
}

/* A group without servers: an answer at once, not after a deadline. */
static void test_nobody_to_ask(void **state)
{
    struct fixture *fixture = fixture_new(
        "[upstream office]\nservers = 192.0.2.1\n[zone example.net]\nupstream = office\n");
    (void)state;
    assert_int_equal(fixture_ask_edns(fixture, "mail.example.org", TYPE_A, 0), ASK_PARKED);
    fixture_pass(fixture, 0);
    assert_int_equal(fixture->delivered_count, 1);
    assert_int_equal(
        ede_of(fixture->delivered, fixture->delivered_len), EDE_NO_REACHABLE_AUTHORITY);
    fixture_check_quiet(fixture);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plan), cmocka_unit_test(test_spent),
        cmocka_unit_test(test_timeouts), cmocka_unit_test(test_unsendable),
        cmocka_unit_test(test_unsendable_everywhere), cmocka_unit_test(test_lost_line_and_servers),
        cmocka_unit_test(test_given_up_lines), cmocka_unit_test(test_given_up_late),
        cmocka_unit_test(test_lost_again_and_again), cmocka_unit_test(test_late_lines_break),
        cmocka_unit_test(test_late_line_is_no_event), cmocka_unit_test(test_broken_stream),
        cmocka_unit_test(test_broken_stream_after_tc), cmocka_unit_test(test_broken_late_stream),
        cmocka_unit_test(test_nobody_to_ask)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
