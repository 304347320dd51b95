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

#include "daemon/inherited.h"
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
    while (!sockets_open(sockets, &settings, NULL, &trouble)) {
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
    assert_int_equal(sockets_of(&sockets, 0)->udp_count, 1);
    assert_int_equal(sockets_of(&sockets, 0)->tcp_count, 1);
    assert_true(sockets_of(&sockets, 0)->udp[0] >= 0);
    assert_true(sockets_of(&sockets, 0)->tcp[0] >= 0);
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
            int fd = sockets_of(&sockets, worker)->udp[0];
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
        assert_false(sockets_open(&second, &settings, NULL, &trouble));
        assert_int_equal(trouble.exit_code, EX_UNAVAILABLE);
        assert_non_null(strstr(trouble.sentence, "127.0.0.1@"));
        assert_non_null(strstr(trouble.sentence, "this very process"));
        assert_null(second.all);
        sockets_fini(&first);
    }
}

static void test_address_of_nobody(void **state)
{
    (void)state;
    struct sockets sockets;
    struct trouble trouble = {.exit_code = 0};
    settings_listen("192.0.2.1", 0, 1);
    assert_false(sockets_open(&sockets, &settings, NULL, &trouble));
    assert_int_equal(trouble.exit_code, EX_CONFIG);
    assert_non_null(strstr(trouble.sentence, "192.0.2.1"));
    assert_null(sockets.all);
    settings.listen_count = 0;
    assert_false(sockets_open(&sockets, &settings, NULL, &trouble));
    assert_int_equal(trouble.exit_code, EX_CONFIG);
}

/* Where somebody can ask, what comes late holds nobody up: sockets wait for it. */
static void test_address_that_comes_late(void **state)
{
    (void)state;
    static const char *const late[] = {"192.0.2.1", "2001:db8::1"};
    for (uint64_t workers = 1; workers <= 2; workers++) {
        struct sockets sockets;
        settings_listen("127.0.0.1", 0, workers);
        for (size_t i = 0; i < 2; i++) {
            assert_true(address_parse(late[i], strlen(late[i]), 0, &settings.listen[1 + i]));
        }
        settings.listen_count = 3;
        sockets_open_well(&sockets);
        assert_int_equal(sockets.listen_count, 3);
        assert_int_equal(sockets.present_count, 1);
        assert_int_equal(sockets_of(&sockets, 0)->udp_count, 3);
        assert_int_equal(sockets_of(&sockets, 0)->tcp_count, 3);
        sockets_fini(&sockets);
    }
}

/* The sockets of `before` as a manager would hand them on. */
static void inherited_from(struct inherited *inherited, const struct sockets *before)
{
    *inherited = (struct inherited){.count = before->count};
    inherited->sockets = calloc(before->count, sizeof *inherited->sockets);
    assert_non_null(inherited->sockets);
    for (size_t i = 0; i < before->count; i++) {
        inherited->sockets[i] = before->all[i];
        inherited->sockets[i].fd = dup(before->all[i].fd);
        inherited->sockets[i].is_new = false;
        inherited->sockets[i].is_stored = true;
    }
}

static int client_connect(const struct address *address, int type)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(address, &sockaddr);
    int client = socket(sockaddr.ss_family, type | SOCK_CLOEXEC, 0);
    assert_true(client >= 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&sockaddr, len), 0);
    return client;
}

static void client_ask(int client, unsigned count)
{
    for (unsigned id = 0; id < count; id++) {
        const uint8_t query[12] = {(uint8_t)(id >> 8), (uint8_t)id};
        assert_int_equal(send(client, query, sizeof query, 0), sizeof query);
    }
}

static unsigned worker_read_all(const struct worker_sockets *worker)
{
    unsigned count = 0;
    for (size_t i = 0; i < worker->udp_count; i++) {
        uint8_t bytes[32];
        while (recv(worker->udp[i], bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
            count++;
        }
    }
    return count;
}

/* Questions that came before the change, and such that come after it: none is lost, and those that
 * come after it are spread over the workers there are now. */
static void change_workers(uint64_t workers_before, uint64_t workers_after)
{
    enum {
        QUESTIONS = 24
    };
    struct sockets before;
    struct sockets after;
    struct inherited inherited;
    struct trouble trouble = {.exit_code = 0};
    settings_listen("127.0.0.1", 0, workers_before);
    sockets_open_well(&before);
    int client = client_connect(&before.listen[0], SOCK_DGRAM);
    int stream = client_connect(&before.listen[0], SOCK_STREAM);
    client_ask(client, QUESTIONS);
    inherited_from(&inherited, &before);
    settings_listen("127.0.0.1", before.listen[0].port, workers_after);
    sockets_fini(&before);
    assert_true(sockets_open(&after, &settings, &inherited, &trouble));
    size_t most = (size_t)(workers_before > workers_after ? workers_before : workers_after);
    assert_int_equal(after.count, 2 * most);
    assert_int_equal(after.taken_count, 2 * workers_before);
    inherited_fini(&inherited);

    unsigned waiting = 0;
    unsigned accepted = 0;
    for (size_t worker = 0; worker < workers_after; worker++) {
        const struct worker_sockets *read = sockets_of(&after, worker);
        waiting += worker_read_all(read);
        for (size_t i = 0; i < read->tcp_count; i++) {
            int fd = accept(read->tcp[i], NULL, NULL);
            if (fd >= 0) {
                accepted++;
                (void)close(fd);
            }
        }
    }
    assert_int_equal(waiting, QUESTIONS);
    assert_int_equal(accepted, 1);
    client_ask(client, QUESTIONS);
    for (size_t worker = 0; worker < workers_after; worker++) {
        assert_int_equal(worker_read_all(sockets_of(&after, worker)), QUESTIONS / workers_after);
    }
    (void)close(client);
    (void)close(stream);
    sockets_fini(&after);
}

static void test_taken_over(void **state)
{
    (void)state;
    for (uint64_t before = 1; before <= 4; before++) {
        for (uint64_t after = 1; after <= 4; after++) {
            change_workers(before, after);
        }
    }
}

/* As with a socket unit's, that belong to root: nothing can be opened beside them. */
static void test_what_cannot_be_joined_is_shared(void **state)
{
    (void)state;
    struct sockets before;
    struct sockets after;
    struct inherited inherited;
    struct trouble trouble = {.exit_code = 0};
    if (geteuid() != 0) {
        skip();
    }
    settings_listen("127.0.0.1", 0, 1);
    sockets_open_well(&before);
    inherited_from(&inherited, &before);
    settings_listen("127.0.0.1", before.listen[0].port, 3);
    assert_int_equal(seteuid(65534), 0);
    bool is_open = sockets_open(&after, &settings, &inherited, &trouble);
    assert_int_equal(seteuid(0), 0);
    assert_true(is_open);
    assert_int_equal(after.count, 2);
    for (size_t worker = 0; worker < 3; worker++) {
        assert_int_equal(sockets_of(&after, worker)->udp_count, 1);
        assert_int_equal(sockets_of(&after, worker)->udp[0], after.all[0].fd);
        assert_int_equal(sockets_of(&after, worker)->tcp[0], after.all[1].fd);
    }
    inherited_fini(&inherited);
    sockets_fini(&before);
    sockets_fini(&after);
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
        (void)sockets_open(&sockets, &settings, NULL, &trouble);
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
        cmocka_unit_test(test_address_that_comes_late),
        cmocka_unit_test(test_taken_over),
        cmocka_unit_test(test_what_cannot_be_joined_is_shared),
        cmocka_unit_test(test_no_right_to_a_low_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
