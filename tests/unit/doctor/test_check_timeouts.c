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

#include "tests/unit/doctor/doctor_scene.h"

static void write_postfix(const char *main_cf)
{
    host_fixture_write(&host.fixture, "/etc/postfix/main.cf", main_cf);
    host_fixture_write(&host.fixture, "/etc/postfix/master.cf",
        "smtp      inet  n  -  y  -  -  smtpd\nsmtp      unix  -  -  y  -  -  smtp\n");
}

static void expect(enum check_id check, enum report_level level, const char *part)
{
    doctor_case_expect(&host, check, level, part);
}

static const char many_lists[] =
    "smtpd_recipient_restrictions = reject_unknown_sender_domain reject_unknown_helo_hostname\n"
    "  check_sender_mx_access hash:/x, reject_rbl_client a, reject_rbl_client b,\n"
    "  reject_rbl_client c, reject_rhsbl_sender d, reject_rhsbl_helo e\n";

static void test_lookups(void **state)
{
    (void)state;
    expect(CHECK_smtpd_timeout, REPORT_SKIPPED, "not installed");
    write_postfix("myhostname = mx.example\n");
    expect(CHECK_smtpd_timeout, REPORT_GOOD, "up to 2 lookups in a row, of at worst 10 s each");
    /* 16 lookups: 320 s with two servers that are gone, 64 s with mxcache. */
    write_postfix(many_lists);
    host_fixture_write(
        &host.fixture, "/etc/resolv.conf", "nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
    expect(CHECK_smtpd_timeout, REPORT_WARNING, "320 s when no DNS server answers");
    assert_non_null(report_likeliest(&host.fixture.doctor->report));
    host_fixture_write(&host.fixture, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
    expect(CHECK_smtpd_timeout, REPORT_GOOD, "64 s when no DNS server answers");
}

static void test_short(void **state)
{
    (void)state;
    host_fixture_write(&host.fixture, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
    write_postfix("smtpd_timeout = ${stress?{10}:{300}}s\n");
    expect(CHECK_smtpd_timeout, REPORT_GOOD, "2 lookups");
    write_postfix("smtpd_timeout = 30s\n");
    expect(CHECK_smtpd_timeout, REPORT_WARNING, "421 4.4.2");
    write_postfix("smtpd_timeout = 2m\nsmtpd_policy_service_timeout = 10s\n");
    expect(CHECK_smtpd_timeout, REPORT_WARNING, "smtpd_policy_service_timeout is 10 s");
    write_postfix("smtp_data_done_timeout = 60\n");
    expect(CHECK_smtpd_timeout, REPORT_WARNING, "get it twice");
    /* Without milters their time-outs do not matter. */
    write_postfix("milter_content_timeout = 5s\n");
    expect(CHECK_smtpd_timeout, REPORT_GOOD, "2 lookups");
    write_postfix("milter_content_timeout = 5s\nsmtpd_milters = inet:127.0.0.1:11332\n");
    expect(CHECK_smtpd_timeout, REPORT_WARNING, "milter_content_timeout is 5 s");
}

static void write_cmdline(const char *path, const char *stress)
{
    char bytes[64];
    int len = snprintf(bytes, sizeof bytes, "smtpd%c-n%csmtp%c-o%c%s", 0, 0, 0, 0, stress);
    host_fixture_write_bytes(&host.fixture, path, bytes, (size_t)len);
}

static void test_stress(void **state)
{
    (void)state;
    expect(CHECK_stress, REPORT_SKIPPED, "No process");
    doctor_case_process(&host, 20, "smtpd", 1, 1);
    write_cmdline("/proc/20/cmdline", "stress=");
    expect(CHECK_stress, REPORT_GOOD, "None of 1");
    doctor_case_process(&host, 21, "smtpd", 1, 1);
    write_cmdline("/proc/21/cmdline", "stress=yes");
    expect(CHECK_stress, REPORT_ERROR, "1 of 2");
    assert_non_null(report_likeliest(&host.fixture.doctor->report));
    write_cmdline("/proc/21/cmdline", "stress=");
    host_fixture_write(&host.fixture, "/var/log/mail.log",
        "Nov 21 12:00:00 mx postfix/master[9]: warning: service \"smtp\" (25) has reached its "
        "process limit \"100\": new clients may experience noticeable delays\n");
    expect(CHECK_stress, REPORT_NOTE, "were busy at times");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lookups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_short, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stress, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
