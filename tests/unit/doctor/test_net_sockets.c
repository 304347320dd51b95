/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/net_sockets.h"
#include "tests/support/host_fixture.h"

/* Tables as a little-endian kernel prints them, and a big-endian one would. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOOPBACK   "0100007F"
#define PUBLIC     "190200C0"
#define LOOPBACK_6 "00000000000000000000000001000000"
#define MAPPED     "0000000000000000FFFF00000100007F"
#else
#define LOOPBACK   "7F000001"
#define PUBLIC     "C0000219"
#define LOOPBACK_6 "00000000000000000000000000000001"
#define MAPPED     "00000000000000000000FFFF7F000001"
#endif
#define ANY_6 "00000000000000000000000000000000"

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
#define TAIL "00000000:00000000 00:00000000 00000000 "

static struct host_fixture fixture;
static struct host host;
static struct net_sockets sockets;

static int set_up(void **state)
{
    (void)state;
    host_fixture_init(&fixture);
    assert_true(host_init(&host, fixture.root));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    net_sockets_fini(&sockets);
    host_fini(&host);
    host_fixture_fini(&fixture);
    return 0;
}

static void read_again(void)
{
    net_sockets_fini(&sockets);
    net_sockets_read(&sockets, &host);
}

static void expect_next(enum net_protocol protocol, uint16_t port, size_t *at, const char *wanted)
{
    char text[ADDRESS_TEXT_SIZE] = "none";
    const struct net_socket *found = net_sockets_next(&sockets, protocol, port, at);
    if (found != NULL) {
        (void)address_format(&found->local, text, sizeof text);
    }
    assert_string_equal(text, wanted);
}

static void test_tables(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/proc/net/tcp",
        HEAD "   0: " LOOPBACK ":0019 00000000:0000 0A " TAIL "   0        0 1001 1 0 100\n"
             "   1: " PUBLIC ":0019 00000000:0000 0A " TAIL "   0        0 1002 1 0 100\n"
             "   2: " PUBLIC ":0019 " PUBLIC ":C350 01 " TAIL "   0        0 1003 1 0 100\n"
             "   3: 00000000:024B 00000000:0000 0A " TAIL "   0        0 1004 1 0 100\n");
    host_fixture_write(&fixture, "/proc/net/tcp6",
        HEAD "   0: " LOOPBACK_6 ":0019 " ANY_6 ":0000 0A " TAIL " 33 0 1005 1 0 100\n"
             "   1: " MAPPED ":01D1 " ANY_6 ":0000 0A " TAIL " 0 0 1006 1 0 100\n");
    host_fixture_write(&fixture, "/proc/net/udp",
        HEAD "  10: " LOOPBACK ":0035 00000000:0000 07 " TAIL "101 0 2001 2 0 0\n"
             "  11: " LOOPBACK ":0035 " LOOPBACK ":9999 01 " TAIL "101 0 2002 2 0 0\n");
    read_again();
    assert_int_equal(sockets.verdict, HOST_READ);
    assert_int_equal(sockets.count, 6);
    size_t at = 0;
    expect_next(NET_TCP, 25, &at, "127.0.0.1@25");
    expect_next(NET_TCP, 25, &at, "192.0.2.25@25");
    expect_next(NET_TCP, 25, &at, "::1@25");
    expect_next(NET_TCP, 25, &at, "none");
    at = 0;
    expect_next(NET_TCP, 465, &at, "127.0.0.1@465");
    at = 0;
    expect_next(NET_UDP, 53, &at, "127.0.0.1@53");
    expect_next(NET_UDP, 53, &at, "none");
    assert_true(net_sockets_reach_out(&sockets, NET_TCP, 25));
    assert_true(net_sockets_reach_out(&sockets, NET_TCP, 587));
    assert_false(net_sockets_reach_out(&sockets, NET_TCP, 465));
    assert_false(net_sockets_reach_out(&sockets, NET_UDP, 53));
}

static void test_owner(void **state)
{
    (void)state;
    struct net_owner owner;
    const struct net_socket socket = {.inode = 1001};
    host_fixture_write(&fixture, "/proc/uptime", "1 1\n");
    assert_false(net_socket_owner(&host, &socket, &owner));
    host_fixture_write(&fixture, "/proc/900/comm", "smtpd\n");
    host_fixture_link(&fixture, "/proc/900/fd/6", "socket:[1001]");
    host_fixture_write(&fixture, "/proc/88/comm", "master\n");
    host_fixture_link(&fixture, "/proc/88/fd/0", "/dev/null");
    host_fixture_link(&fixture, "/proc/88/fd/13", "socket:[1001]");
    host_fixture_link(&fixture, "/proc/7/fd/13", "socket:[10010]");
    assert_true(net_socket_owner(&host, &socket, &owner));
    assert_int_equal(owner.pid, 88);
    assert_string_equal(owner.name, "master");
    host_fixture_write(
        &fixture, "/proc/88/comm", "a name that is much longer than any comm of the kernel's");
    assert_true(net_socket_owner(&host, &socket, &owner));
    assert_int_equal(strlen(owner.name), NET_OWNER_NAME_SIZE - 1);
}

/* Nothing to read, rows of rubbish, more rows than fit. */
static void test_odd(void **state)
{
    (void)state;
    read_again();
    assert_int_equal(sockets.verdict, HOST_ABSENT);
    assert_int_equal(sockets.count, 0);
    host_fixture_write_bytes(&fixture, "/proc/net/tcp",
        "\n\0\n 0: 01:19 0:0 0A\n 0: 0100007F:10019 00000000:0000 0A " TAIL "0 0 1 1\n x", 80);
    read_again();
    assert_int_equal(sockets.count, 0);
    size_t size = (size_t)(NET_SOCKETS_MAX + 1) * 128;
    char *text = calloc(1, size);
    assert_non_null(text);
    size_t len = 0;
    for (int i = 0; i <= NET_SOCKETS_MAX; i++) {
        len += (size_t)snprintf(text + len, size - len,
            " %d: " LOOPBACK ":%04X 00000000:0000 0A " TAIL "0 0 1 1\n", i, (unsigned)i);
    }
    host_fixture_write(&fixture, "/proc/net/tcp", text);
    free(text);
    read_again();
    assert_int_equal(sockets.count, NET_SOCKETS_MAX);
    assert_true(sockets.is_cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_odd, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
