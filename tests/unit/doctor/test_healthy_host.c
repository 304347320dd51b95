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

#include "tests/support/doctor_case.h"

/* A host that is well: Debian 12, Postfix as "Internet Site", two servers of the provider's in a
 * resolv.conf that dhclient writes. False alarms are bugs, so no check may warn. */
static struct doctor_case host;

static const char main_cf[] =
    "smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)\nbiff = no\n"
    "append_dot_mydomain = no\nreadme_directory = no\ncompatibility_level = 3.6\n"
    "smtpd_tls_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem\n"
    "smtpd_tls_security_level=may\nsmtp_tls_security_level=may\n"
    "smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated "
    "defer_unauth_destination\n"
    "myhostname = mx.example.org\nalias_maps = hash:/etc/aliases\n"
    "mydestination = $myhostname, example.org, localhost\nrelayhost =\n"
    "mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128\nmailbox_size_limit = 0\n"
    "recipient_delimiter = +\ninet_interfaces = all\ninet_protocols = all\n";

static const char master_cf[] =
    "smtp      inet  n       -       y       -       -       smtpd\n"
    "pickup    unix  n       -       y       60      1       pickup\n"
    "cleanup   unix  n       -       y       -       0       cleanup\n"
    "qmgr      unix  n       -       n       300     1       qmgr\n"
    "rewrite   unix  -       -       y       -       -       trivial-rewrite\n"
    "bounce    unix  -       -       y       -       0       bounce\n"
    "smtp      unix  -       -       y       -       -       smtp\n"
    "relay     unix  -       -       y       -       -       smtp\n"
    "        -o syslog_name=postfix/$service_name\n"
    "local     unix  -       n       n       -       -       local\n"
    "lmtp      unix  -       -       y       -       -       lmtp\n";

static const char resolv_conf[] =
    "search example.org\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n";

static void write_proc(void)
{
    doctor_case_process(&host, 300, "dhclient", 1, 10);
    doctor_case_process(&host, 500, "master", 1, 20);
    doctor_case_process(&host, 501, "qmgr", 500, 21);
    doctor_case_process(&host, 502, "smtpd", 500, 9000);
    host_fixture_write_bytes(
        &host.fixture, "/proc/502/cmdline", "smtpd\0-n\0smtp\0-t\0inet\0-u\0-c\0-o\0stress=\0", 38);
}

static void test_no_false_alarm(void **state)
{
    (void)state;
    static const enum check_id checks[] = {CHECK_rc_file, CHECK_rc_options, CHECK_rc_owner,
        CHECK_rc_processes, CHECK_rs_nameserver, CHECK_port_53, CHECK_loop, CHECK_greylist,
        CHECK_policy_alive, CHECK_smtpd_timeout, CHECK_stress, CHECK_log_ns, CHECK_log_ns_hard,
        CHECK_log_ptr, CHECK_log_rbl, CHECK_log_dane, CHECK_log_timeout, CHECK_log_delays,
        CHECK_log_filters, CHECK_log_chroot, CHECK_log_rspamd, CHECK_log_sa, CHECK_queue};
    doctor_case_init(&host);
    host_fixture_write(&host.fixture, "/etc/postfix/main.cf", main_cf);
    host_fixture_write(&host.fixture, "/etc/postfix/master.cf", master_cf);
    host_fixture_write(&host.fixture, "/etc/debian_version", "12.5\n");
    host_fixture_write(&host.fixture, "/etc/resolv.conf", resolv_conf);
    host_fixture_set_time(&host.fixture, "/etc/resolv.conf", DOCTOR_CASE_BOOT_S + 5000);
    host_fixture_write(&host.fixture, "/var/spool/postfix/etc/resolv.conf", resolv_conf);
    host_fixture_write(&host.fixture, "/var/spool/postfix/deferred/A/A1", "");
    host_fixture_write(&host.fixture, "/var/lib/dhcp/dhclient.eth0.leases",
        "lease {\n  option domain-name-servers 192.0.2.1,192.0.2.2;\n}\n");
    host_fixture_write(&host.fixture, "/var/log/mail.log",
        "2026-11-21T12:00:00.1+00:00 mx postfix/smtpd[502]: connect from mail.example[192.0.2.9]\n"
        "2026-11-21T12:00:01.1+00:00 mx postfix/smtpd[502]: lost connection after EHLO from "
        "unknown[192.0.2.66]\n"
        "2026-11-21T12:00:02.1+00:00 mx postfix/smtp[9]: 4A2: to=<a@b>, relay=mx[1]:25, delay=1, "
        "delays=0.1/0/0.2/0.1, dsn=2.0.0, status=sent (250)\n");
    write_proc();
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        (void)host_fixture_run(&host.fixture, checks[i]);
        host_fixture_expect_below(&host.fixture, REPORT_WARNING);
    }
    doctor_case_fini(&host);
}

/* Nothing at all below the root: everything is skipped or well, apart from the missing
 * resolv.conf. */
static void test_empty_host(void **state)
{
    (void)state;
    doctor_case_init(&host);
    for (int i = 0; i < (int)CHECKS; i++) {
        if (i != CHECK_rc_file && i != CHECK_mx_conf) {
            (void)host_fixture_run(&host.fixture, (enum check_id)i);
            host_fixture_expect_below(&host.fixture, REPORT_WARNING);
        }
    }
    doctor_case_fini(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_false_alarm),
        cmocka_unit_test(test_empty_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
