/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/doctor/dns_fixture.h"

/* Who answers, by which way, how much at once, and how fast. */

static const struct upstream_rule well[] = {RULES_USUAL};
static const struct upstream_rule failing[] = {
    {"*", 0, UPSTREAM_REFUSED, ""}, {NULL, 0, UPSTREAM_NODATA, NULL}};
static const struct upstream_rule silent[] = {
    {"*", 0, UPSTREAM_SILENT, ""}, {NULL, 0, UPSTREAM_NODATA, NULL}};
static const struct upstream_rule slow[] = {
    {"*.example", TYPE_A, UPSTREAM_SLOW, "120"}, RULES_USUAL};
static const struct upstream_rule losing[] = {{"two.example", 0, UPSTREAM_SILENT, ""},
    {"three.example", 0, UPSTREAM_SERVFAIL, ""}, RULES_USUAL};
static const struct upstream_rule closed[] = {
    {".", TYPE_NS, UPSTREAM_NAME, "a.root.example"}, {NULL, 0, UPSTREAM_NODATA, NULL}};

/* Runs one check with one server of these rules. */
static void run_one(struct upstream *upstream, enum check_id check)
{
    upstream_open(upstream);
    given.server_count = 0;
    (void)give_server(upstream);
    (void)host_fixture_run(&fixture, check);
    upstream_close(upstream);
}

static void test_a_healthy_server(void **state)
{
    static const enum check_id checks[] = {
        CHECK_fw_dns, CHECK_edns_size, CHECK_lat_mx, CHECK_lat_ptr, CHECK_lat_a};
    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        struct upstream upstream = {.rules = well};
        run_one(&upstream, checks[i]);
        host_fixture_expect(&fixture, checks[i], REPORT_GOOD, NULL);
        host_fixture_expect_below(&fixture, REPORT_NOTE);
    }
}

static void test_nothing_is_asked(void **state)
{
    static const enum check_id checks[] = {
        CHECK_fw_dns, CHECK_edns_size, CHECK_lat_mx, CHECK_lat_ptr, CHECK_lat_a, CHECK_out_25};
    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        fixture.options.is_offline = i % 2 == 0;
        fixture.options.given = NULL;
        (void)host_fixture_run(&fixture, checks[i]);
        host_fixture_expect(&fixture, checks[i], REPORT_SKIPPED, "--");
        host_fixture_expect_below(&fixture, REPORT_NOTE);
    }
}

/* One error, and everything else is left out. */
static void test_no_server_answers(void **state)
{
    struct upstream dead = {.rules = silent, .ignores_tcp = true};
    struct upstream lame = {.rules = failing};
    (void)state;
    upstream_open(&dead);
    upstream_open(&lame);
    (void)give_server(&dead);
    (void)give_server(&lame);
    (void)host_fixture_run(&fixture, CHECK_fw_dns);
    host_fixture_expect(&fixture, CHECK_fw_dns, REPORT_ERROR, "No DNS server answers");
    host_fixture_expect(&fixture, CHECK_fw_dns, REPORT_ERROR, "answers REFUSED");
    host_fixture_expect(&fixture, CHECK_fw_dns, REPORT_ERROR, "does not answer within 900ms");
    assert_int_equal(fixture.doctor->report.count, 1);
    (void)host_fixture_run(&fixture, CHECK_lat_mx);
    host_fixture_expect(&fixture, CHECK_lat_mx, REPORT_SKIPPED, "see fw-dns");
    assert_int_equal(fixture.doctor->report.count, 1);
    upstream_close(&dead);
    upstream_close(&lame);
}

/* A dead server that libc asks costs five seconds a lookup; one that mxcache asks costs little. */
static void test_one_of_two_is_silent(void **state)
{
    struct upstream good = {.rules = well};
    struct upstream dead = {.rules = silent};
    (void)state;
    upstream_open(&good);
    upstream_open(&dead);
    (void)give_server(&good);
    struct dns_server *server = give_server(&dead);
    (void)host_fixture_run(&fixture, CHECK_fw_dns);
    host_fixture_expect(&fixture, CHECK_fw_dns, REPORT_ERROR, "does not answer");
    server->is_resolver = false;
    server->is_upstream = true;
    (void)host_fixture_run(&fixture, CHECK_fw_dns);
    host_fixture_expect(&fixture, CHECK_fw_dns, REPORT_WARNING, "does not answer");
    host_fixture_expect_below(&fixture, REPORT_ERROR);
    (void)host_fixture_run(&fixture, CHECK_lat_mx);
    host_fixture_expect_below(&fixture, REPORT_NOTE);
    upstream_close(&good);
    upstream_close(&dead);
}

static void test_tcp_is_dropped_or_refused(void **state)
{
    struct upstream drops = {.rules = well, .ignores_tcp = true};
    struct upstream refuses = {.rules = well, .refuses_tcp = true};
    struct upstream good = {.rules = well};
    (void)state;
    run_one(&drops, CHECK_fw_dns);
    host_fixture_expect(&fixture, CHECK_fw_dns, REPORT_ERROR, "does not answer by TCP within");
    host_fixture_expect(&fixture, CHECK_fw_dns, REPORT_ERROR, "so lookups with long answers fail");
    run_one(&refuses, CHECK_edns_size);
    host_fixture_expect(&fixture, CHECK_edns_size, REPORT_WARNING, "refuses TCP connections");

    upstream_open(&refuses);
    upstream_open(&good);
    given.server_count = 0;
    (void)give_server(&refuses);
    (void)give_server(&good);
    (void)host_fixture_run(&fixture, CHECK_fw_dns);
    host_fixture_expect(&fixture, CHECK_fw_dns, REPORT_WARNING, "refuses TCP connections");
    host_fixture_expect_below(&fixture, REPORT_ERROR);
    upstream_close(&refuses);
    upstream_close(&good);
}

static void test_large_answers(void **state)
{
    struct upstream drops_edns = {.rules = well, .drops_edns = true};
    struct upstream shortens = {.rules = well, .cuts_silently = true, .udp_room = 512};
    struct upstream without = {.rules = closed};
    (void)state;
    run_one(&drops_edns, CHECK_edns_size);
    host_fixture_expect(&fixture, CHECK_edns_size, REPORT_WARNING, "without EDNS is answered");
    run_one(&shortens, CHECK_edns_size);
    host_fixture_expect(&fixture, CHECK_edns_size, REPORT_WARNING, "without saying so");
    run_one(&without, CHECK_edns_size);
    host_fixture_expect(&fixture, CHECK_edns_size, REPORT_SKIPPED, "long answer");
}

static void test_slow_and_losing(void **state)
{
    struct upstream slow_one = {.rules = slow};
    struct upstream losing_one = {.rules = losing};
    struct upstream closed_one = {.rules = closed};
    (void)state;
    given.limit_us = 10000000;
    run_one(&slow_one, CHECK_lat_a);
    host_fixture_expect(&fixture, CHECK_lat_a, REPORT_WARNING, "is slow");
    given.limit_us = 900000;
    run_one(&losing_one, CHECK_lat_mx);
    host_fixture_expect(&fixture, CHECK_lat_mx, REPORT_WARNING, "left 2 of 10 MX questions");
    run_one(&closed_one, CHECK_lat_mx);
    host_fixture_expect(&fixture, CHECK_lat_mx, REPORT_WARNING, "Internet's names");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_healthy_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_server_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_of_two_is_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tcp_is_dropped_or_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_and_losing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
