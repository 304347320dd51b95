/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/opening.h"
#include "daemon/trouble.h"

static struct opening opening_of(const char *address, uint16_t port, bool is_stream)
{
    struct opening opening = {.is_stream = is_stream};
    assert_true(address_parse(address, strlen(address), port, &opening.address));
    return opening;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in bound;
    socklen_t len = sizeof bound;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &len), 0);
    return ntohs(bound.sin_port);
}

static int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
    assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
    return value;
}

/* What the listeners rely on: it never blocks, is nobody else's after exec, and of its kind. */
static void test_open(void **state)
{
    (void)state;
    for (int is_stream = 0; is_stream < 2; is_stream++) {
        struct opening opening = opening_of("127.0.0.1", 0, is_stream == 1);
        int fd = -1;
        assert_true(opening_open(&opening, &fd));
        assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        assert_int_equal(
            option_of(fd, SOL_SOCKET, SO_TYPE), is_stream == 1 ? SOCK_STREAM : SOCK_DGRAM);
        assert_int_equal(option_of(fd, SOL_SOCKET, SO_ACCEPTCONN), is_stream);
        assert_true(port_of(fd) != 0);
        assert_int_equal(close(fd), 0);
    }
}

/* Only a wildcard must learn which address was asked. */
static void test_packet_info(void **state)
{
    static const struct {
        const char *address;
        int value;
    } cases[] = {{"127.0.0.1", 0}, {"0.0.0.0", 1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct opening opening = opening_of(cases[i].address, 0, false);
        int fd = -1;
        assert_true(opening_open(&opening, &fd));
        assert_int_equal(option_of(fd, IPPROTO_IP, IP_PKTINFO), cases[i].value);
        assert_int_equal(close(fd), 0);
    }
}

/* Taken by somebody who does not share: not free, and cannot be had. Shared: it is had again, but
 * is seen not to be free. */
static void test_taken(void **state)
{
    (void)state;
    for (int is_shared = 0; is_shared < 2; is_shared++) {
        struct opening opening = opening_of("127.0.0.1", 0, false);
        int fd = -1;
        int other = -1;
        opening.is_shared = is_shared == 1;
        assert_true(opening_is_free(&opening)); /* Any port. */
        assert_true(opening_open(&opening, &fd));
        opening.address.port = port_of(fd);
        opening.is_shared = true;
        assert_false(opening_is_free(&opening));
        assert_int_equal(opening.error, EADDRINUSE);
        assert_true(opening.is_shared);
        assert_true(opening_open(&opening, &other) == (is_shared == 1));
        if (other >= 0) {
            assert_int_equal(close(other), 0);
        }
        assert_int_equal(close(fd), 0);
        assert_true(opening_is_free(&opening));
        assert_true(opening_is_free(&opening)); /* Trying it has left nothing behind. */
    }
}

/* What cannot be had costs no descriptor. */
static void test_failure_leaves_nothing(void **state)
{
    struct opening opening = opening_of("127.0.0.1", 0, false);
    int taken = -1;
    int fd = -1;
    (void)state;
    assert_true(opening_open(&opening, &taken));
    opening.address.port = port_of(taken);
    int lowest = dup(STDERR_FILENO);
    assert_int_equal(close(lowest), 0);
    assert_false(opening_open(&opening, &fd));
    assert_int_equal(opening.error, EADDRINUSE);
    int after = dup(STDERR_FILENO);
    assert_int_equal(after, lowest);
    assert_int_equal(close(after), 0);
    assert_int_equal(close(taken), 0);
}

/* An address that may come is taken before it is there, and said to be; one that is there is not.
 */
static void test_early(void **state)
{
    static const struct {
        const char *address;
        bool is_early;
    } cases[] = {
        {"127.0.0.1", false},
        {"0.0.0.0", false},
        {"::1", false},
        {"192.0.2.1", true}, /* Nobody's. */
        {"2001:db8::1", true},
    };
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
        struct opening opening = opening_of(cases[i / 2].address, 0, i % 2 == 1);
        int fd = -1;
        assert_true(opening_open(&opening, &fd));
        assert_true(opening.is_early == cases[i / 2].is_early);
        assert_true(port_of(fd) != 0);
        assert_int_equal(close(fd), 0);
    }
}

static void test_adopt(void **state)
{
    struct opening opening = opening_of("127.0.0.1", 0, false);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)state;
    assert_true(fd >= 0);
    opening.is_shared = true;
    assert_true(opening_adopt(&opening, fd));
    assert_int_equal(opening.error, 0);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_REUSEPORT), 1);
    assert_int_equal(close(fd), 0);
    assert_false(opening_adopt(&opening, fd));
    assert_int_equal(opening.error, EBADF);
}

struct explain_case {
    int error;
    bool is_stream;
    int exit_code;
    const char *words[2];
};

static void test_explain(void **state)
{
    static const struct explain_case cases[] = {
        {EADDRINUSE, false, EX_UNAVAILABLE, {"127.0.0.1@1 (UDP)", "is in use by"}},
        {EACCES, true, EX_NOPERM, {"127.0.0.1@1 (TCP)", "CAP_NET_BIND_SERVICE"}},
        {EPERM, false, EX_NOPERM, {"127.0.0.1@1 (UDP)", "CAP_NET_BIND_SERVICE"}},
        {EADDRNOTAVAIL, false, EX_CONFIG, {"has no such address", "`listen`"}},
        {EAFNOSUPPORT, false, EX_CONFIG, {"has no such address", "`listen`"}},
        {EMFILE, true, EX_OSERR, {"127.0.0.1@1 (TCP)", "Too many open files"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct opening opening = opening_of("127.0.0.1", 1, cases[i].is_stream);
        struct trouble trouble = {.exit_code = 0};
        opening.error = cases[i].error;
        opening_explain(&opening, &trouble);
        assert_int_equal(trouble.exit_code, cases[i].exit_code);
        assert_non_null(strstr(trouble.sentence, cases[i].words[0]));
        assert_non_null(strstr(trouble.sentence, cases[i].words[1]));
    }
}

/* A host without IPv6 has no ::1, and nobody misses it; everything else is told. */
static void test_excusable(void **state)
{
    static const struct {
        const char *address;
        int error;
        bool is_excusable;
    } cases[] = {
        {"::1", EADDRNOTAVAIL, true},
        {"::1", EAFNOSUPPORT, true},
        {"::1", EADDRINUSE, false},
        {"::1", EACCES, false},
        {"2001:db8::1", EADDRNOTAVAIL, false},
        {"::", EAFNOSUPPORT, false},
        {"127.0.0.1", EADDRNOTAVAIL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct opening opening = opening_of(cases[i].address, 53, false);
        opening.error = cases[i].error;
        assert_true(opening_is_excusable(&opening) == cases[i].is_excusable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_packet_info),
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_failure_leaves_nothing),
        cmocka_unit_test(test_early),
        cmocka_unit_test(test_adopt),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_excusable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
