/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>
#include <ev.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/control.h"
#include "daemon/identity.h"
#include "daemon/stats.h"
#include "daemon/trouble.h"

#define LIMIT_US (INT64_C(10) * CLOCK_US_PER_S)
#define LONG_LEN 1000000

static char folder[64];
static char path[96];
static struct daemon_stats stats;
static struct identity nobody_else;
static int held_up_fd = -1; /* Of a client who speaks while `stall` is worked on. */

static void client_send(int fd, const char *line)
{
    assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), strlen(line));
}

/* Says the line back; `long` gives a long answer, `longer` one that does not fit. */
static void echo(
    void *world, const struct control_peer *peer, const char *line, size_t len, struct text *answer)
{
    (void)world;
    assert_int_equal(peer->uid, geteuid());
    assert_true(peer->may_write);
    if (len == 5 && memcmp(line, "stall", 5) == 0) {
        client_send(held_up_fd, "patient\n");
        (void)sleep(CONTROL_IDLE_S + 1);
    }
    size_t bytes = len >= 4 && memcmp(line, "long", 4) == 0 ? LONG_LEN : 0;
    bytes = len == 6 && bytes > 0 ? CONTROL_ANSWER_MAX : bytes;
    text_add(answer, "ok\n");
    text_add_bytes(answer, line, len);
    for (size_t i = 0; i < bytes; i++) {
        text_add_bytes(answer, "x", 1);
    }
    text_add(answer, "\n");
}

static struct control *control_open(struct ev_loop *loop, struct trouble *trouble)
{
    nobody_else.uid = geteuid();
    nobody_else.gid = getegid();
    return control_new(
        &(struct control_options){
            .loop = loop,
            .path = path,
            .identity = &nobody_else,
            .stats = &stats,
            .handler = echo,
        },
        trouble);
}

static int client_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Runs the loop until so many bytes have come, or the end. Returns how many. */
static size_t client_read(struct ev_loop *loop, int fd, char *bytes, size_t least, size_t size)
{
    int64_t until = clock_now() + LIMIT_US;
    size_t len = 0;
    while (len < least) {
        assert_true(clock_now() < until);
        (void)ev_run(loop, EVRUN_NOWAIT);
        ssize_t got = recv(fd, bytes + len, size - 1 - len, 0);
        if (got == 0) {
            break;
        }
        len += got > 0 ? (size_t)got : 0;
    }
    bytes[len] = '\0';
    return len;
}

static void client_expect(struct ev_loop *loop, int fd, const char *expected)
{
    char bytes[4096];
    (void)client_read(loop, fd, bytes, strlen(expected), sizeof bytes);
    assert_string_equal(bytes, expected);
}

static bool client_is_closed(struct ev_loop *loop, int fd)
{
    char bytes[16];
    return client_read(loop, fd, bytes, 1, sizeof bytes) == 0;
}

struct bench {
    struct ev_loop *loop;
    struct control *control;
};

static int bench_open(void **state)
{
    static struct bench bench;
    struct trouble trouble = {.exit_code = 0};
    (void)snprintf(path, sizeof path, "%s/control.sock", folder);
    bench.loop = ev_loop_new(EVFLAG_AUTO);
    bench.control = control_open(bench.loop, &trouble);
    *state = &bench;
    return bench.control == NULL ? -1 : 0;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;
    control_free(&bench->control);
    ev_loop_destroy(bench->loop);
    return access(path, F_OK) == 0 ? -1 : 0;
}

static void test_requests(void **state)
{
    struct bench *bench = *state;
    int fd = client_connect();
    client_send(fd, "one\n");
    client_expect(bench->loop, fd, "ok\none\n.\n");
    client_send(fd, "two\nthree\nfo");
    client_expect(bench->loop, fd, "ok\ntwo\n.\nok\nthree\n.\n");
    client_send(fd, "ur\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    client_expect(bench->loop, fd, "ok\nfour\n.\n");
    assert_true(client_is_closed(bench->loop, fd));
    (void)close(fd);
}

static void test_mode(void **state)
{
    (void)state;
    struct stat stat_now;
    assert_int_equal(stat(path, &stat_now), 0);
    assert_true(S_ISSOCK(stat_now.st_mode));
    assert_int_equal(stat_now.st_mode & 07777, 0660);
}

static void test_line_too_long(void **state)
{
    struct bench *bench = *state;
    char line[CONTROL_LINE_MAX + 1];
    memset(line, 'a', sizeof line);
    line[CONTROL_LINE_MAX] = '\0';
    int fd = client_connect();
    client_send(fd, line);
    client_expect(bench->loop, fd, "error the line is too long\n.\n");
    assert_true(client_is_closed(bench->loop, fd));
    (void)close(fd);
}

/* The client reads slowly: the rest waits, and the next request waits behind it. */
static void test_long_answers(void **state)
{
    struct bench *bench = *state;
    char *bytes = malloc(2 * LONG_LEN);
    assert_non_null(bytes);
    int fd = client_connect();
    client_send(fd, "long\nlonger\nshort\n");
    size_t len = strlen("ok\nlong\n.\n") + LONG_LEN;
    assert_int_equal(client_read(bench->loop, fd, bytes, len, len + 1), len);
    assert_string_equal(bytes + len - 4, "x\n.\n");
    client_expect(bench->loop, fd, "error the answer is too long\n.\nok\nshort\n.\n");
    (void)close(fd);
    free(bytes);
}

static void test_too_many_clients(void **state)
{
    struct bench *bench = *state;
    int fds[CONTROL_CLIENTS_MAX + 1];
    uint64_t refused = counter_read(&stats.control_refused);
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        fds[i] = client_connect();
        client_send(fds[i], "hello\n");
        client_expect(bench->loop, fds[i], "ok\nhello\n.\n");
    }
    fds[CONTROL_CLIENTS_MAX] = client_connect();
    assert_true(client_is_closed(bench->loop, fds[CONTROL_CLIENTS_MAX]));
    assert_int_equal(counter_read(&stats.control_refused), refused + 1);
    /* One goes, and there is room again. */
    (void)close(fds[0]);
    (void)ev_run(bench->loop, EVRUN_NOWAIT);
    fds[0] = client_connect();
    client_send(fds[0], "again\n");
    client_expect(bench->loop, fds[0], "ok\nagain\n.\n");
    for (size_t i = 0; i <= CONTROL_CLIENTS_MAX; i++) {
        (void)close(fds[i]);
    }
    (void)ev_run(bench->loop, EVRUN_NOWAIT);
}

static void test_living_daemon_is_left_alone(void **state)
{
    struct bench *bench = *state;
    struct trouble trouble = {.exit_code = 0};
    assert_null(control_open(bench->loop, &trouble));
    assert_int_equal(trouble.exit_code, EX_UNAVAILABLE);
    int fd = client_connect();
    client_send(fd, "still here\n");
    client_expect(bench->loop, fd, "ok\nstill here\n.\n");
    (void)close(fd);
    (void)ev_run(bench->loop, EVRUN_NOWAIT);
}

/* A socket whose daemon has ended without removing it. */
static void test_dead_socket_is_replaced(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct trouble trouble = {.exit_code = 0};
    (void)snprintf(path, sizeof path, "%s/dead.sock", folder);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct control *control = control_open(loop, &trouble);
    assert_non_null(control);
    int client = client_connect();
    client_send(client, "new\n");
    client_expect(loop, client, "ok\nnew\n.\n");
    (void)close(client);
    control_free(&control);
    assert_true(access(path, F_OK) != 0);
    ev_loop_destroy(loop);
}

static void expect_trouble(const char *where, int exit_code)
{
    struct trouble trouble = {.exit_code = 0};
    (void)snprintf(path, sizeof path, "%s", where);
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    assert_null(control_open(loop, &trouble));
    assert_int_equal(trouble.exit_code, exit_code);
    assert_true(strlen(trouble.sentence) > 20);
    ev_loop_destroy(loop);
}

static void test_trouble(void **state)
{
    (void)state;
    char file[sizeof folder + 16];
    (void)snprintf(file, sizeof file, "%s/file", folder);
    FILE *stream = fopen(file, "we");
    assert_non_null(stream);
    (void)fclose(stream);
    expect_trouble(file, EX_CANTCREAT);
    assert_int_equal(unlink(file), 0);
    expect_trouble("/nonexistent-folder/deeper/control.sock", EX_CANTCREAT);
}

static void test_missing_folder_is_made(void **state)
{
    (void)state;
    struct trouble trouble = {.exit_code = 0};
    char made[sizeof folder + 16];
    (void)snprintf(made, sizeof made, "%s/made", folder);
    (void)snprintf(path, sizeof path, "%s/c.sock", made);
    struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
    struct control *control = control_open(loop, &trouble);
    assert_non_null(control);
    control_free(&control);
    ev_loop_destroy(loop);
    assert_int_equal(rmdir(made), 0);
}

static int folder_make(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/mxcache-test-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int folder_remove(void **state)
{
    (void)state;
    return rmdir(folder);
}

/* Nobody is taken for idle because the loop was busy. */
static void test_being_held_up_is_not_idleness(void **state)
{
    struct bench *bench = *state;
    int fd = client_connect();
    held_up_fd = client_connect();
    client_send(held_up_fd, "hello\n");
    client_expect(bench->loop, held_up_fd, "ok\nhello\n.\n");
    client_send(fd, "stall\n");
    client_expect(bench->loop, fd, "ok\nstall\n.\n");
    client_expect(bench->loop, held_up_fd, "ok\npatient\n.\n");
    client_send(fd, "on\n");
    client_expect(bench->loop, fd, "ok\non\n.\n");
    (void)close(fd);
    (void)close(held_up_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_requests, bench_open, bench_close),
        cmocka_unit_test_setup_teardown(test_mode, bench_open, bench_close),
        cmocka_unit_test_setup_teardown(test_line_too_long, bench_open, bench_close),
        cmocka_unit_test_setup_teardown(test_long_answers, bench_open, bench_close),
        cmocka_unit_test_setup_teardown(test_too_many_clients, bench_open, bench_close),
        cmocka_unit_test_setup_teardown(test_living_daemon_is_left_alone, bench_open, bench_close),
        cmocka_unit_test_setup_teardown(
            test_being_held_up_is_not_idleness, bench_open, bench_close),
        cmocka_unit_test(test_dead_socket_is_replaced),
        cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_missing_folder_is_made),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
