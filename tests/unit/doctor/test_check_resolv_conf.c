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

static void write_conf(const char *text)
{
    host_fixture_write(&host.fixture, "/etc/resolv.conf", text);
}

static void expect_file(enum report_level level, const char *part)
{
    doctor_case_expect(&host, CHECK_rc_file, level, part);
}

static void test_file_is_well(void **state)
{
    (void)state;
    write_conf("nameserver 127.0.0.1\n");
    expect_file(REPORT_GOOD, "mxcache and nobody else");
    /* A provider's resolver is no fault. */
    write_conf("nameserver 192.0.2.1\nnameserver 192.0.2.2\n");
    expect_file(REPORT_NOTE, "192.0.2.1 and 192.0.2.2, not mxcache");
    host.fixture.options.settings = NULL;
    write_conf("nameserver 127.0.0.1\n");
    expect_file(REPORT_GOOD, "mxcache");
}

/* The symlink of a resolver that does not run, an empty file, one without servers. */
static void test_file_without_server(void **state)
{
    (void)state;
    expect_file(REPORT_ERROR, "does not exist");
    host_fixture_link(&host.fixture, "/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    expect_file(REPORT_ERROR, "symlink to ../run/systemd/resolve/stub-resolv.conf");
    host_fixture_expect(
        &host.fixture, CHECK_rc_file, REPORT_ERROR, "systemctl start systemd-resolved");
    write_conf("");
    expect_file(REPORT_ERROR, "is empty");
    write_conf("search example.org\n");
    expect_file(REPORT_ERROR, "no nameserver line");
    /* To name the address where nobody listens would change nothing. */
    host_fixture_expect(&host.fixture, CHECK_rc_file, REPORT_ERROR, "mxcache setup --upstreams");
    assert_non_null(report_likeliest(&host.fixture.doctor->report));
    /* libc asks 127.0.0.1 then, and that may be enough. */
    host_fixture_write(&host.fixture, "/proc/net/udp",
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        "   1: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 9 2\n");
    expect_file(REPORT_WARNING, "something does listen");
    host_fixture_expect(&host.fixture, CHECK_rc_file, REPORT_WARNING,
        "echo 'nameserver 127.0.0.1' >/etc/resolv.conf");
}

static void test_file_public(void **state)
{
    (void)state;
    write_conf("nameserver 8.8.8.8\n");
    expect_file(REPORT_NOTE, "8.8.8.8, a public resolver");
    write_conf("nameserver 127.0.0.1\nnameserver 1.1.1.1\n");
    expect_file(REPORT_NOTE, "1.1.1.1 belongs into `upstreams`");
}

static void test_file_mixed(void **state)
{
    (void)state;
    write_conf("nameserver 127.0.0.1\nnameserver 192.0.2.1\n");
    expect_file(REPORT_NOTE, "asks all of them in turn");
    write_conf("nameserver 192.0.2.1\nnameserver 127.0.0.1\n");
    expect_file(REPORT_WARNING, "mxcache is not the first");
    write_conf("nameserver 127.0.0.53\n");
    expect_file(REPORT_NOTE, "the stub of systemd-resolved");
    write_conf("nameserver 127.0.0.1\nnameserver oops\n");
    expect_file(REPORT_WARNING, "1 nameserver lines");
    write_conf("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
               "nameserver 192.0.2.4\n");
    expect_file(REPORT_NOTE, "the first three only");
}

static void expect_options(enum report_level level, const char *part)
{
    doctor_case_expect(&host, CHECK_rc_options, level, part);
}

static void test_options(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum report_level level;
        const char *part;
    } rows[] = {
        {"nameserver 127.0.0.1\n", REPORT_GOOD, "waits 4 s at worst"},
        {"nameserver 192.0.2.1\n", REPORT_GOOD, "one lookup waits 10 s"},
        {"nameserver 192.0.2.1\nnameserver 192.0.2.2\n", REPORT_NOTE, "waits 20 s"},
        {"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n", REPORT_NOTE,
            "waits 28 s"},
        {"nameserver 127.0.0.1\noptions timeout:1\n", REPORT_WARNING, "up after 2 s"},
        {"nameserver 127.0.0.1\nsearch example.org example.net\n", REPORT_NOTE,
            "(example.org, ...)"},
        {"nameserver 127.0.0.1\noptions ndots:3\n", REPORT_WARNING, "options ndots"},
        {"nameserver 127.0.0.1\noptions use-vc\n", REPORT_WARNING, "options use-vc"},
        {"nameserver 127.0.0.1\noptions rotate\n", REPORT_GOOD, "4 s"},
        {"nameserver 127.0.0.1\nnameserver 192.0.2.1\noptions rotate\n", REPORT_WARNING,
            "options rotate"},
        {"nameserver 127.0.0.1\noptions single-request\n", REPORT_NOTE, "doubles"},
        {"nameserver 127.0.0.1\noptions edns0 trust-ad\n", REPORT_GOOD, "4 s"},
        {"nameserver 192.0.2.1\noptions edns0 trust-ad\n", REPORT_WARNING, "forge"},
    };
    expect_options(REPORT_SKIPPED, "is not there");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_conf(rows[i].text);
        expect_options(rows[i].level, rows[i].part);
    }
}

static void expect_owner(enum report_level level, const char *part)
{
    doctor_case_expect(&host, CHECK_rc_owner, level, part);
}

static void test_owner(void **state)
{
    (void)state;
    expect_owner(REPORT_SKIPPED, "is not there");
    write_conf("nameserver 127.0.0.1\n");
    expect_owner(REPORT_GOOD, "no program was seen");
    write_conf("# Generated by NetworkManager\nnameserver 127.0.0.1\n");
    expect_owner(REPORT_WARNING, "rc-manager=unmanaged");
    host_fixture_write(
        &host.fixture, "/etc/NetworkManager/conf.d/x.conf", "[main]\nrc-manager=unmanaged\n");
    expect_owner(REPORT_GOOD, "/etc/NetworkManager/conf.d/x.conf");
    /* Somebody else's servers: whoever writes them may. */
    write_conf("# Generated by dhcpcd\nnameserver 192.0.2.1\n");
    expect_owner(REPORT_NOTE, "written by dhcpcd");
    write_conf("nameserver 127.0.0.1\n");
    doctor_case_process(&host, 7, "dhclient", 1, 1);
    expect_owner(REPORT_WARNING, "make_resolv_conf");
    write_conf("# Generated by dhcpcd\nnameserver 192.0.2.1\n");
    expect_owner(REPORT_WARNING, "dhclient runs as well");
}

/* Commands that are typed as they stand must not take away a file that is somebody else's. */
static void test_advice_about_rivals_spares_the_file(void **state)
{
    (void)state;
    write_conf("# Generated by dhcpcd\nnameserver 192.0.2.1\n");
    doctor_case_process(&host, 8, "NetworkManager", 1, 1);
    expect_owner(REPORT_WARNING, "NetworkManager runs as well");
    for (size_t i = 0; i < host.fixture.doctor->report.count; i++) {
        const struct report_entry *entry = &host.fixture.doctor->report.entries[i];
        assert_true(entry->change == NULL || strstr(entry->change, "rm /etc") == NULL);
    }
    /* Its own, behind its symlink, has to go. */
    host_fixture_write(&host.fixture, "/run/NetworkManager/resolv.conf", "nameserver 127.0.0.1\n");
    host_fixture_link(&host.fixture, "/etc/resolv.conf", "../run/NetworkManager/resolv.conf");
    expect_owner(REPORT_WARNING, "rm /etc/resolv.conf");
}

/* setup leaves it alone, so it is no advice. */
static void test_owner_of_a_container(void **state)
{
    (void)state;
    write_conf("# Generated by Docker Engine.\nnameserver 192.0.2.1\n");
    expect_owner(REPORT_NOTE, "start it with --dns 127.0.0.1");
}

static void test_owner_link(void **state)
{
    (void)state;
    host_fixture_write(
        &host.fixture, "/run/systemd/resolve/stub-resolv.conf", "nameserver 127.0.0.53\n");
    host_fixture_link(&host.fixture, "/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    expect_owner(REPORT_NOTE, "systemd-resolved");
    host_fixture_write(&host.fixture, "/etc/mine", "nameserver 127.0.0.1\n");
    host_fixture_link(&host.fixture, "/etc/resolv.conf", "mine");
    expect_owner(REPORT_NOTE, "symlink to mine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_file_is_well, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_without_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_public, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_mixed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_owner_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_advice_about_rivals_spares_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_owner_of_a_container, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
