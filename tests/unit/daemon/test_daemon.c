/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/clock.h"
#include "conf/parse.h"
#include "conf/settings.h"
#include "daemon/daemon.h"

#define LIMIT_MS 15000

/* The daemon whole, in a child process, seen through its control socket, the service manager's
 * socket and its exit code. */
static char folder[64];
static char file[96];
static char socket_path[96];
static char notify_path[96];
static char upstreams_path[96];
static char log_path[96];
static char moved_path[96];
static int manager = -1;
static struct settings settings;

static void path_write(const char *path, const char *content)
{
    FILE *stream = fopen(path, "we");
    assert_non_null(stream);
    assert_true(fputs(content, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

static void file_write(const char *content)
{
    path_write(file, content);
}

static _Noreturn void daemon_child(const struct settings_source *source)
{
    (void)setenv("NOTIFY_SOCKET", notify_path, 1);
    (void)setenv("WATCHDOG_USEC", "150000", 1);
    (void)alarm(60);
    const struct daemon_options options = {
        .source = source, .settings = &settings, .version = "1.2.3"};
    exit(daemon_run(&options));
}

/* Port 0 is the kernel's choice; no configuration file can say that. It is free for UDP, and for
 * TCP too: other tests leave ports of 127.0.0.1 behind, in TIME-WAIT, but none at an address of
 * ours. */
static struct address own_address(void)
{
    struct address address = {.family = ADDRESS_IPV4, .bytes = {127, 1}};
    address.bytes[2] = (uint8_t)(getpid() >> 8);
    address.bytes[3] = (uint8_t)getpid() | 1;
    return address;
}

/* `now` is what the file of the upstreams says when the daemon begins. */
static pid_t daemon_start_from(const char *content, const char *now, uint64_t workers)
{
    struct findings *findings = calloc(1, sizeof *findings);
    char control[128];
    (void)snprintf(control, sizeof control, "control_socket=%s", socket_path);
    const char *overrides[] = {control, "user=", "log_level=error", "snapshot_file="};
    const struct settings_source source = {
        .file = file, .overrides = overrides, .override_count = 4};
    file_write(content);
    assert_non_null(findings);
    assert_true(settings_load(&source, &settings, findings));
    path_write(upstreams_path, now);
    free(findings);
    settings.listen_count = 1;
    settings.listen[0] = own_address();
    settings.workers = workers;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        daemon_child(&source);
    }
    return pid;
}

static pid_t daemon_start(uint64_t workers)
{
    return daemon_start_from("upstreams = 192.0.2.1\n", "", workers);
}

static void manager_expect_news(const char *beginning, const char *part)
{
    char bytes[1024] = "";
    int64_t until = clock_now() + LIMIT_MS * CLOCK_US_PER_MS;
    struct pollfd pollfd = {.fd = manager, .events = POLLIN};
    while (strncmp(bytes, beginning, strlen(beginning)) != 0 || strstr(bytes, part) == NULL) {
        assert_true(clock_now() < until);
        assert_int_equal(poll(&pollfd, 1, LIMIT_MS), 1);
        ssize_t len = recv(manager, bytes, sizeof bytes - 1, 0);
        assert_true(len >= 0);
        bytes[len] = '\0';
    }
}

static void manager_expect(const char *beginning)
{
    manager_expect_news(beginning, "");
}

static void control_expect(const char *line, const char *beginning)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char bytes[65536];
    size_t len = 0;
    ssize_t got;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, line, strlen(line), 0), strlen(line));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    while ((got = recv(fd, bytes + len, sizeof bytes - 1 - len, 0)) > 0) {
        len += (size_t)got;
    }
    bytes[len] = '\0';
    (void)close(fd);
    assert_memory_equal(bytes, beginning, strlen(beginning));
}

static int daemon_wait(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_whole_life(void **state)
{
    (void)state;
    for (uint64_t workers = 1; workers <= 3; workers += 2) {
        pid_t pid = daemon_start(workers);
        manager_expect("READY=1\nSTATUS=answering on 127.1.");
        manager_expect("WATCHDOG=1");
        manager_expect("WATCHDOG=1");
        control_expect("ping\n", "ok\n.\n");
        control_expect("stats\n", "ok\ninfo 1.2.3 ");
        assert_int_equal(kill(pid, SIGTERM), 0);
        manager_expect("STOPPING=1");
        assert_int_equal(daemon_wait(pid), EX_OK);
        assert_true(access(socket_path, F_OK) != 0);
    }
}

static void test_reload(void **state)
{
    (void)state;
    pid_t pid = daemon_start(1);
    manager_expect("READY=1");
    control_expect("upstreams\n", "ok\nupstream default 192.0.2.1@53 -\n.\n");
    file_write("upstreams = 192.0.2.2\n");
    assert_int_equal(kill(pid, SIGHUP), 0);
    manager_expect("RELOADING=1");
    manager_expect("READY=1");
    control_expect("upstreams\n", "ok\nupstream default 192.0.2.2@53 -\n.\n");
    file_write("upstreams = 192.0.2.3\nnonsense = 1\n");
    control_expect("reload\n", "error ");
    manager_expect("READY=1\nSTATUS=reload failed");
    control_expect("upstreams\n", "ok\nupstream default 192.0.2.2@53 -\n.\n");
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(daemon_wait(pid), EX_OK);
}

/* DHCP writes the file of the upstreams just after the daemon has read it. */
static void test_upstreams_change_at_start(void **state)
{
    (void)state;
    char content[256];
    path_write(upstreams_path, "nameserver 192.0.2.1\n");
    (void)snprintf(content, sizeof content, "upstreams_file = %s\n", upstreams_path);
    pid_t pid = daemon_start_from(content, "nameserver 192.0.2.7\n", 1);
    manager_expect_news("READY=1", "192.0.2.7");
    control_expect("upstreams\n", "ok\nupstream default 192.0.2.7@53 -\n.\n");
    path_write(upstreams_path, "nameserver 192.0.2.8\nnameserver 192.0.2.9\n");
    manager_expect_news("READY=1", "192.0.2.9");
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(daemon_wait(pid), EX_OK);
}

static void expect_exists(const char *path)
{
    int64_t until = clock_now() + LIMIT_MS * CLOCK_US_PER_MS;
    while (access(path, F_OK) != 0) {
        assert_true(clock_now() < until);
        (void)poll(NULL, 0, 10);
    }
}

/* logrotate moves the log away and says HUP; that somebody has mistyped a setting is no reason to
 * go on writing into the old file. */
static void test_log_is_reopened_by_a_failed_reload(void **state)
{
    (void)state;
    char content[256];
    (void)snprintf(content, sizeof content, "upstreams = 192.0.2.1\nquery_log = %s\n", log_path);
    pid_t pid = daemon_start_from(content, "", 1);
    manager_expect("READY=1");
    expect_exists(log_path);
    assert_int_equal(rename(log_path, moved_path), 0);
    file_write("nonsense = 1\n");
    assert_int_equal(kill(pid, SIGHUP), 0);
    manager_expect("READY=1\nSTATUS=reload failed");
    expect_exists(log_path);
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(daemon_wait(pid), EX_OK);
}

/* The second daemon finds the first one's control socket. */
static void test_trouble(void **state)
{
    (void)state;
    pid_t first = daemon_start(1);
    manager_expect("READY=1");
    assert_int_equal(daemon_wait(daemon_start(1)), EX_UNAVAILABLE);
    control_expect("ping\n", "ok\n.\n");
    assert_int_equal(kill(first, SIGTERM), 0);
    assert_int_equal(daemon_wait(first), EX_OK);
}

static int world_open(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/mxcache-test-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(file, sizeof file, "%s/mxcache.conf", folder);
    (void)snprintf(socket_path, sizeof socket_path, "%s/control.sock", folder);
    (void)snprintf(notify_path, sizeof notify_path, "%s/notify", folder);
    (void)snprintf(upstreams_path, sizeof upstreams_path, "%s/resolv.conf", folder);
    (void)snprintf(log_path, sizeof log_path, "%s/log", folder);
    (void)snprintf(moved_path, sizeof moved_path, "%s/log.1", folder);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", notify_path);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return bind(manager, (const struct sockaddr *)&address, sizeof address);
}

static int world_close(void **state)
{
    (void)state;
    (void)close(manager);
    (void)unlink(file);
    (void)unlink(notify_path);
    (void)unlink(upstreams_path);
    (void)unlink(log_path);
    (void)unlink(moved_path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_life),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_upstreams_change_at_start),
        cmocka_unit_test(test_log_is_reopened_by_a_failed_reload),
        cmocka_unit_test(test_trouble),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}
