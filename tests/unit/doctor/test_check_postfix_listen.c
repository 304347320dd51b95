/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/doctor/mail_host_scene.h"

static void listen_on(const struct mail_host_socket *sockets, size_t count)
{
    mail_host_sockets(&fixture, "/proc/net/tcp", sockets, count);
}

/* Each check on the host as Debian sets it up. */
static void test_healthy(void **state)
{
    static const enum check_id checks[] = {CHECK_pf_running, CHECK_pf_listen, CHECK_pf_interfaces,
        CHECK_pf_mynetworks, CHECK_pf_mastercf, CHECK_fw_rules, CHECK_chroot_column,
        CHECK_chroot_resolv, CHECK_chroot_others, CHECK_chroot_refresh};
    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        expect(checks[i], REPORT_GOOD, NULL);
        host_fixture_expect_below(&fixture, REPORT_NOTE);
    }
}

static void test_not_installed(void **state)
{
    static const enum check_id checks[] = {CHECK_pf_running, CHECK_pf_listen, CHECK_pf_interfaces,
        CHECK_pf_mynetworks, CHECK_pf_mastercf, CHECK_fw_rules, CHECK_chroot_column,
        CHECK_chroot_resolv, CHECK_chroot_others, CHECK_chroot_refresh, CHECK_dane, CHECK_queue,
        CHECK_policy_alive, CHECK_smtpd_timeout, CHECK_fcrdns_self};
    (void)state;
    mail_host_main_add(&fixture, "smtpd_milters = inet:127.0.0.1:9\nsmtpd_timeout = 5s\n"
                                 "smtp_tls_security_level = dane-only\n");
    host_fixture_remove(&fixture, "/usr/lib/postfix/sbin/master");
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        expect(checks[i], REPORT_SKIPPED, "not installed");
        host_fixture_expect_below(&fixture, REPORT_NOTE);
    }
}

static void test_running(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/proc/812/comm", "bash\n");
    expect(CHECK_pf_running, REPORT_ERROR, "does not run");
    expect(CHECK_pf_listen, REPORT_SKIPPED, "does not run");
    host_fixture_remove(&fixture, "/var/spool/postfix/pid/master.pid");
    expect(CHECK_pf_running, REPORT_ERROR, "does not run");
    host_fixture_remove(&fixture, "/proc/net/tcp");
    host_fixture_remove(&fixture, "/proc/net/udp");
    expect(CHECK_pf_running, REPORT_SKIPPED, "by root only");
    expect(CHECK_pf_listen, REPORT_SKIPPED, "/proc/net/tcp");
}

static void test_bad_lines(void **state)
{
    (void)state;
    mail_host_main_add(&fixture, "inet_interfaces\n");
    expect(CHECK_pf_running, REPORT_ERROR, "main.cf:26");
    mail_host_main_add(&fixture, "");
    mail_host_master(&fixture, "smtp inet n - y - smtpd\n");
    expect(CHECK_pf_running, REPORT_ERROR, "master.cf:1");
}

static void test_loopback_only(void **state)
{
    const struct mail_host_socket loopback[] = {{"7F000001", 25}};
    (void)state;
    listen_on(loopback, 1);
    mail_host_main_add(&fixture, "inet_interfaces = loopback-only\n");
    expect(CHECK_pf_interfaces, REPORT_NOTE, "only sends");
    expect(CHECK_pf_listen, REPORT_GOOD, "127.0.0.1");
    mail_host_main_add(&fixture, "inet_interfaces = 127.0.0.1, [::1] localhost\n"
                                 "virtual_mailbox_domains = example.com\n");
    expect(CHECK_pf_interfaces, REPORT_ERROR, "main.cf:26: Postfix listens on loopback only");
    host_fixture_expect(&fixture, CHECK_pf_interfaces, REPORT_ERROR, "virtual_mailbox_domains");
    host_fixture_expect(&fixture, CHECK_pf_interfaces, REPORT_ERROR, "systemctl restart postfix");
}

/* main.cf was changed; a reload does not move the sockets. */
static void test_not_restarted(void **state)
{
    const struct mail_host_socket loopback[] = {{"7F000001", 25}};
    const struct mail_host_socket everywhere[] = {{"00000000", 25}};
    (void)state;
    listen_on(loopback, 1);
    expect(CHECK_pf_listen, REPORT_ERROR, "has not been restarted since");
    host_fixture_expect(&fixture, CHECK_pf_listen, REPORT_ERROR, "restart postfix");
    listen_on(everywhere, 1);
    mail_host_main_add(&fixture, "inet_interfaces = loopback-only\n");
    expect(CHECK_pf_listen, REPORT_WARNING, "the next restart");
}

static void test_ports(void **state)
{
    const struct mail_host_socket both[] = {{"00000000", 25}, {"00000000", 587}};
    (void)state;
    mail_host_master(&fixture, "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n"
                               "127.0.0.1:10025 inet n - y - - smtpd\n"
                               "no-such-name inet n - y - - smtpd\n");
    expect(CHECK_pf_listen, REPORT_ERROR, "nothing listens on TCP port 587");
    host_fixture_expect(
        &fixture, CHECK_pf_listen, REPORT_ERROR, "nothing listens on TCP port 10025");
    mail_host_main_add(&fixture, "master_service_disable = submission/inet 127.0.0.1:10025.inet\n");
    (void)host_fixture_run(&fixture, CHECK_pf_listen);
    host_fixture_expect_below(&fixture, REPORT_NOTE);
    listen_on(both, 2);
    mail_host_main_add(&fixture, "");
    host_fixture_write(&fixture, "/etc/services", "# comment\nother 10/tcp\namavis 10024/tcp\n");
    mail_host_master(&fixture, "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n"
                               "[::1]:amavis inet n - y - - smtpd\n");
    expect(CHECK_pf_listen, REPORT_ERROR, "10024");
    host_fixture_expect(&fixture, CHECK_pf_listen, REPORT_GOOD, "587");
}

static void test_stranger(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/proc/812/comm", "exim4\n");
    host_fixture_write(&fixture, "/proc/90/comm", "master\n");
    host_fixture_write(&fixture, "/var/spool/postfix/pid/master.pid", "90");
    expect(CHECK_pf_listen, REPORT_ERROR, "exim4 (process 812)");
    /* A proxy in front, Postfix behind it on loopback. */
    const struct mail_host_socket both[] = {{"C0000219", 25}, {"7F000001", 25}};
    listen_on(both, 2);
    host_fixture_link(&fixture, "/proc/90/fd/13", "socket:[9001]");
    mail_host_main_add(&fixture, "inet_interfaces = loopback-only\n");
    expect(CHECK_pf_listen, REPORT_GOOD, "by Postfix and exim4");
    host_fixture_expect_below(&fixture, REPORT_NOTE);
}

static void test_protocols(void **state)
{
    (void)state;
    mail_host_main_add(&fixture, "inet_protocols = ipv6\n");
    expect(CHECK_pf_interfaces, REPORT_WARNING, "main.cf:26");
    /* Where all mail leaves by a relay host, nobody else has to be reached. */
    mail_host_main_add(&fixture, "inet_protocols = ipv6\nrelayhost = [relay.example.net]\n");
    expect(CHECK_pf_interfaces, REPORT_NOTE, "main.cf:26");
    host_fixture_expect_below(&fixture, REPORT_WARNING);
}

/* The first instance only sends, the second receives; a third is switched off. */
static void test_instances(void **state)
{
    (void)state;
    mail_host_main_add(&fixture, "inet_interfaces = loopback-only\nmaster_service_disable = inet\n"
                                 "multi_instance_directories = /etc/postfix-in /etc/postfix-off\n");
    host_fixture_write(&fixture, "/etc/postfix-in/main.cf",
        "compatibility_level = 3.6\nmulti_instance_enable = yes\nmulti_instance_name = postfix-in\n"
        "queue_directory = /var/spool/postfix-in\nrelay_domains = example.com\n");
    host_fixture_write(&fixture, "/etc/postfix-in/master.cf", mail_host_smtp);
    host_fixture_write(&fixture, "/etc/postfix-off/main.cf", "queue_directory = /var/spool/off\n");
    expect(CHECK_pf_running, REPORT_GOOD, "/etc/postfix)");
    host_fixture_expect(&fixture, CHECK_pf_running, REPORT_ERROR, "/etc/postfix-in)");
    assert_int_equal(fixture.doctor->report.count, 2);
    host_fixture_write(&fixture, "/var/spool/postfix-in/pid/master.pid", "812");
    expect(CHECK_pf_listen, REPORT_GOOD, "25");
    host_fixture_expect_below(&fixture, REPORT_NOTE);
    expect(CHECK_pf_interfaces, REPORT_GOOD, "all");
    host_fixture_expect_below(&fixture, REPORT_NOTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_healthy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_installed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_running, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_loopback_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_restarted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stranger, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_protocols, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_instances, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
