/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/doctor/dns_fixture.h"

#include <stdlib.h>

#include "conf/settings.h"

/* DANE as configured, and as the servers allow it. */

#define MAIN_CF   "/etc/postfix/main.cf"
#define DANE      "smtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\n"
#define DANE_ONLY "smtp_tls_security_level = dane-only\nsmtp_dns_support_level = dnssec\n"

static const struct upstream_rule well[] = {
    {"bogus.example", 0, UPSTREAM_SERVFAIL, ""}, RULES_USUAL};
static const struct upstream_rule gullible[] = {
    {"bogus.example", TYPE_A, UPSTREAM_A, "192.0.2.1"}, RULES_USUAL};

struct dane_case {
    const char *main_cf;
    const struct upstream_rule *rules;
    bool sets_ad;
    bool is_own;
    enum report_level level;
    const char *part;
};

static void test_cases(void **state)
{
    static const struct dane_case cases[] = {
        {"mydomain = example.org\n", well, true, true, REPORT_SKIPPED, "not switched on"},
        {"smtp_tls_security_level = may\n", well, true, true, REPORT_SKIPPED, "= may"},
        {DANE, well, true, true, REPORT_GOOD, "tell what is signed"},
        {"smtp_tls_security_level = dane\n", well, true, true, REPORT_WARNING,
            "postconf smtp_dns_support_level=dnssec"},
        {"smtp_tls_security_level = dane-only\n", well, true, true, REPORT_ERROR,
            "mail stays in the queue"},
        {DANE, well, false, true, REPORT_WARNING, "without the AD bit"},
        {DANE_ONLY, well, false, true, REPORT_ERROR, "does not tell what is signed"},
        {DANE, well, false, false, REPORT_WARNING, "nameserver 127.0.0.1"},
        {DANE, gullible, true, true, REPORT_WARNING, "false signature, with the AD bit"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct upstream upstream = {.rules = cases[i].rules, .sets_ad = cases[i].sets_ad};
        upstream_open(&upstream);
        given.server_count = 0;
        give_server(&upstream)->is_own = cases[i].is_own;
        host_fixture_write(&fixture, MAIN_CF, cases[i].main_cf);
        (void)host_fixture_run(&fixture, CHECK_dane);
        upstream_close(&upstream);
        host_fixture_expect(&fixture, CHECK_dane, cases[i].level, cases[i].part);
        host_fixture_expect_below(&fixture, (enum report_level)(cases[i].level + 1));
    }
}

/* The upstream server validates, and mxcache keeps its word to itself. */
static void test_the_upstream_is_not_trusted(void **state)
{
    struct upstream own = {.rules = well};
    struct upstream validating = {.rules = well, .sets_ad = true};
    struct settings *settings = calloc(1, sizeof *settings);
    (void)state;
    assert_non_null(settings);
    fixture.options.settings = settings;
    upstream_open(&own);
    upstream_open(&validating);
    give_server(&own)->is_own = true;
    struct dns_server *server = give_server(&validating);
    server->is_resolver = false;
    server->is_upstream = true;
    host_fixture_write(&fixture, MAIN_CF, DANE);
    (void)host_fixture_run(&fixture, CHECK_dane);
    host_fixture_expect(&fixture, CHECK_dane, REPORT_WARNING, "trust_ad = yes");
    host_fixture_expect(&fixture, CHECK_dane, REPORT_WARNING, "does not pass its word on");
    upstream_close(&own);
    upstream_close(&validating);
    free(settings);
}

/* One delivery service wants it, though main.cf does not. */
static void test_a_service_of_its_own(void **state)
{
    struct upstream upstream = {.rules = well};
    (void)state;
    upstream_open(&upstream);
    (void)give_server(&upstream);
    host_fixture_write(&fixture, MAIN_CF, "smtp_dns_support_level = dnssec\n");
    host_fixture_write(&fixture, "/etc/postfix/master.cf",
        "smtp unix - - y - - smtp\nsecure unix - - y - - smtp\n"
        "  -o smtp_tls_security_level=dane-only\n");
    (void)host_fixture_run(&fixture, CHECK_dane);
    host_fixture_expect(&fixture, CHECK_dane, REPORT_ERROR, "without the AD bit");
    upstream_close(&upstream);
}

static void test_without_postfix(void **state)
{
    (void)state;
    (void)host_fixture_run(&fixture, CHECK_dane);
    host_fixture_expect(&fixture, CHECK_dane, REPORT_SKIPPED, "not installed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_upstream_is_not_trusted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_service_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_postfix, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
