/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/settings.h"
#include "tests/support/host_fixture.h"

/* The lists in use as they are configured. */

#define MAIN_CF     "/etc/postfix/main.cf"
#define RESOLV_CONF "/etc/resolv.conf"
#define KEY         "abcdefghij0123456789klmnop"

static struct host_fixture fixture;
static struct settings *settings;

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    settings->group_count = 1;
    settings->listen_count = 1;
    settings->listen[0] =
        (struct address){.family = ADDRESS_IPV4, .bytes = {127, 0, 0, 1}, .port = 53};
    settings->list_action = SETTINGS_LIST_ACTION_SERVFAIL;
    settings->list_route = SETTINGS_ROUTE_AUTO;
    fixture.options.settings = settings;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    host_fixture_fini(&fixture);
    free(settings);
    return 0;
}

static void settings_ask(const char *server)
{
    struct settings_group *group = &settings->groups[0];
    assert_true(address_parse(server, strlen(server), 53, &group->servers[0].address));
    group->server_count = 1;
}

struct lists_case {
    enum check_id check;
    const char *main_cf;
    const char *resolv_conf;
    enum report_level level;
    const char *part;
};

#define LOCAL  "nameserver 127.0.0.1\n"
#define OTHERS "nameserver 192.0.2.53\n"

static const struct lists_case lists_cases[] = {
    /* Without a filter. */
    {CHECK_dnsbl_filter, "smtpd_client_restrictions = reject_rbl_client zen.spamhaus.org\n", OTHERS,
        REPORT_WARNING, "Write zen.spamhaus.org=127.0.0.[2..11] there"},
    {CHECK_dnsbl_filter, "smtpd_client_restrictions = reject_rbl_client zen.spamhaus.org\n", LOCAL,
        REPORT_NOTE, "mxcache stands before it"},
    {CHECK_dnsbl_filter,
        "smtpd_client_restrictions = warn_if_reject reject_rbl_client zen.spamhaus.org\n", OTHERS,
        REPORT_NOTE, "only warns"},
    {CHECK_dnsbl_filter, "smtpd_client_restrictions = reject_rbl_client bl.spamcop.net\n", OTHERS,
        REPORT_NOTE, "bl.spamcop.net=127.0.0.[2..254]"},
    {CHECK_dnsbl_filter, "smtpd_client_restrictions = permit_dnswl_client list.dnswl.org\n", OTHERS,
        REPORT_WARNING, "admits everybody"},
    {CHECK_dnsbl_filter, "postscreen_dnsbl_sites = zen.spamhaus.org*3\n", OTHERS, REPORT_WARNING,
        "counts against every client"},
    {CHECK_dnsbl_filter,
        "smtpd_client_restrictions = reject_rbl_client zen.spamhaus.org=127.0.0.[2..11]\n", OTHERS,
        REPORT_GOOD, NULL},
    {CHECK_dnsbl_filter, "mydomain = example.org\n", OTHERS, REPORT_SKIPPED, "No DNS list"},

    /* Ended. */
    {CHECK_dnsbl_dead, "smtpd_client_restrictions = reject_rbl_client dnsbl.sorbs.net=127.0.0.2\n",
        LOCAL, REPORT_WARNING, "June 2024"},
    {CHECK_dnsbl_dead, "smtpd_client_restrictions = reject_rbl_client bl.spamcop.net\n", LOCAL,
        REPORT_GOOD, NULL},

    /* Keys. */
    {CHECK_dnsbl_key, "smtpd_client_restrictions = reject_rbl_client " KEY ".zen.dq.spamhaus.net\n",
        LOCAL, REPORT_WARNING, "rbl_reply_maps = texthash:"},
    {CHECK_dnsbl_key,
        "smtpd_client_restrictions = reject_rbl_client " KEY ".zen.dq.spamhaus.net\n"
        "rbl_reply_maps = hash:/etc/postfix/replies\n",
        LOCAL, REPORT_GOOD, NULL},
    {CHECK_dnsbl_key,
        "smtpd_client_restrictions = reject_rbl_client " KEY ".zen.dq.spamhaus.net\n"
        "default_rbl_reply = $rbl_code $rbl_class blocked\n",
        LOCAL, REPORT_GOOD, NULL},
    {CHECK_dnsbl_key, "postscreen_dnsbl_sites = " KEY ".combined.mail.abusix.zone\n", LOCAL,
        REPORT_WARNING, "postscreen_dnsbl_reply_map = texthash:"},
    {CHECK_dnsbl_key,
        "postscreen_dnsbl_sites = " KEY ".combined.mail.abusix.zone\n"
        "postscreen_dnsbl_reply_map = texthash:/etc/postfix/dnsbl_reply\n",
        LOCAL, REPORT_GOOD, NULL},
    {CHECK_dnsbl_key, "mydomain = example.org\n", LOCAL, REPORT_SKIPPED, NULL},

    /* Public resolvers. */
    {CHECK_public_resolver, "smtpd_client_restrictions = reject_rbl_client bl.spamcop.net\n",
        "nameserver 8.8.8.8\nnameserver 1.1.1.1\n", REPORT_WARNING,
        "8.8.8.8 (Google), 1.1.1.1 (Cloudflare)"},
    {CHECK_public_resolver, "smtpd_client_restrictions = reject_rbl_client bl.spamcop.net\n",
        LOCAL "nameserver 9.9.9.9\n", REPORT_WARNING, "is wrong for a mail host"},
    {CHECK_public_resolver, "smtpd_client_restrictions = reject_rbl_client bl.spamcop.net\n",
        OTHERS, REPORT_GOOD, NULL},
    {CHECK_public_resolver, "mydomain = example.org\n", "nameserver 8.8.8.8\n", REPORT_SKIPPED,
        NULL},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lists_cases / sizeof lists_cases[0]; i++) {
        host_fixture_write(&fixture, MAIN_CF, lists_cases[i].main_cf);
        host_fixture_write(&fixture, RESOLV_CONF, lists_cases[i].resolv_conf);
        (void)host_fixture_run(&fixture, lists_cases[i].check);
        host_fixture_expect(
            &fixture, lists_cases[i].check, lists_cases[i].level, lists_cases[i].part);
        host_fixture_expect_below(&fixture, (enum report_level)(lists_cases[i].level + 1));
        for (size_t at = 0; at < fixture.doctor->report.count; at++) {
            const struct report_entry *entry = &fixture.doctor->report.entries[at];
            assert_null(strstr(entry->seen, KEY));
            assert_true(entry->change == NULL || strstr(entry->change, KEY) == NULL);
        }
    }
}

/* A refusal that mxcache passes on is as bad as any other. */
static void test_pass(void **state)
{
    (void)state;
    settings->list_action = SETTINGS_LIST_ACTION_PASS;
    host_fixture_write(
        &fixture, MAIN_CF, "smtpd_client_restrictions = reject_rbl_client zen.spamhaus.org\n");
    host_fixture_write(&fixture, RESOLV_CONF, LOCAL);
    (void)host_fixture_run(&fixture, CHECK_dnsbl_filter);
    host_fixture_expect(&fixture, CHECK_dnsbl_filter, REPORT_WARNING, "zen.spamhaus.org");
}

/* Another resolver on this host, which passes refusals on. */
static void test_somebody_else_at_its_address(void **state)
{
    static const struct doctor_daemon absent = {.state = DOCTOR_DAEMON_ABSENT};
    (void)state;
    fixture.options.daemon = &absent;
    host_fixture_write(
        &fixture, MAIN_CF, "smtpd_client_restrictions = reject_rbl_client zen.spamhaus.org\n");
    host_fixture_write(&fixture, RESOLV_CONF, LOCAL);
    (void)host_fixture_run(&fixture, CHECK_dnsbl_filter);
    host_fixture_expect(&fixture, CHECK_dnsbl_filter, REPORT_WARNING, "rejects every mail.");
}

struct route_case {
    enum settings_route route;
    enum report_level level;
    const char *part;
};

static void test_public_upstreams(void **state)
{
    static const struct route_case cases[] = {
        {SETTINGS_ROUTE_AUTO, REPORT_NOTE, "8.8.4.4 (Google)"},
        {SETTINGS_ROUTE_DIRECT, REPORT_GOOD, "own name servers"},
        {SETTINGS_ROUTE_UPSTREAM, REPORT_WARNING, "list_route = auto"},
    };
    (void)state;
    settings_ask("8.8.4.4");
    host_fixture_write(
        &fixture, MAIN_CF, "smtpd_client_restrictions = reject_rbl_client zen.spamhaus.org\n");
    host_fixture_write(&fixture, RESOLV_CONF, LOCAL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        settings->list_route = cases[i].route;
        (void)host_fixture_run(&fixture, CHECK_public_resolver);
        host_fixture_expect(&fixture, CHECK_public_resolver, cases[i].level, cases[i].part);
    }
}

/* The stub's address is nobody's public resolver; those that it asks may be. */
static void test_public_behind_the_stub(void **state)
{
    (void)state;
    host_fixture_write(
        &fixture, MAIN_CF, "smtpd_client_restrictions = reject_rbl_client bl.spamcop.net\n");
    host_fixture_write(&fixture, RESOLV_CONF, "nameserver 127.0.0.53\n");
    host_fixture_write(
        &fixture, "/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.1\nnameserver 8.8.8.8\n");
    (void)host_fixture_run(&fixture, CHECK_public_resolver);
    host_fixture_expect(&fixture, CHECK_public_resolver, REPORT_WARNING,
        "names systemd-resolved, which asks 8.8.8.8 (Google), and this host");
    host_fixture_write(&fixture, "/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.1\n");
    (void)host_fixture_run(&fixture, CHECK_public_resolver);
    host_fixture_expect(&fixture, CHECK_public_resolver, REPORT_GOOD, NULL);
}

/* What came with rspamd is no fault of this host's. */
static void test_dead_list_of_rspamd(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/usr/bin/rspamd", "");
    host_fixture_write(&fixture, "/etc/rspamd/modules.d/rbl.conf",
        "rbl { rbls { nixspam { rbl = \"ix.dnsbl.manitu.net\"; } } }\n");
    (void)host_fixture_run(&fixture, CHECK_dnsbl_dead);
    host_fixture_expect(
        &fixture, CHECK_dnsbl_dead, REPORT_NOTE, "rbls { nixspam { enabled = false; } }");
    host_fixture_expect_below(&fixture, REPORT_WARNING);
    (void)host_fixture_run(&fixture, CHECK_dnsbl_filter);
    host_fixture_expect(&fixture, CHECK_dnsbl_filter, REPORT_SKIPPED, "Postfix itself");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cases, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pass, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_somebody_else_at_its_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_public_upstreams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_public_behind_the_stub, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dead_list_of_rspamd, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
