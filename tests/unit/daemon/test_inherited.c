/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/inherited.h"
#include "daemon/notify.h"

/* The sockets of a test stand where the manager's would: from descriptor 3 on. */
#define FD_FIRST 3

static struct inherited inherited;
static struct notify nobody = {.fd = -1};

static int fds_clear(void **state)
{
    (void)state;
    return close_range(FD_FIRST, FD_FIRST + 64, 0);
}

static struct address address_of(const char *text)
{
    struct address address;
    assert_true(address_parse(text, strlen(text), 0, &address));
    return address;
}

/* Bound to a port of the kernel's choice, which is filled in. */
static int socket_make(const char *host, int type, struct address *address_out)
{
    struct sockaddr_storage sockaddr;
    struct address address = address_of(host);
    socklen_t len = address_to_sockaddr(&address, &sockaddr);
    int fd = socket(sockaddr.ss_family, type, 0);
    int on = 1;
    assert_true(fd >= FD_FIRST);
    if (address.family == ADDRESS_IPV6) {
        assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), 0);
    }
    assert_int_equal(bind(fd, (const struct sockaddr *)&sockaddr, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sockaddr, &len), 0);
    *address_out = address_from_sockaddr((const struct sockaddr *)&sockaddr);
    return fd;
}

static void environment_set(long pid, unsigned count, const char *names)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%ld", pid);
    assert_int_equal(setenv("LISTEN_PID", text, 1), 0);
    (void)snprintf(text, sizeof text, "%u", count);
    assert_int_equal(setenv("LISTEN_FDS", text, 1), 0);
    if (names == NULL) {
        assert_int_equal(unsetenv("LISTEN_FDNAMES"), 0);
    } else {
        assert_int_equal(setenv("LISTEN_FDNAMES", names, 1), 0);
    }
}

static void name_of(const struct address *address, bool is_stream, unsigned index, char *name_out)
{
    struct inherited_socket socket = {.address = *address, .is_stream = is_stream, .index = index};
    inherited_name(&socket, name_out);
}

static void test_names(void **state)
{
    (void)state;
    char name[INHERITED_NAME_SIZE];
    struct address address = address_of("127.0.0.1@53");
    name_of(&address, false, 0, name);
    assert_string_equal(name, "udp-0-127.0.0.1@53");
    address = address_of("::1@5353");
    name_of(&address, true, 12, name);
    assert_string_equal(name, "tcp-12-__1@5353");
}

static void test_taken_in_order(void **state)
{
    (void)state;
    struct address address;
    char names[2][INHERITED_NAME_SIZE];
    char both[2 * INHERITED_NAME_SIZE];
    int first = socket_make("127.0.0.1", SOCK_DGRAM, &address);
    int second = socket(AF_INET, SOCK_DGRAM, 0);
    int on = 1;
    assert_int_equal(setsockopt(first, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(&address, &sockaddr);
    assert_int_equal(setsockopt(second, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
    assert_int_equal(bind(second, (const struct sockaddr *)&sockaddr, len), 0);
    name_of(&address, false, 1, names[0]);
    name_of(&address, false, 0, names[1]);
    (void)snprintf(both, sizeof both, "%s:%s", names[0], names[1]);
    environment_set(getpid(), 2, both);
    assert_true(inherited_init(&inherited, &nobody));
    assert_int_equal(inherited.count, 2);
    assert_null(getenv("LISTEN_FDS"));
    assert_null(getenv("LISTEN_PID"));
    assert_null(getenv("LISTEN_FDNAMES"));
    struct inherited_socket *found = inherited_find(&inherited, &address, false);
    assert_non_null(found);
    assert_int_equal(found->fd, second);
    assert_int_equal(found->index, 0);
    assert_true(found->is_stored);
    assert_true((fcntl(second, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(second, F_GETFL) & O_NONBLOCK) != 0);
    found->fd = -1;
    found = inherited_find(&inherited, &address, false);
    assert_int_equal(found->fd, first);
    found->fd = -1;
    assert_null(inherited_find(&inherited, &address, false));
    inherited_fini(&inherited);
    assert_true(fcntl(first, F_GETFD) >= 0);
    assert_true(fcntl(second, F_GETFD) >= 0);
}

static void test_of_a_socket_unit(void **state)
{
    (void)state;
    struct address udp;
    struct address tcp;
    (void)socket_make("::1", SOCK_DGRAM, &udp);
    int stream = socket_make("127.0.0.1", SOCK_STREAM, &tcp);
    assert_int_equal(listen(stream, 1), 0);
    environment_set(getpid(), 2, NULL);
    assert_true(inherited_init(&inherited, &nobody));
    assert_int_equal(inherited.count, 2);
    assert_non_null(inherited_find(&inherited, &udp, false));
    assert_false(inherited_find(&inherited, &udp, false)->is_stored);
    assert_null(inherited_find(&inherited, &udp, true));
    assert_non_null(inherited_find(&inherited, &tcp, true));
    inherited_fini(&inherited);
    /* Nobody wanted them. */
    assert_int_equal(fcntl(stream, F_GETFD), -1);
}

static void test_for_somebody_else(void **state)
{
    (void)state;
    struct address address;
    int fd = socket_make("127.0.0.1", SOCK_DGRAM, &address);
    environment_set((long)getpid() + 1, 1, NULL);
    assert_true(inherited_init(&inherited, &nobody));
    assert_int_equal(inherited.count, 0);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    assert_null(getenv("LISTEN_FDS"));
    inherited_fini(&inherited);
    assert_int_equal(setenv("LISTEN_FDS", "many", 1), 0);
    assert_true(inherited_init(&inherited, &nobody));
    assert_int_equal(inherited.count, 0);
    inherited_fini(&inherited);
}

/* Each comes alone as descriptor 3, and is closed. */
static void stranger_is_closed(int fd, const char *name)
{
    assert_int_equal(fd, FD_FIRST);
    environment_set(getpid(), 1, name);
    assert_true(inherited_init(&inherited, &nobody));
    assert_int_equal(inherited.count, 0);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    inherited_fini(&inherited);
}

static int socket_connected(void)
{
    struct address address;
    struct sockaddr_storage sockaddr;
    int fd = socket_make("127.0.0.1", SOCK_DGRAM, &address);
    socklen_t len = address_to_sockaddr(&address, &sockaddr);
    assert_int_equal(connect(fd, (const struct sockaddr *)&sockaddr, len), 0);
    return fd;
}

static int socket_of_both_families(void)
{
    struct sockaddr_in6 sockaddr = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any};
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    int off = 0;
    assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&sockaddr, sizeof sockaddr), 0);
    return fd;
}

static void test_strangers(void **state)
{
    (void)state;
    struct address address;
    char name[INHERITED_NAME_SIZE];
    stranger_is_closed(open("/dev/null", O_RDONLY), "stored");
    stranger_is_closed(socket(AF_UNIX, SOCK_DGRAM, 0), NULL);
    stranger_is_closed(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), NULL);
    stranger_is_closed(socket(AF_INET, SOCK_DGRAM, 0), NULL);
    stranger_is_closed(socket_make("127.0.0.1", SOCK_STREAM, &address), NULL);
    stranger_is_closed(socket_connected(), NULL);
    stranger_is_closed(socket_of_both_families(), NULL);

    int fd = socket_make("127.0.0.1", SOCK_DGRAM, &address);
    name_of(&address, true, 0, name);
    stranger_is_closed(fd, name);
    fd = socket_make("127.0.0.1", SOCK_DGRAM, &address);
    address.port++;
    name_of(&address, false, 0, name);
    stranger_is_closed(fd, name);
    fd = socket_make("127.0.0.1", SOCK_DGRAM, &address);
    stranger_is_closed(fd, "udp-0-127.0.0.1@53");
}

/* One socket by two ways would be read by two workers, each believing that it has its own. */
static void test_twice_the_same(void **state)
{
    (void)state;
    struct address address;
    int fd = socket_make("127.0.0.1", SOCK_DGRAM, &address);
    int again = dup(fd);
    environment_set(getpid(), 2, "mxcache.socket:mxcache.socket");
    assert_true(inherited_init(&inherited, &nobody));
    assert_int_equal(inherited.count, 1);
    assert_int_equal(fcntl(again, F_GETFD), -1);
    inherited_fini(&inherited);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test_setup(test_taken_in_order, fds_clear),
        cmocka_unit_test_setup(test_of_a_socket_unit, fds_clear),
        cmocka_unit_test_setup(test_for_somebody_else, fds_clear),
        cmocka_unit_test_setup(test_strangers, fds_clear),
        cmocka_unit_test_setup(test_twice_the_same, fds_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
