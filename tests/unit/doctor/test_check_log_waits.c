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
static char text[256 * 1024];
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

static void add(size_t count, const char *line)
{
    for (size_t i = 0; i < count; i++) {
        text_addf(&lines, "Nov 21 12:00:00 mx %s\n", line);
    }
    assert_false(lines.is_cut);
}

static void expect(enum check_id check, enum report_level level, const char *part)
{
    host_fixture_write(&host.fixture, "/var/log/maillog", text);
    doctor_case_expect(&host, check, level, part);
}

/* Who was silent, in both directions. */
static void test_timeout(void **state)
{
    (void)state;
    add(1, "postfix/smtpd[9]: connect from x[1]");
    expect(CHECK_log_timeout, REPORT_GOOD, "No conversation");
    add(1, "postfix/smtpd[9]: timeout after DATA (0 bytes) from mx.b[192.0.2.7]");
    expect(CHECK_log_timeout, REPORT_NOTE, "silent after our 354");
    add(4, "postfix/smtpd[9]: timeout after DATA (0 bytes) from mx.b[192.0.2.7]");
    expect(CHECK_log_timeout, REPORT_WARNING, "on its own side: mx.b[192.0.2.7]");
    add(5, "postfix/smtp[9]: 4A2: relay=mx.c[192.0.2.8]:25, status=deferred (host mx.c said: 421 "
           "4.4.2 mx.c Error: timeout exceeded (in reply to end of DATA command))");
    expect(CHECK_log_timeout, REPORT_WARNING, "this host had been silent too long");
}

static void test_delays(void **state)
{
    (void)state;
    add(5, "postfix/smtp[9]: 4A2: relay=mx[1]:25, delays=0.1/0/0.2/0.1, status=sent (250)");
    expect(CHECK_log_delays, REPORT_SKIPPED, "5 deliveries");
    add(50, "postfix/smtp[9]: 4A2: relay=mx[1]:25, delays=0.1/0/0.2/0.1, status=sent (250)");
    expect(CHECK_log_delays, REPORT_GOOD, "Of 55 deliveries");
    add(100, "postfix/smtp[9]: 4A2: relay=mx[1]:25, delays=20/0/7.5/0.1, status=sent (250)");
    expect(CHECK_log_delays, REPORT_WARNING, "half took longer than 7.");
    host_fixture_expect(&host.fixture, CHECK_log_delays, REPORT_NOTE, "in the queue");
}

/* One restart of a filter is nothing; a filter that is away is. */
static void test_filters(void **state)
{
    (void)state;
    add(1, "postfix/smtpd[9]: connect from x[1]");
    expect(CHECK_log_filters, REPORT_GOOD, "reached all");
    add(2, "postfix/smtpd[9]: warning: problem talking to server 127.0.0.1:10023: Connection "
           "refused");
    expect(CHECK_log_filters, REPORT_NOTE, "a policy service, or another server that it asks");
    add(8, "postfix/smtpd[9]: warning: problem talking to server 127.0.0.1:10023: Connection "
           "refused");
    expect(CHECK_log_filters, REPORT_WARNING, "127.0.0.1:10023");
    add(10,
        "postfix/smtpd[9]: warning: connect to Milter service unix:/run/o.sock: No such file or "
        "directory");
    expect(CHECK_log_filters, REPORT_WARNING, "did not reach a milter");
    assert_non_null(report_likeliest(&host.fixture.doctor->report));
}

/* Greylisting and a dead port 25 are not DNS. */
static void test_not_dns(void **state)
{
    (void)state;
    add(3, "postfix/smtpd[9]: NOQUEUE: reject: RCPT from mx.b[192.0.2.7]: 450 4.2.0 <a@b>: "
           "Recipient address rejected: Greylisted, see postgrey; from=<a@b>");
    expect(CHECK_log_delays, REPORT_NOTE, "are not DNS");
    add(3, "postfix/smtp[9]: connect to mx.b[192.0.2.7]:25: Connection timed out");
    expect(CHECK_log_delays, REPORT_NOTE, "mxcache doctor --smtp");
    add(12, "postfix/smtp[9]: 4A3: relay=none, delays=0.5/0.01/10/0, status=deferred (Name service "
            "error for name=b type=MX: Host not found, try again)");
    expect(CHECK_log_delays, REPORT_WARNING, "12 deliveries were put off");
}

static void write_message(const char *path, int64_t arrived_s)
{
    char bytes[128];
    char time_text[32];
    int len = snprintf(time_text, sizeof time_text, "%lld 123456", (long long)arrived_s);
    (void)snprintf(bytes, sizeof bytes, "C\x05 1 2 T%c%sS\x01x", len, time_text);
    host_fixture_write(&host.fixture, path, bytes);
}

static void test_queue(void **state)
{
    (void)state;
    doctor_case_expect(&host, CHECK_queue, REPORT_SKIPPED, "not installed");
    host_fixture_write(
        &host.fixture, "/etc/postfix/main.cf", "queue_directory = /var/spool/postfix\n");
    doctor_case_expect(&host, CHECK_queue, REPORT_SKIPPED, "/var/spool/postfix/deferred");
    int64_t now_s = clock_wall() / CLOCK_US_PER_S;
    write_message("/var/spool/postfix/deferred/A/A1", now_s - 60);
    write_message("/var/spool/postfix/deferred/A/A2", now_s - 2 * 3600);
    write_message("/var/spool/postfix/deferred/B/B1", now_s - 3 * 86400);
    host_fixture_write(&host.fixture, "/var/spool/postfix/deferred/B/B2", "C\xff rubbish");
    host_fixture_write(&host.fixture, "/var/spool/postfix/deferred/B/B3", "");
    doctor_case_expect(&host, CHECK_queue, REPORT_GOOD,
        "5 messages wait in /var/spool/postfix/deferred for another try. Of 3, 1 came in the last "
        "hour, 2 in the last day; the oldest is 3 days old.");
    for (int i = 0; i < 500; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/var/spool/postfix/deferred/C/%d", i);
        host_fixture_write(&host.fixture, path, "");
    }
    doctor_case_expect(&host, CHECK_queue, REPORT_NOTE, "qshape");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_timeout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_delays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_filters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_dns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queue, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
