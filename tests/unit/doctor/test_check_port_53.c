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

static void hold(const char *address, int pid)
{
    doctor_case_port_53(&host, "/proc/net/udp", address, pid);
    doctor_case_port_53(&host, "/proc/net/tcp", address, pid);
}

static void expect_port(enum report_level level, const char *part)
{
    doctor_case_expect(&host, CHECK_port_53, level, part);
}

static void test_port_is_ours(void **state)
{
    (void)state;
    expect_port(REPORT_SKIPPED, "cannot be seen");
    doctor_case_process(&host, 20, "mxcache", 1, 1);
    hold("127.0.0.1", 20);
    expect_port(REPORT_GOOD, "mxcache (process 20)");
    hold("127.0.0.1", 0);
    expect_port(REPORT_GOOD, "root would see who");
    /* Kept by the service manager for us. */
    doctor_case_process(&host, 1, "systemd", 0, 1);
    hold("127.0.0.1", 1);
    expect_port(REPORT_GOOD, "systemd (process 1)");
    hold("127.0.0.53", 1);
    expect_port(REPORT_GOOD, "does not disturb");
}

static void test_port_is_taken(void **state)
{
    (void)state;
    doctor_case_process(&host, 30, "dnsmasq", 1, 1);
    hold("0.0.0.0", 30);
    expect_port(REPORT_NOTE, "which listens on all addresses");
    /* A host that has dnsmasq there is well; one that was put on mxcache is not. */
    host_fixture_write(&host.fixture, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
    expect_port(REPORT_NOTE, "dnsmasq (process 30)");
    host_fixture_write(
        &host.fixture, "/etc/resolv.conf", "# Written by `mxcache setup`\nnameserver 127.0.0.1\n");
    expect_port(REPORT_WARNING, "dnsmasq (process 30)");
    doctor_case_process(&host, 31, "unbound", 1, 1);
    hold("127.0.0.1", 31);
    expect_port(REPORT_WARNING, "127.0.0.1@5335");
}

static void test_port_is_free(void **state)
{
    (void)state;
    hold("192.0.2.1", 0);
    expect_port(REPORT_GOOD, "it can be started");
    host_fixture_write(&host.fixture, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
    expect_port(REPORT_ERROR, "Nobody listens at 127.0.0.1");
    assert_non_null(report_likeliest(&host.fixture.doctor->report));
    doctor_case_port_53(&host, "/proc/net/udp", "127.0.0.1", 0);
    expect_port(REPORT_WARNING, "nobody by TCP");
}

/* AdGuard Home and others of its kind have one socket for both families. */
static void test_port_is_taken_by_a_socket_for_both(void **state)
{
    static const char row[] =
        "  sl  local_address remote_address st\n"
        "   1: 00000000000000000000000000000000:0035 00000000000000000000000000000000:0000 %s "
        "00000000:00000000 00:00000000 00000000  0 0 309 2 0\n";
    char text[512];
    (void)state;
    host_fixture_write(&host.fixture, "/etc/resolv.conf", "nameserver 127.0.0.1\n");
    doctor_case_process(&host, 30, "AdGuardHome", 1, 1);
    hold("192.0.2.1", 0);
    (void)snprintf(text, sizeof text, row, "07");
    host_fixture_write(&host.fixture, "/proc/net/udp6", text);
    (void)snprintf(text, sizeof text, row, "0A");
    host_fixture_write(&host.fixture, "/proc/net/tcp6", text);
    host_fixture_link(&host.fixture, "/proc/30/fd/3", "socket:[309]");
    expect_port(REPORT_NOTE, "127.0.0.1@53 is held by AdGuardHome (process 30)");
}

static void expect_loop(enum report_level level, const char *part)
{
    doctor_case_expect(&host, CHECK_loop, level, part);
}

static void upstream(const char *address)
{
    assert_true(
        address_parse(address, strlen(address), 53, &host.settings->groups[0].servers[0].address));
}

static void test_loop(void **state)
{
    (void)state;
    expect_loop(REPORT_GOOD, "leads back");
    upstream("127.0.0.1");
    expect_loop(REPORT_ERROR, "its own address");
    upstream("127.0.0.1@5335");
    expect_loop(REPORT_GOOD, "leads back");
    host.fixture.options.settings = NULL;
    expect_loop(REPORT_SKIPPED, "cannot be read");
}

/* systemd-resolved takes the servers of a regular /etc/resolv.conf as its own. */
static void test_loop_by_stub(void **state)
{
    (void)state;
    upstream("127.0.0.53");
    host_fixture_write(&host.fixture, "/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.1\n");
    expect_loop(REPORT_GOOD, "leads back");
    host_fixture_write(&host.fixture, "/run/systemd/resolve/resolv.conf", "nameserver 127.0.0.1\n");
    expect_loop(REPORT_ERROR, "by way of systemd-resolved");
}

static void test_loop_by_forwarder(void **state)
{
    (void)state;
    upstream("127.0.0.1@5335");
    host_fixture_write(&host.fixture, "/etc/unbound/unbound.conf.d/forward.conf",
        "forward-zone:\n  name: \".\"\n  forward-addr: 127.0.0.1@5335\n");
    expect_loop(REPORT_GOOD, "leads back");
    host_fixture_write(&host.fixture, "/etc/unbound/unbound.conf.d/forward.conf",
        "forward-zone:\n  name: \".\"\n  forward-addr: 127.0.0.1\n");
    expect_loop(REPORT_WARNING, "forward.conf:3");
    host_fixture_remove(&host.fixture, "/etc/unbound/unbound.conf.d/forward.conf");
    host_fixture_write(&host.fixture, "/etc/dnsmasq.d/mine", "server=127.0.0.1#53\n");
    expect_loop(REPORT_WARNING, "/etc/dnsmasq.d/mine:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_port_is_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_port_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_port_is_free, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_port_is_taken_by_a_socket_for_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_loop_by_stub, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_loop_by_forwarder, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
