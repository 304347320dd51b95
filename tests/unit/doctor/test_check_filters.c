/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/doctor/doctor_scene.h"

/* With the lines of main.cf, and smtpd in its chroot as Debian has it. */
static void write_postfix(const char *main_cf)
{
    host_fixture_write(&host.fixture, "/etc/postfix/main.cf", main_cf);
    host_fixture_write(&host.fixture, "/etc/postfix/master.cf",
        "smtp      inet  n  -  y  -  -  smtpd\ncleanup   unix  n  -  y  -  0  cleanup\n"
        "smtp      unix  -  -  y  -  -  smtp\n");
}

static void expect(enum check_id check, enum report_level level, const char *part)
{
    doctor_case_expect(&host, check, level, part);
}

static void test_greylist(void **state)
{
    (void)state;
    expect(CHECK_greylist, REPORT_SKIPPED, "Neither Postfix");
    write_postfix("myhostname = mx.example\n");
    expect(CHECK_greylist, REPORT_GOOD, "No greylisting");
    write_postfix("smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:10023\n");
    expect(CHECK_greylist, REPORT_NOTE, "for 300 s");
    host_fixture_write(
        &host.fixture, "/etc/default/postgrey", "POSTGREY_OPTS=\"--inet=10023 --delay=60\"\n");
    expect(CHECK_greylist, REPORT_NOTE, "for 60 s");
    /* The case that is taken for slow DNS. */
    host_fixture_write(
        &host.fixture, "/etc/default/postgrey", "POSTGREY_OPTS=\"--inet=10023 --delay=1800\"\n");
    expect(CHECK_greylist, REPORT_WARNING, "Lower --delay");
    write_postfix("smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:100233\n");
    expect(CHECK_greylist, REPORT_GOOD, "No greylisting");
}

static void test_greylist_others(void **state)
{
    (void)state;
    host_fixture_write(&host.fixture, "/etc/rspamd/rspamd.conf", "");
    expect(CHECK_greylist, REPORT_NOTE, "rspamd greylists");
    host_fixture_write(&host.fixture, "/etc/rspamd/local.d/greylist.conf", "enabled = false;\n");
    expect(CHECK_greylist, REPORT_SKIPPED, "Neither Postfix");
    host_fixture_write(
        &host.fixture, "/etc/postfix/main.cf", "postscreen_bare_newline_enable = yes\n");
    host_fixture_write(&host.fixture, "/etc/postfix/master.cf", "smtp inet n - y - 1 postscreen\n");
    expect(CHECK_greylist, REPORT_NOTE, "postscreen_bare_newline_enable = yes");
}

static void test_alive(void **state)
{
    (void)state;
    expect(CHECK_policy_alive, REPORT_SKIPPED, "not installed");
    write_postfix("myhostname = mx.example\n");
    expect(CHECK_policy_alive, REPORT_GOOD, "asks no policy service and no milter");
    write_postfix("smtpd_milters = inet:127.0.0.1:11332\nnon_smtpd_milters = $smtpd_milters\n");
    expect(CHECK_policy_alive, REPORT_SKIPPED, "another host's files");
    assert_int_equal(host.fixture.doctor->report.count, 1);
}

/* A milter that makes its socket where a chrooted smtpd does not see it. */
static void test_outside(void **state)
{
    (void)state;
    write_postfix("smtpd_milters = unix:/run/opendkim/opendkim.sock\n");
    host_fixture_write(&host.fixture, "/run/opendkim/opendkim.sock", "");
    expect(CHECK_policy_alive, REPORT_ERROR,
        "in the chroot, at /var/spool/postfix/run/opendkim/opendkim.sock");
    assert_non_null(report_likeliest(&host.fixture.doctor->report));
    host_fixture_write(&host.fixture, "/var/spool/postfix/run/opendkim/opendkim.sock", "");
    expect(CHECK_policy_alive, REPORT_SKIPPED, "not tried");
}

/* root reaches it, and so would find it well. */
static void test_kept_out(void **state)
{
    static const char sock[] = "/var/spool/postfix/opendkim/opendkim.sock";
    char path[256];
    (void)state;
    write_postfix("smtpd_milters = local:opendkim/opendkim.sock\n");
    host_fixture_write(&host.fixture, sock, "");
    host_fixture_write(&host.fixture, "/etc/passwd", "postfix:x:400000:400001::/:/bin/false\n");
    host_fixture_write(&host.fixture, "/etc/group", "postfix:x:400001:\n");
    host_fixture_path(&host.fixture, sock, path, sizeof path);
    assert_int_equal(chmod(path, 0666), 0);
    expect(CHECK_policy_alive, REPORT_SKIPPED, "not tried");
    assert_int_equal(chmod(path, 0755), 0);
    expect(CHECK_policy_alive, REPORT_WARNING, "the user postfix, as whom smtp (chrooted) asks");
    host_fixture_expect(&host.fixture, CHECK_policy_alive, REPORT_WARNING, "adduser postfix GROUP");
    assert_non_null(report_likeliest(&host.fixture.doctor->report));
}

/* The sockets of a host that is live. */
static void test_live(void **state)
{
    (void)state;
    write_postfix("smtpd_milters = inet:127.0.0.1:1, unix:absent/sock, inet:filter.example:1\n");
    struct doctor *doctor = host_fixture_run(&host.fixture, CHECK_policy_alive);
    doctor->host.is_live = true;
    doctor->options.is_offline = false;
    check_policy_alive(doctor);
    host_fixture_expect(&host.fixture, CHECK_policy_alive, REPORT_ERROR, "nobody listens there");
    host_fixture_expect(&host.fixture, CHECK_policy_alive, REPORT_ERROR, "has no socket there");
    host_fixture_expect(
        &host.fixture, CHECK_policy_alive, REPORT_SKIPPED, "would have to be looked up");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_greylist, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_greylist_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_alive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_outside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_kept_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_live, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
