/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "tests/unit/doctor/dns_fixture.h"

/* What lists answer: the real ways in which they fail, through the servers of a test. */

#define MAIN_CF "/etc/postfix/main.cf"

#define REJECTS(list) "smtpd_recipient_restrictions = reject_rbl_client " list "\n"

static const struct upstream_rule healthy[] = {
    {"2.0.0.127.zen.spamhaus.org", TYPE_A, UPSTREAM_A, "127.0.0.2"},
    {"2.0.0.127.bl.example.org", TYPE_A, UPSTREAM_A, "127.0.0.2"}, RULES_USUAL};

static const struct upstream_rule refusing[] = {
    {"*.zen.spamhaus.org", TYPE_A, UPSTREAM_A, "127.255.255.254"}, RULES_USUAL};

static const struct upstream_rule filtering[] = {RULES_USUAL};

static const struct upstream_rule world[] = {
    {"*.zen.spamhaus.org", TYPE_A, UPSTREAM_A, "127.0.0.2"}, RULES_USUAL};

static const struct upstream_rule parked[] = {
    {"*.spamcannibal.org", TYPE_A, UPSTREAM_A, "91.195.240.117"}, RULES_USUAL};

static const struct upstream_rule silent[] = {
    {"*.zen.spamhaus.org", TYPE_A, UPSTREAM_SILENT, ""}, RULES_USUAL};

static const struct upstream_rule failing[] = {
    {"*.zen.spamhaus.org", TYPE_A, UPSTREAM_SERVFAIL, ""}, RULES_USUAL};

/* As mxcache answers, where a refusal becomes an error. */
static const struct upstream_rule half[] = {
    {"2.0.0.127.zen.spamhaus.org", TYPE_A, UPSTREAM_SERVFAIL, ""}, RULES_USUAL};

struct list_case {
    const char *main_cf;
    const struct upstream_rule *rules;
    bool is_own;
    enum report_level level;
    const char *part;
};

static void run_case(const struct list_case *tested)
{
    struct upstream upstream = {.rules = tested->rules};
    upstream_open(&upstream);
    given.server_count = 0;
    give_server(&upstream)->is_own = tested->is_own;
    host_fixture_write(&fixture, MAIN_CF, tested->main_cf);
    (void)host_fixture_run(&fixture, CHECK_lat_dnsbl);
    upstream_close(&upstream);
    host_fixture_expect(&fixture, CHECK_lat_dnsbl, tested->level, tested->part);
}

static void test_answers(void **state)
{
    static const struct list_case cases[] = {
        {REJECTS("zen.spamhaus.org=127.0.0.[2..11]"), healthy, false, REPORT_GOOD,
            "answer as they should: 1"},
        {REJECTS("bl.example.org"), healthy, false, REPORT_GOOD, "bl.example.org"},
        {REJECTS("zen.spamhaus.org"), refusing, false, REPORT_ERROR,
            "Postfix takes every client for listed"},
        {REJECTS("zen.spamhaus.org"), refusing, false, REPORT_ERROR, "mxcache setup"},
        {REJECTS("zen.spamhaus.org=127.0.0.[2..11]"), refusing, false, REPORT_WARNING,
            "refuses questions through a public or shared resolver"},
        {REJECTS("zen.spamhaus.org"), refusing, true, REPORT_WARNING, "route = direct"},
        {REJECTS("zen.spamhaus.org=127.0.0.[2..11]"), filtering, false, REPORT_WARNING,
            "does not list its own test address"},
        {REJECTS("zen.spamhaus.org=127.0.0.[2..11]"), world, false, REPORT_ERROR,
            "lists everything"},
        {REJECTS("bl.spamcannibal.org"), parked, false, REPORT_ERROR, "is parked"},
        {REJECTS("zen.spamhaus.org=127.0.0.[2..11]"), silent, false, REPORT_ERROR,
            "Postfix waits at each mail for the list zen.spamhaus.org"},
        {"postscreen_dnsbl_sites = zen.spamhaus.org=127.0.0.[2..11]\n", silent, false,
            REPORT_WARNING, "does not answer"},
        {REJECTS("zen.spamhaus.org=127.0.0.[2..11]"), failing, true, REPORT_WARNING,
            "answers SERVFAIL to questions about it"},
        {REJECTS("zen.spamhaus.org=127.0.0.[2..11]"), half, true, REPORT_WARNING,
            "is without effect"},
        {REJECTS("dnsbl.sorbs.net"), filtering, false, REPORT_SKIPPED, "ended"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run_case(&cases[i]);
        if (cases[i].level == REPORT_GOOD) {
            host_fixture_expect_below(&fixture, REPORT_NOTE);
        }
        if (cases[i].level == REPORT_WARNING) {
            host_fixture_expect_below(&fixture, REPORT_ERROR);
        }
    }
}

/* mxcache gets around what its upstream servers are refused: nothing to change. */
static void test_only_an_upstream_is_refused(void **state)
{
    struct upstream own = {.rules = healthy};
    struct upstream refused = {.rules = refusing};
    (void)state;
    upstream_open(&own);
    upstream_open(&refused);
    give_server(&own)->is_own = true;
    struct dns_server *server = give_server(&refused);
    server->is_resolver = false;
    server->is_upstream = true;
    host_fixture_write(&fixture, MAIN_CF, REJECTS("zen.spamhaus.org=127.0.0.[2..11]"));
    (void)host_fixture_run(&fixture, CHECK_lat_dnsbl);
    host_fixture_expect(&fixture, CHECK_lat_dnsbl, REPORT_NOTE, "(upstream)");
    host_fixture_expect(&fixture, CHECK_lat_dnsbl, REPORT_GOOD, "zen.spamhaus.org");
    host_fixture_expect_below(&fixture, REPORT_WARNING);

    /* The same two, and libc asks both: one of them filters. */
    given.servers[0].is_own = false;
    server->is_resolver = true;
    (void)host_fixture_run(&fixture, CHECK_lat_dnsbl);
    host_fixture_expect(&fixture, CHECK_lat_dnsbl, REPORT_WARNING, "public or shared");
    upstream_close(&own);
    upstream_close(&refused);
}

static void test_one_server_filters(void **state)
{
    struct upstream good = {.rules = healthy};
    struct upstream filter = {.rules = filtering};
    (void)state;
    upstream_open(&good);
    upstream_open(&filter);
    (void)give_server(&good);
    (void)give_server(&filter);
    host_fixture_write(&fixture, MAIN_CF, REJECTS("zen.spamhaus.org=127.0.0.[2..11]"));
    (void)host_fixture_run(&fixture, CHECK_lat_dnsbl);
    host_fixture_expect(&fixture, CHECK_lat_dnsbl, REPORT_WARNING, "filters the list out");
    upstream_close(&good);
    upstream_close(&filter);
}

#define KEY "abcdefghij0123456789klmnop"

/* It is asked with the key, and told of without it. */
static void test_the_key_is_not_shown(void **state)
{
    static const struct upstream_rule keyed[] = {
        {"*." KEY ".zen.dq.spamhaus.net", TYPE_A, UPSTREAM_A, "127.255.255.252"}, RULES_USUAL};
    const struct list_case tested = {
        REJECTS(KEY ".zen.dq.spamhaus.net"), keyed, false, REPORT_ERROR, "*.zen.dq.spamhaus.net"};
    (void)state;
    run_case(&tested);
    for (size_t i = 0; i < fixture.doctor->report.count; i++) {
        const struct report_entry *entry = &fixture.doctor->report.entries[i];
        assert_null(strstr(entry->seen, KEY));
        assert_true(entry->change == NULL || strstr(entry->change, KEY) == NULL);
        assert_true(entry->cause == NULL || strstr(entry->cause, KEY) == NULL);
    }
}

/* Many bad lists are a dozen entries and one more. */
static void test_many_bad_lists(void **state)
{
    static const struct upstream_rule all_refuse[] = {
        {"*.example.org", TYPE_A, UPSTREAM_A, "192.0.2.1"}, RULES_USUAL};
    struct upstream upstream = {.rules = all_refuse};
    char text[4096] = "smtpd_client_restrictions =";
    (void)state;
    for (int i = 0; i < 30; i++) {
        size_t len = strlen(text);
        (void)snprintf(
            text + len, sizeof text - len, "\n  reject_rbl_client list%d.example.org", i);
    }
    upstream_open(&upstream);
    (void)give_server(&upstream);
    host_fixture_write(&fixture, MAIN_CF, text);
    (void)host_fixture_run(&fixture, CHECK_lat_dnsbl);
    upstream_close(&upstream);
    assert_int_equal(fixture.doctor->report.count, 13);
    host_fixture_expect(&fixture, CHECK_lat_dnsbl, REPORT_WARNING, "18 more lists");
}

static void test_no_list(void **state)
{
    (void)state;
    host_fixture_write(&fixture, MAIN_CF, "mydomain = example.org\n");
    (void)host_fixture_run(&fixture, CHECK_lat_dnsbl);
    host_fixture_expect(&fixture, CHECK_lat_dnsbl, REPORT_SKIPPED, "No DNS list");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_an_upstream_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_server_filters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_key_is_not_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_bad_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_list, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
