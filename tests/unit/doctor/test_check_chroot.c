/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/stat.h>

#include "tests/unit/doctor/mail_host_scene.h"

#define COPY "/var/spool/postfix/etc/resolv.conf"

static void no_resolver_here(void)
{
    host_fixture_write(&fixture, "/proc/net/udp", "");
}

static void test_column(void **state)
{
    (void)state;
    expect(CHECK_chroot_column, REPORT_GOOD, "smtp inet (line 1), smtp unix (line 18)");
    mail_host_master(&fixture, "smtp inet n - n - - smtpd\nx unix - - y - - pipe argv=x\n");
    expect(CHECK_chroot_column, REPORT_WARNING, "master.cf:2 runs pipe in the chroot");
    host_fixture_write(&fixture, "/etc/postfix/master.cf", "smtp inet n - - - - smtpd\n");
    expect(CHECK_chroot_column, REPORT_GOOD, "No service");
    host_fixture_write(&fixture, "/etc/postfix/main.cf", "# level 0: - means y\n");
    expect(CHECK_chroot_column, REPORT_GOOD, "smtp inet (line 1)");
}

static void test_missing(void **state)
{
    (void)state;
    host_fixture_remove(&fixture, COPY);
    expect(CHECK_chroot_resolv, REPORT_WARNING, "happens to listen");
    no_resolver_here();
    expect(CHECK_chroot_resolv, REPORT_ERROR, COPY " is not there");
    host_fixture_expect(&fixture, CHECK_chroot_resolv, REPORT_ERROR, "cp /etc/resolv.conf " COPY);
    host_fixture_expect(
        &fixture, CHECK_chroot_resolv, REPORT_ERROR, "postfix -c /etc/postfix reload");
    host_fixture_write(&fixture, "/etc/postfix/master.cf", "smtp inet n - n - - smtpd\n");
    expect(CHECK_chroot_resolv, REPORT_GOOD, "No service");
}

static void test_empty(void **state)
{
    (void)state;
    no_resolver_here();
    host_fixture_write(&fixture, COPY, "");
    expect(CHECK_chroot_resolv, REPORT_ERROR, "is empty");
    host_fixture_write(&fixture, COPY, "# no server\nsearch example.com\n");
    expect(CHECK_chroot_resolv, REPORT_ERROR, "names no server");
    host_fixture_expect(&fixture, CHECK_chroot_resolv, REPORT_ERROR, "cannot look names up");
}

static void test_different(void **state)
{
    (void)state;
    host_fixture_write(&fixture, COPY, "nameserver 192.0.2.53\n");
    host_fixture_set_time(&fixture, COPY, 1000);
    expect(CHECK_chroot_resolv, REPORT_ERROR, "older than /etc/resolv.conf");
    host_fixture_expect(&fixture, CHECK_chroot_resolv, REPORT_ERROR, "192.0.2.53");
    host_fixture_write(&fixture, COPY, "nameserver 192.0.2.53\nnameserver 127.0.0.1\n");
    expect(CHECK_chroot_resolv, REPORT_WARNING, "(192.0.2.53, 127.0.0.1)");
    host_fixture_write(&fixture, COPY, "nameserver 127.0.0.1\noptions timeout:1\n");
    expect(CHECK_chroot_resolv, REPORT_NOTE, "timeout:1");
    /* On purpose: the chroot asks the resolver of this host, others go elsewhere. */
    host_fixture_write(&fixture, COPY, MAIL_HOST_RESOLV_CONF);
    host_fixture_write(&fixture, "/etc/resolv.conf", "nameserver 127.0.0.53\n");
    expect(CHECK_chroot_resolv, REPORT_NOTE, "(127.0.0.1)");
    host_fixture_expect_below(&fixture, REPORT_WARNING);
}

static void test_dangling(void **state)
{
    (void)state;
    host_fixture_link(&fixture, "/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    expect(CHECK_chroot_resolv, REPORT_ERROR, "is an old copy (127.0.0.1)");
    host_fixture_expect(&fixture, CHECK_chroot_resolv, REPORT_ERROR, "rc-file");
    host_fixture_remove(&fixture, COPY);
    no_resolver_here();
    expect(CHECK_chroot_resolv, REPORT_ERROR, "is not there");
    host_fixture_expect(&fixture, CHECK_chroot_resolv, REPORT_ERROR, "First give /etc/resolv.conf");
}

/* The copy is the only file that has a server: it must not be written over. */
static void test_system_file_without_server(void **state)
{
    (void)state;
    host_fixture_write(&fixture, COPY, "nameserver 192.0.2.53\n");
    host_fixture_write(&fixture, "/etc/resolv.conf", "# lost\n");
    expect(CHECK_chroot_resolv, REPORT_WARNING, "First give /etc/resolv.conf a server");
    no_resolver_here();
    expect(CHECK_chroot_resolv, REPORT_ERROR, "is an old copy (192.0.2.53)");
    host_fixture_expect(&fixture, CHECK_chroot_resolv, REPORT_ERROR, "First give /etc/resolv.conf");
    host_fixture_write(&fixture, COPY, "");
    expect(CHECK_chroot_resolv, REPORT_ERROR, "is empty");
    host_fixture_expect(&fixture, CHECK_chroot_resolv, REPORT_ERROR, "First give /etc/resolv.conf");
}

/* cp writes through no symlink that leads nowhere, nor into a folder that is not there. */
static void test_commands_work_as_they_stand(void **state)
{
    (void)state;
    host_fixture_link(&fixture, COPY, "/etc/resolv.conf");
    expect(CHECK_chroot_resolv, REPORT_WARNING, "rm " COPY "\ncp /etc/resolv.conf " COPY);
    mail_host_main_add(&fixture, "queue_directory = /srv/spool\n");
    expect(CHECK_chroot_resolv, REPORT_WARNING,
        "mkdir -m 755 /srv/spool/etc\ncp /etc/resolv.conf /srv/spool/etc/resolv.conf\n");
}

static void test_unfit(void **state)
{
    char path[256];
    (void)state;
    host_fixture_path(&fixture, COPY, path, sizeof path);
    assert_int_equal(chmod(path, 0600), 0);
    expect(CHECK_chroot_resolv, REPORT_ERROR, "0600");
    host_fixture_link(&fixture, COPY, "/etc/resolv.conf");
    expect(CHECK_chroot_resolv, REPORT_WARNING, "is a symlink");
    host_fixture_remove(&fixture, COPY);
    host_fixture_write(&fixture, COPY "/x", "");
    expect(CHECK_chroot_resolv, REPORT_SKIPPED, "no regular file");
}

/* The second instance has the older copy. */
static void test_instances(void **state)
{
    (void)state;
    mail_host_main_add(&fixture, "multi_instance_directories = /etc/postfix-out\n");
    host_fixture_write(&fixture, "/etc/postfix-out/main.cf",
        "compatibility_level = 3.6\nmulti_instance_enable = yes\nqueue_directory = /srv/out\n");
    host_fixture_write(&fixture, "/etc/postfix-out/master.cf", "smtp unix - - y - - smtp\n");
    host_fixture_write(&fixture, "/srv/out/etc/resolv.conf", "nameserver 192.0.2.53\n");
    expect(CHECK_chroot_resolv, REPORT_GOOD, COPY);
    host_fixture_expect(&fixture, CHECK_chroot_resolv, REPORT_ERROR, "/srv/out/etc/resolv.conf");
    host_fixture_expect(
        &fixture, CHECK_chroot_resolv, REPORT_ERROR, "postfix -c /etc/postfix-out reload");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_column, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_different, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dangling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_system_file_without_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_commands_work_as_they_stand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unfit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_instances, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
