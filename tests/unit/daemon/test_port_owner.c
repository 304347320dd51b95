/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/address.h"
#include "daemon/port_owner.h"

static int socket_open(const char *host, bool is_stream, struct address *address_out)
{
    struct sockaddr_storage sockaddr;
    assert_true(address_parse(host, strlen(host), 0, address_out));
    socklen_t len = address_to_sockaddr(address_out, &sockaddr);
    int fd = socket(sockaddr.ss_family, (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&sockaddr, len), 0);
    assert_true(!is_stream || listen(fd, 1) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sockaddr, &len), 0);
    *address_out = address_from_sockaddr((const struct sockaddr *)&sockaddr);
    return fd;
}

/* A child, with a name to be made printable, keeps the socket; the parent has closed its own. */
static void describe_child(const char *host, bool is_stream)
{
    struct address address;
    char text[PORT_OWNER_TEXT_SIZE];
    char expected[PORT_OWNER_TEXT_SIZE];
    int ready[2];
    char byte;
    int fd = socket_open(host, is_stream, &address);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_NAME, "name\033server");
        (void)!write(ready[1], "x", 1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(fd);
    port_owner_describe(&address, is_stream, text, sizeof text);
    (void)snprintf(expected, sizeof expected, "`name?server` (process %ld)", (long)pid);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_string_equal(text, expected);

    port_owner_describe(&address, is_stream, text, sizeof text);
    assert_non_null(strstr(text, "another process"));
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void test_other_process(void **state)
{
    (void)state;
    describe_child("127.0.0.1", false);
    describe_child("127.0.0.1", true);
    describe_child("::1", false);
    describe_child("::1", true);
    describe_child("0.0.0.0", true);
}

/* A wildcard, also a dual-stack one, is in the way of every address. */
static void test_wildcards(void **state)
{
    (void)state;
    static const char *const hosts[] = {"0.0.0.0", "::"};
    for (size_t i = 0; i < 2; i++) {
        struct address address;
        struct address wanted;
        char text[PORT_OWNER_TEXT_SIZE];
        int fd = socket_open(hosts[i], false, &address);
        assert_true(address_parse("127.0.0.9", 9, address.port, &wanted));
        port_owner_describe(&wanted, false, text, sizeof text);
        assert_non_null(strstr(text, "this very process"));
        port_owner_describe(&wanted, true, text, sizeof text);
        assert_null(strstr(text, "this very process"));
        (void)close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_process),
        cmocka_unit_test(test_wildcards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
