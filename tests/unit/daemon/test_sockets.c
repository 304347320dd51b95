/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/sockets.h"
#include "daemon/trouble.h"

/* struct settings is large; one serves all tests. */
static struct settings settings;

static void settings_listen(const char *address, uint16_t port, uint64_t workers)
{
    assert_true(address_parse(address, strlen(address), port, &settings.listen[0]));
    settings.listen_count = 1;
    settings.workers = workers;
}

static void sockets_open_well(struct sockets *sockets)
{
    struct trouble trouble = {.exit_code = 0};
    /* The port that the kernel chose for UDP may be taken for TCP, by anybody on this host. */
    unsigned tries = 0;
    while (!sockets_open(sockets, &settings, &trouble)) {
        assert_true(++tries < 50);
    }
}

static void test_one_worker(void **state)
{
    (void)state;
    struct sockets sockets;
    settings_listen("127.0.0.1", 0, 1);
    sockets_open_well(&sockets);
    assert_int_equal(sockets.listen_count, 1);
    assert_true(sockets.listen[0].port != 0);
    assert_true(sockets_udp_of(&sockets, 0)[0] >= 0);
    assert_true(sockets_tcp_of(&sockets, 0)[0] >= 0);
    assert_int_equal(sockets_udp_of(&sockets, 0)[1], -1);
    sockets_fini(&sockets);
    sockets_fini(&sockets);
}

static bool is_readable(int fd)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    return poll(&pollfd, 1, 0) == 1;
}

/* One client, one socket: the id alone decides who gets the query. */
static void spread_by_id(const char *address)
{
    enum {
        WORKERS = 3
    };
    struct sockets sockets;
    settings_listen(address, 0, WORKERS);
    sockets_open_well(&sockets);
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(&sockets.listen[0], &sockaddr);
    int client = socket(sockaddr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&sockaddr, len), 0);
    for (unsigned id = 0; id < 5 * WORKERS; id++) {
        const uint8_t query[12] = {(uint8_t)(id >> 8), (uint8_t)id};
        assert_int_equal(send(client, query, sizeof query, 0), sizeof query);
        for (unsigned worker = 0; worker < WORKERS; worker++) {
            uint8_t bytes[32];
            int fd = sockets_udp_of(&sockets, worker)[0];
            assert_int_equal(is_readable(fd), worker == id % WORKERS);
            if (worker == id % WORKERS) {
                assert_int_equal(recv(fd, bytes, sizeof bytes, 0), sizeof query);
            }
        }
    }
    (void)close(client);
    sockets_fini(&sockets);
}

static void test_workers_share_by_id(void **state)
{
    (void)state;
    spread_by_id("127.0.0.1");
    spread_by_id("::1");
    spread_by_id("0.0.0.0");
}

/* With one worker and with several: a port in use is never shared with a stranger. */
static void test_port_in_use(void **state)
{
    (void)state;
    for (uint64_t workers = 1; workers <= 2; workers++) {
        struct sockets first;
        struct sockets second;
        struct trouble trouble = {.exit_code = 0};
        settings_listen("127.0.0.1", 0, workers);
        sockets_open_well(&first);
        settings_listen("127.0.0.1", first.listen[0].port, workers);
        assert_false(sockets_open(&second, &settings, &trouble));
        assert_int_equal(trouble.exit_code, EX_UNAVAILABLE);
        assert_non_null(strstr(trouble.sentence, "127.0.0.1@"));
        assert_non_null(strstr(trouble.sentence, "this very process"));
        assert_null(second.udp);
        sockets_fini(&first);
    }
}

static void test_address_of_nobody(void **state)
{
    (void)state;
    struct sockets sockets;
    struct trouble trouble = {.exit_code = 0};
    settings_listen("192.0.2.1", 0, 1);
    assert_false(sockets_open(&sockets, &settings, &trouble));
    assert_int_equal(trouble.exit_code, EX_CONFIG);
    assert_non_null(strstr(trouble.sentence, "192.0.2.1"));
    settings.listen_count = 0;
    assert_false(sockets_open(&sockets, &settings, &trouble));
    assert_int_equal(trouble.exit_code, EX_CONFIG);
}

static unsigned first_free_port(void)
{
    unsigned port = 1024;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
    if (file != NULL) {
        assert_int_equal(fscanf(file, "%u", &port), 1);
        (void)fclose(file);
    }
    return port;
}

/* In a child, because there is no way back from giving up root. */
static int exit_code_without_rights(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct sockets sockets;
        struct trouble trouble = {.exit_code = EX_OK};
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) {
            _exit(EX_SOFTWARE);
        }
        (void)sockets_open(&sockets, &settings, &trouble);
        _exit(strstr(trouble.sentence, "CAP_NET_BIND_SERVICE") == NULL ? EX_SOFTWARE
                                                                       : trouble.exit_code);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_no_right_to_a_low_port(void **state)
{
    (void)state;
    if (first_free_port() <= 1) {
        skip(); /* This host lets everybody have every port. */
    }
    settings_listen("127.0.0.1", 1, 1);
    assert_int_equal(exit_code_without_rights(), EX_NOPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_worker),
        cmocka_unit_test(test_workers_share_by_id),
        cmocka_unit_test(test_port_in_use),
        cmocka_unit_test(test_address_of_nobody),
        cmocka_unit_test(test_no_right_to_a_low_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
