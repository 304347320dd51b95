/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/doctor/mail_host.h"

#include "base/address.h"
#include "conf/settings.h"

/*
 * All checks on mail hosts that are well: an "Internet Site" of Debian 12 as its installer leaves
 * it, before mxcache and with it. Whatever is more than a note is a false alarm.
 */

/* The rest of Debian 12's master.cf behind mail_host_master_rest. */
static const char master_head[] =
    "smtp      inet  n       -       y       -       -       smtpd\n"
    "#smtp      inet  n       -       y       -       1       postscreen\n"
    "#smtpd     pass  -       -       y       -       -       smtpd\n"
    "#dnsblog   unix  -       -       y       -       0       dnsblog\n"
    "#tlsproxy  unix  -       -       y       -       0       tlsproxy\n"
    "# Choose one: enable submission for loopback clients only, or for any client.\n"
    "#127.0.0.1:submission inet n -   y       -       -       smtpd\n"
    "#submission inet n       -       y       -       -       smtpd\n"
    "#  -o syslog_name=postfix/submission\n"
    "#  -o smtpd_tls_security_level=encrypt\n"
    "#  -o smtpd_sasl_auth_enable=yes\n"
    "#  -o smtpd_client_restrictions=$mua_client_restrictions\n"
    "#submissions     inet  n       -       y       -       -       smtpd\n"
    "#  -o smtpd_tls_wrappermode=yes\n"
    "#628       inet  n       -       y       -       -       qmqpd\n"
    "#qmgr     unix  n       -       n       300     1       oqmgr\n"
    "trace     unix  -       -       y       -       0       bounce\n"
    "flush     unix  n       -       y       1000?   0       flush\n"
    "proxywrite unix -       -       n       -       1       proxymap\n"
    "showq     unix  n       -       y       -       -       showq\n"
    "error     unix  -       -       y       -       -       error\n"
    "retry     unix  -       -       y       -       -       error\n"
    "discard   unix  -       -       y       -       -       discard\n"
    "virtual   unix  -       n       n       -       -       virtual\n"
    "anvil     unix  -       -       y       -       1       anvil\n"
    "scache    unix  -       -       y       -       1       scache\n"
    "uucp      unix  -       n       n       -       -       pipe\n"
    "  flags=Fqhu user=uucp argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)\n"
    "mailman   unix  -       n       n       -       -       pipe\n"
    "  flags=FRX user=list argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop} ${user}\n";

static const char log_lines[] =
    "Nov 21 12:00:00 mail postfix/postfix-script[801]: starting the Postfix mail system\n"
    "Nov 21 12:00:00 mail postfix/master[812]: daemon started -- version 3.7.11, configuration "
    "/etc/postfix\n"
    "Nov 21 12:01:00 mail postfix/smtpd[900]: connect from mx.example.org[192.0.2.25]\n"
    "Nov 21 12:01:01 mail postfix/smtp[901]: 4F1: to=<a@example.org>, relay=mx.example.org"
    "[192.0.2.25]:25, delay=0.9, delays=0.1/0.01/0.3/0.49, dsn=2.0.0, status=sent (250 ok)\n";

static struct host_fixture fixture;
static struct settings *settings;

static int set_up(void **state)
{
    (void)state;
    mail_host_init(&fixture);
    mail_host_master(&fixture, master_head);
    host_fixture_write(&fixture, "/etc/debian_version", "12.5\n");
    host_fixture_write(&fixture, "/var/log/mail.log", log_lines);
    settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    settings->group_count = 1;
    settings->groups[0].server_count = 1;
    assert_true(address_parse("192.0.2.53", 10, 53, &settings->groups[0].servers[0].address));
    settings->listen_count = 1;
    assert_true(address_parse("127.0.0.1", 9, 53, &settings->listen[0]));
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

static void resolv_conf_write(const char *text)
{
    host_fixture_write(&fixture, "/etc/resolv.conf", text);
    host_fixture_write(&fixture, "/var/spool/postfix/etc/resolv.conf", text);
}

static void expect_well(void)
{
    (void)host_fixture_run_all(&fixture);
    host_fixture_expect_below(&fixture, REPORT_WARNING);
    assert_null(report_likeliest(&fixture.doctor->report));
}

static void test_with_mxcache(void **state)
{
    static const struct mail_host_socket tcp[] = {{"00000000", 25}, {"7F000001", 53}};
    (void)state;
    mail_host_sockets(&fixture, "/proc/net/tcp", tcp, 2);
    /* The fixture numbers the sockets of both tables alike. */
    host_fixture_remove(&fixture, "/proc/812/fd/13");
    expect_well();
}

/* Another resolver at the address that would be mxcache's, which does not run. */
static void test_with_unbound(void **state)
{
    static const struct mail_host_socket tcp[] = {{"00000000", 25}, {"7F000001", 53}};
    static const struct doctor_daemon absent = {
        .state = DOCTOR_DAEMON_ABSENT, .sentence = "it does not run."};
    (void)state;
    mail_host_sockets(&fixture, "/proc/net/tcp", tcp, 2);
    host_fixture_remove(&fixture, "/proc/812/fd/13");
    host_fixture_write(&fixture, "/proc/700/stat",
        "700 (unbound) S 1 700 700 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 100 0 0\n");
    expect_well();
    fixture.options.daemon = &absent;
    expect_well();
    host_fixture_expect(&fixture, CHECK_rc_file, REPORT_NOTE, "127.0.0.1, not mxcache");
}

static void test_with_a_server_of_the_net(void **state)
{
    (void)state;
    mail_host_sockets(&fixture, "/proc/net/udp", NULL, 0);
    resolv_conf_write("domain example.com\nsearch example.com\nnameserver 192.0.2.53\n");
    expect_well();
}

/* Ubuntu has it by default. */
static void test_with_systemd_resolved(void **state)
{
    static const struct mail_host_socket tcp[] = {{"00000000", 25}, {"7F000035", 53}};
    static const struct mail_host_socket udp[] = {{"7F000035", 53}};
    (void)state;
    mail_host_sockets(&fixture, "/proc/net/tcp", tcp, 2);
    mail_host_sockets(&fixture, "/proc/net/udp", udp, 1);
    resolv_conf_write("nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n");
    host_fixture_write(&fixture, "/run/systemd/resolve/stub-resolv.conf",
        "nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .\n");
    host_fixture_write(&fixture, "/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.53\n");
    host_fixture_link(&fixture, "/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    expect_well();
}

/* Public servers are no fault of a host that asks no lists. */
static void test_with_public_servers(void **state)
{
    (void)state;
    mail_host_sockets(&fixture, "/proc/net/udp", NULL, 0);
    resolv_conf_write("nameserver 9.9.9.9\nnameserver 1.1.1.1\n");
    expect_well();
}

/* A host that only sends, with all mail to a relay host. */
static void test_satellite(void **state)
{
    static const struct mail_host_socket tcp[] = {{"7F000001", 25}};
    (void)state;
    mail_host_sockets(&fixture, "/proc/net/tcp", tcp, 1);
    mail_host_sockets(&fixture, "/proc/net/udp", NULL, 0);
    mail_host_main_add(&fixture,
        "inet_interfaces = loopback-only\nrelayhost = [smtp.example.com]:587\n"
        "mydestination = $myhostname, localhost\n");
    resolv_conf_write("nameserver 192.0.2.53\n");
    expect_well();
}

/* No mail host at all. */
static void test_without_postfix(void **state)
{
    (void)state;
    host_fixture_fini(&fixture);
    host_fixture_init(&fixture);
    fixture.options.settings = settings;
    host_fixture_write(&fixture, "/etc/resolv.conf", "nameserver 192.0.2.53\n");
    expect_well();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_with_mxcache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_with_unbound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_with_a_server_of_the_net, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_with_systemd_resolved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_with_public_servers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_satellite, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_postfix, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
