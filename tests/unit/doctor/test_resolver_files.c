/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/upstreams.h"
#include "doctor/resolver_files.h"
#include "tests/support/host_fixture.h"

static struct host_fixture fixture;
static struct host host;
static struct resolver_files files;
static struct resolver_upstream upstreams[RESOLVER_UPSTREAMS_MAX];

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    return host_init(&host, fixture.root) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    host_fini(&host);
    host_fixture_fini(&fixture);
    return 0;
}

/* The upstreams, with blanks between. */
static void expect_upstreams(const char *expected)
{
    char text[1024] = "";
    size_t len = 0;
    resolver_files_read(&files, &host);
    size_t count = resolver_files_upstreams(&files, upstreams);
    for (size_t i = 0; i < count; i++) {
        char name[ADDRESS_TEXT_SIZE];
        address_format_host(&upstreams[i].address, name, sizeof name);
        len += (size_t)snprintf(text + len, sizeof text - len, i > 0 ? " %s" : "%s", name);
    }
    assert_string_equal(text, expected);
}

static void test_nothing(void **state)
{
    (void)state;
    expect_upstreams("");
    assert_int_equal(files.count, 1);
    assert_int_equal(files.files[0].verdict, HOST_ABSENT);
    assert_null(resolver_files_find(&files, RESOLVER_FILE_LIBC));
}

static void test_plain_file(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/resolv.conf",
        "nameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver 192.0.2.1\n"
        "nameserver 2001:db8::1\nnameserver 0.0.0.0\nnameserver fe80::1\n");
    host_fixture_write(&fixture, "/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.9\n");
    host_fixture_set_time(&fixture, "/etc/resolv.conf", 12345);
    expect_upstreams("192.0.2.1 2001:db8::1");
    assert_int_equal(files.files[0].modified_s, 12345);
    assert_false(files.files[0].is_empty);
    assert_non_null(resolver_files_find(&files, RESOLVER_FILE_RESOLVED));
}

/* Behind a stub or our own address stand the lists of those who know the network. */
static void test_behind_loopback(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/var/lib/dhcp/dhclient.eth0.leases",
        "lease {\n  option domain-name-servers 192.0.2.50;\n}\n"
        "lease {\n  option domain-name-servers 192.0.2.51,192.0.2.52;\n}\n");
    host_fixture_write(
        &fixture, "/var/lib/dhcp/other.leases", "  option domain-name-servers 192.0.2.66;\n");
    host_fixture_link(&fixture, "/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    host_fixture_write(
        &fixture, "/run/systemd/resolve/stub-resolv.conf", "nameserver 127.0.0.53\n");
    expect_upstreams("192.0.2.51 192.0.2.52");
    host_fixture_write(
        &fixture, "/run/systemd/netif/leases/2", "ADDRESS=192.0.2.7\nDNS=192.0.2.40 192.0.2.41\n");
    expect_upstreams("192.0.2.40 192.0.2.41");
    host_fixture_write(
        &fixture, "/run/resolvconf/interface/eth0.dhclient", "nameserver 192.0.2.30\n");
    host_fixture_write(
        &fixture, "/run/resolvconf/interface/eth1.dhclient", "nameserver 192.0.2.31\n");
    expect_upstreams("192.0.2.30 192.0.2.31");
    host_fixture_write(
        &fixture, "/run/NetworkManager/no-stub-resolv.conf", "nameserver 192.0.2.20\n");
    expect_upstreams("192.0.2.20");
    host_fixture_write(&fixture, "/run/systemd/resolve/resolv.conf", "nameserver 192.0.2.10\n");
    expect_upstreams("192.0.2.10");
    assert_string_equal(upstreams[0].file->path, "/run/systemd/resolve/resolv.conf");
}

static void test_stub(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_stub;
    } rows[] = {{"127.0.0.53", true}, {"127.0.0.54", true}, {"127.0.0.1", false}, {"::1", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address address;
        assert_true(address_parse(rows[i].text, strlen(rows[i].text), 53, &address));
        assert_int_equal(upstreams_is_stub(&address), rows[i].is_stub);
    }
}

static void test_hostile(void **state)
{
    (void)state;
    struct resolv_conf conf;
    static const char text[] = "option domain-name-servers \0 1.2.3.4, x@53, 1.2.3.4@99, "
                               ";;,,192.0.2.1";
    resolver_lease_parse(text, sizeof text - 1, &conf);
    assert_int_equal(conf.server_count, 2);
    resolver_lease_parse("option domain-name-servers", 26, &conf);
    assert_int_equal(conf.server_count, 0);
    char path[64];
    for (int i = 0; i < RESOLVER_FILES_MAX + 5; i++) {
        (void)snprintf(path, sizeof path, "/run/systemd/netif/leases/%d", i);
        host_fixture_write(&fixture, path, "DNS=192.0.2.1\n");
    }
    expect_upstreams("192.0.2.1");
    assert_int_equal(files.count, RESOLVER_FILES_MAX);
    assert_int_equal(files.dropped, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_plain_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_behind_loopback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stub, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
