/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/support/doctor_case.h"

static struct doctor_case host;
static char text[1024 * 1024];
static struct text lines;

static int set_up(void **state)
{
    (void)state;
    doctor_case_init(&host);
    text_init(&lines, text, sizeof text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    doctor_case_fini(&host);
    return 0;
}

/* The same line so often, with %d made a number. */
static void add(size_t count, const char *line)
{
    for (size_t i = 0; i < count; i++) {
        const char *number = strstr(line, "NUMBER");
        text_add(&lines, "2026-11-21T12:00:00Z mx ");
        if (number != NULL) {
            text_addf(&lines, "%.*s%zu%s", (int)(number - line), line, i, number + 6);
        } else {
            text_add(&lines, line);
        }
        text_add(&lines, "\n");
    }
    assert_false(lines.is_cut);
}

static void expect(enum check_id check, enum report_level level, const char *part)
{
    host_fixture_write(&host.fixture, "/var/log/mail.log", text);
    doctor_case_expect(&host, check, level, part);
}

static const char sent[] = "postfix/smtp[9]: 4A2: to=<a@b>, relay=mx[192.0.2.1]:25, delay=1, "
                           "delays=0.5/0.01/0.25/0.3, dsn=2.0.0, status=sent (250 2.0.0 Ok)";
static const char soft[] = "postfix/smtp[9]: 4A3: to=<a@b>, relay=none, dsn=4.4.3, status=deferred "
                           "(Name service error for name=bNUMBER.example type=MX: Host not found, "
                           "try again)";

static void test_no_log(void **state)
{
    (void)state;
    doctor_case_expect(&host, CHECK_log_ns, REPORT_SKIPPED, "journalctl");
    host.fixture.options.logs[0] = "/nowhere/at/all";
    host.fixture.options.log_count = 1;
    doctor_case_expect(&host, CHECK_log_ns, REPORT_SKIPPED, "/nowhere/at/all");
}

/* A busy healthy host: some domains never resolve, some peers are odd. */
static void test_healthy(void **state)
{
    (void)state;
    static const enum check_id checks[] = {CHECK_log_ns, CHECK_log_ns_hard, CHECK_log_ptr,
        CHECK_log_rbl, CHECK_log_dane, CHECK_log_chroot, CHECK_log_rspamd, CHECK_log_sa,
        CHECK_log_timeout, CHECK_log_delays, CHECK_log_filters};
    add(1000, sent);
    add(3, soft);
    add(5, "postfix/smtpd[9]: lost connection after DATA from x[1]");
    add(9, "postfix/smtpd[9]: timeout after END-OF-MESSAGE from x[1]");
    add(50, "postfix/smtpd[9]: warning: hostname x does not resolve to address 192.0.2.1: Name or "
            "service not known");
    host_fixture_write(&host.fixture, "/var/log/mail.log", text);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        (void)host_fixture_run(&host.fixture, checks[i]);
        host_fixture_expect_below(&host.fixture, REPORT_WARNING);
    }
}

static void test_ns(void **state)
{
    (void)state;
    add(100, sent);
    expect(CHECK_log_ns, REPORT_GOOD, "No lookup");
    add(2, soft);
    expect(CHECK_log_ns, REPORT_NOTE, "2 times");
    add(40, soft);
    expect(CHECK_log_ns, REPORT_WARNING, "42 times");
    assert_non_null(report_likeliest(&host.fixture.doctor->report));
    /* One domain alone is its own fault. */
    add(1000, "postfix/smtp[9]: 4A3: Name service error for name=dead.example type=MX: Host not "
              "found, try again");
    expect(CHECK_log_ns, REPORT_NOTE, "that domain's own DNS");
}

/* What was two days before the log's end is history. */
static void test_history(void **state)
{
    (void)state;
    add(100, soft);
    text_add(&lines, "2026-11-25T12:00:00Z mx postfix/qmgr[9]: x\n");
    expect(CHECK_log_ns, REPORT_NOTE, "not in the last 4 days");
    add(1, sent);
}

static void test_lists(void **state)
{
    (void)state;
    expect(CHECK_log_rbl, REPORT_GOOD, "All lists answered");
    add(20, "postfix/postscreen[9]: warning: dnsblog reply timeout 10s for ix.dnsbl.manitu.net");
    expect(CHECK_log_rbl, REPORT_WARNING, "ix.dnsbl.manitu.net (20)");
    add(1, "postfix/smtpd[9]: NOQUEUE: reject: RCPT from mx[192.0.2.7]: 554 5.7.1 Service "
           "unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org; Error: open "
           "resolver; https://www.spamhaus.org/returnc/pub/");
    expect(CHECK_log_rbl, REPORT_ERROR, "mail of everybody is rejected: zen.spamhaus.org");
}

static void test_filters(void **state)
{
    (void)state;
    expect(CHECK_log_sa, REPORT_GOOD, "No list refused");
    add(20, "spamd[9]: spamd: result: . 0 - URIBL_BLOCKED scantime=1");
    expect(CHECK_log_sa, REPORT_WARNING, "URIBL refused");
    expect(CHECK_log_rspamd, REPORT_GOOD, "no trouble");
    host_fixture_write(&host.fixture, "/var/log/rspamd/rspamd.log",
        "2026-11-21 12:00:00 #1(normal) <x>; monitored; rspamd_monitored_propagate_error: timeout "
        "on resolving ix.dnsbl.manitu.net, disable object\n");
    expect(CHECK_log_rspamd, REPORT_NOTE, "switched a list off");
    add(1, "postfix/smtp[9]: warning: DNSSEC validation may be unavailable");
    expect(CHECK_log_dane, REPORT_WARNING, "nobody validates");
    add(1, "postfix/postfix-script[9]: warning: /var/spool/postfix/etc/resolv.conf and "
           "/etc/resolv.conf differ");
    expect(CHECK_log_chroot, REPORT_WARNING, "postfix reload");
    add(60, "postfix/smtp[9]: 4A2: dsn=5.4.4, status=bounced (Name service error for "
            "name=bNUMBER.example type=AAAA: Host not found)");
    expect(CHECK_log_ns_hard, REPORT_WARNING, "denies names that exist");
    add(120, "postfix/smtpd[9]: warning: hostname x does not resolve to address 192.0.2.1: "
             "Temporary failure in name resolution");
    expect(CHECK_log_ptr, REPORT_WARNING, "could not be looked up for now");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_healthy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_history, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_filters, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
