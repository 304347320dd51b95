/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cmd/stats_read.h"
#include "daemon/stats_view.h"
#include "tests/unit/cmd/stats_fixture.h"

static int view_new(void **state)
{
    *state = malloc(sizeof(struct stats_view));
    return *state == NULL ? -1 : 0;
}

static int view_free(void **state)
{
    free(*state);
    return 0;
}

static bool read_text(const char *text, struct stats_view *view)
{
    struct reply reply;
    bool is_read = reply_set(&reply, text) && stats_read(&reply, view);
    reply_fini(&reply);
    return is_read;
}

/* The view of `lines` behind a good first line. */
static bool read_lines(const char *lines, struct stats_view *view)
{
    char text[4096];
    int len = snprintf(text, sizeof text, "ok\ninfo 0.1.0 1 1 1 -\n%s\n.\n", lines);
    assert_in_range(len, 1, sizeof text - 1);
    return read_text(text, view);
}

static void test_everything_is_found(void **state)
{
    struct stats_view *view = *state;
    assert_true(read_text(stats_fixture, view));
    assert_string_equal(view->version, "0.1.0");
    assert_int_equal(view->uptime_s, 11531);
    assert_int_equal(view->workers, 2);
    assert_int_equal(view->pid, 812);
    assert_int_equal(view->metric_count, 14);
    assert_int_equal(stats_view_metric(view, "cache_entries"), 12345);
    assert_int_equal(stats_view_metric(view, "no_such_thing"), 0);
    assert_int_equal(view->metrics[0].kind, METRIC_KIND_COUNTER);
    assert_non_null(view->metrics[0].sentence);
    assert_int_equal(view->metrics[3].kind, METRIC_KIND_GAUGE);
    assert_null(view->metrics[8].sentence);

    const struct histogram_sum *wait = &view->waits[QUESTION_CLASS_MX][OUTCOME_MISS];
    assert_int_equal(wait->count, 79);
    assert_int_equal(wait->sum_us, 3555000);
    assert_int_equal(wait->max_us, 47000);
    assert_int_equal(wait->buckets[206], 79);
}

static void test_lists_are_found(void **state)
{
    struct stats_view *view = *state;
    assert_true(read_text(stats_fixture, view));
    assert_int_equal(view->list_count, 4);
    const struct stats_list *first = &view->lists[0];
    assert_string_equal(first->zone, "zen.spamhaus.org");
    assert_string_equal(first->standing, "resolver");
    assert_int_equal(first->day, 1300);
    assert_int_equal(first->quota, 300000);
    assert_int_equal(first->wait_p99_us, 45000);
    assert_int_equal(first->miss_max_us, 95000);
    assert_int_equal(first->counts[STATS_LIST_asked], 1200);
    assert_int_equal(first->counts[STATS_LIST_sent], 300);
    assert_int_equal(stats_list_cause(first), LIST_CAUSE_RESOLVER);
    /* An older daemon counts less, a newer one more. */
    assert_int_equal(view->lists[3].counts[STATS_LIST_asked], 7);
    assert_int_equal(view->lists[3].counts[STATS_LIST_hits], 0);
    assert_true(read_lines("list a.b well 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 new", view));
    assert_false(read_lines("list a.b well 1 1 1 1 1 1 1", view));
    assert_false(read_lines("list a.b well 1 1 1 1 1 1 1 x", view));
    assert_false(read_lines("list a.b well 1 1 1 1 1 1 1 1 x", view));
    assert_false(read_lines("list a.b a-standing-too-long 1 1 1 1 1 1 1 1 1", view));
    assert_false(
        read_lines("list a.b well 1 1 1 1 1 1 1 1 1\nlist a.b well 1 1 1 1 1 1 1 1 1", view));
}

static void test_servers_are_found(void **state)
{
    struct stats_view *view = *state;
    assert_true(read_text(stats_fixture, view));
    assert_int_equal(view->upstream_count, 3);
    const struct stats_upstream *first = &view->upstreams[0];
    assert_string_equal(first->group, "default");
    assert_string_equal(first->address, "192.0.2.53@53");
    assert_string_equal(first->tls_name, "");
    assert_string_equal(first->state, "well");
    assert_int_equal(first->sent, 150);
    assert_int_equal(first->answered, 140);
    assert_int_equal(first->failed, 3);
    assert_int_equal(first->timed_out, 7);
    assert_int_equal(first->latency_us, 12000);
    assert_int_equal(first->p50_us, 11000);
    assert_int_equal(first->p90_us, 45000);
    assert_int_equal(first->p99_us, 90000);
    assert_int_equal(first->max_us, 1200000);
    assert_string_equal(view->upstreams[1].tls_name, "dns.quad9.net");
    assert_int_equal(view->upstreams[1].lost, 2);
    assert_true(stats_upstream_is_resting(&view->upstreams[1]));
}

static void test_round_trips_are_found(void **state)
{
    struct stats_view *view = *state;
    assert_true(read_text(stats_fixture, view));
    const struct histogram_sum *plain = view->upstreams[0].round_trips;
    const struct histogram_sum *tls = view->upstreams[1].round_trips;
    assert_int_equal(plain[SERVER_WAY_DATAGRAM].count, 137);
    assert_int_equal(plain[SERVER_WAY_DATAGRAM].sum_us, 1500000);
    assert_int_equal(plain[SERVER_WAY_DATAGRAM].max_us, 1200000);
    assert_int_equal(plain[SERVER_WAY_DATAGRAM].buckets[206], 37);
    assert_int_equal(plain[SERVER_WAY_STREAM].count, 3);
    assert_int_equal(tls[SERVER_WAY_DATAGRAM].count, 0);
    assert_int_equal(tls[SERVER_WAY_STREAM].count, 1);
    assert_false(read_lines("round_trip g 192.0.2.1@53 -", view));
    assert_false(read_lines("upstream g 192.0.2.1@53 - well 1 1 1 1 1 1 1 1 1 1\n"
                            "round_trip g 192.0.2.1@53 - stream 1 1",
        view));
    assert_false(read_lines("upstream g 192.0.2.1@53 - well 1 1 1 1 1 1 1 1 1 1\n"
                            "round_trip g 192.0.2.1@53 - stream 1 1 1 1:x",
        view));
}

static void test_waits_of_lists_are_found(void **state)
{
    struct stats_view *view = *state;
    assert_true(read_text(stats_fixture, view));
    assert_int_equal(view->lists[0].wait.count, 1200);
    assert_int_equal(view->lists[0].miss.count, 300);
    assert_int_equal(view->lists[1].wait.count, 0);
    assert_false(read_lines("list_wait zone", view));
    assert_false(read_lines("list a.b well 1 1 1 1 1 1 1 1 1\nlist_wait a.b wait 1 1 1 1:x", view));
}

static void test_steps_are_found(void **state)
{
    struct stats_view *view = *state;
    assert_true(read_text(stats_fixture, view));
    assert_true(view->ahead_is_on[SEQUEL_CLIENT_PTR]);
    assert_false(view->ahead_is_on[SEQUEL_DOMAIN_MX]);
    assert_int_equal(stats_view_ahead_asked(view, SEQUEL_CLIENT_PTR), 40);
    assert_int_equal(stats_view_ahead_used(view, SEQUEL_CLIENT_PTR), 30);
    assert_int_equal(stats_view_ahead_wasted(view, SEQUEL_CLIENT_PTR), 10);
    assert_int_equal(stats_view_ahead_wasted(view, SEQUEL_NS_A), 0);
    assert_false(read_lines("ahead client_ptr", view));
    /* More used in a time than asked in it. */
    assert_true(read_lines("metric ahead_used_domain_mx counter 4", view));
    assert_int_equal(stats_view_ahead_wasted(view, SEQUEL_DOMAIN_MX), 0);
}

static void test_what_is_not_known_is_passed_over(void **state)
{
    static const char *const cases[] = {
        "",
        "tea 1 2 3",
        "wait caa hit 1 2 3 1:1",
        "wait mx guessed 1 2 3 1:1",
        "wait mx hit 1 2 3 1:1 and more",
        "wait mx hit 0 0 0",
        "wait mx hit 0 0 0 -",
        "metric new_thing gauge 5 more words",
        "metric twice counter 5\nmetric twice counter 6",
        "upstream g 192.0.2.1@53 - well 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(read_lines(cases[i], *state));
    }
}

static void test_what_is_broken_is_refused(void **state)
{
    static const char *const cases[] = {
        "info 0.1.0 1 1",
        "info 0.1.0 x 1 1",
        "info 0.1.0 99999999999 1 1",
        "info 00000000000000000000000000000000000000000000000000000000000000000000 1 1 1",
        "metric",
        "metric questions counter",
        "metric questions histogram 5",
        "metric questions counter -5",
        "metric questions counter 18446744073709551616",
        "metric Questions counter 5",
        "metric 1st counter 5",
        "metric a{b=\"c\"} counter 5",
        "metric a23456789012345678901234567890123456789012345678901234567890123456 counter 5",
        "wait",
        "wait mx hit 1 2",
        "wait mx hit x 2 3 1:1",
        "wait mx hit 1 2 3 1",
        "wait mx hit 1 2 3 400:1",
        "wait mx hit 1 2 3 -1:1",
        "wait mx hit 1 2 3 1:",
        "wait mx hit 1 2 3 1:1,1:1",
        "wait mx hit 1 2 3 1:99999999999999999",
        "wait mx hit 1 99999999999999999999 3 1:1",
        "upstream",
        "upstream g 192.0.2.1@53 - well 1 2 3 4 5 6 7 8 9",
        "upstream g 192.0.2.1@53 - well 1 2 3 4 5 6 7 8 9 x",
        "upstream g a@53 - well 1 2 3 4 5 6 7 8 9 10\nupstream g a@53 - well 1 2 3 4 5 6 7 8 9 1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (read_lines(cases[i], *state)) {
            print_error("accepted: %s\n", cases[i]);
            fail();
        }
    }
    assert_false(read_text("ok\nmetric questions counter 5\n.\n", *state));
}

static void test_floods_stay_in_bounds(void **state)
{
    struct stats_view *view = *state;
    struct reply reply = {.bytes = NULL};
    char line[256];
    assert_true(reply_add(&reply, "ok\ninfo 0.1.0 1 1 1 -\n", 22));
    for (unsigned i = 0; i < STATS_UPSTREAMS_MAX + 10; i++) {
        int len =
            snprintf(line, sizeof line, "upstream g 192.0.2.1@%u - well 1 2 3 4 5 6 7 8 9 10\n", i);
        assert_true(reply_add(&reply, line, (size_t)len));
    }
    assert_true(reply_add(&reply, ".\n", 2));
    assert_true(reply_open(&reply));
    assert_true(stats_read(&reply, view));
    assert_int_equal(view->upstream_count, STATS_UPSTREAMS_MAX);
    reply_fini(&reply);

    assert_true(reply_add(&reply, "ok\ninfo 0.1.0 1 1 1 -\n", 22));
    for (unsigned i = 0; i < STATS_METRICS_MAX + 1; i++) {
        int len = snprintf(line, sizeof line, "metric m%u counter 1\n", i);
        assert_true(reply_add(&reply, line, (size_t)len));
    }
    assert_true(reply_add(&reply, ".\n", 2));
    assert_true(reply_open(&reply));
    assert_false(stats_read(&reply, view));
    reply_fini(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_is_found),
        cmocka_unit_test(test_lists_are_found),
        cmocka_unit_test(test_servers_are_found),
        cmocka_unit_test(test_round_trips_are_found),
        cmocka_unit_test(test_waits_of_lists_are_found),
        cmocka_unit_test(test_steps_are_found),
        cmocka_unit_test(test_what_is_not_known_is_passed_over),
        cmocka_unit_test(test_what_is_broken_is_refused),
        cmocka_unit_test(test_floods_stay_in_bounds),
    };
    return cmocka_run_group_tests(tests, view_new, view_free);
}
