/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

#include "conf/resolv_conf.h"
#include "setup/path_state.h"
#include "tests/unit/setup/setup_support.h"

/* Setup is killed before each system call by which it changes a file. Each time the host must still
 * resolve, and undoing must bring back every byte. */

#define CALLS_MAX 2000

static const char *const paths[] = {
    "/etc/resolv.conf",
    "/var/spool/postfix/etc/resolv.conf",
    "/etc/opendkim.conf",
    HOST_CONF,
};
#define PATHS (sizeof paths / sizeof paths[0])

static const char *const folders[] = {
    "/etc", "/var/spool/postfix/etc", "/etc/mxcache", "/etc/postfix"};

static void take_states(const struct host_world *world, struct path_state states[PATHS])
{
    for (size_t i = 0; i < PATHS; i++) {
        assert_true(path_state_read(&world->host, paths[i], &states[i]));
    }
}

static void free_states(struct path_state states[PATHS])
{
    for (size_t i = 0; i < PATHS; i++) {
        path_state_fini(&states[i]);
    }
}

static void expect_states(const struct host_world *world, const struct path_state *before)
{
    struct path_state now[PATHS];
    take_states(world, now);
    for (size_t i = 0; i < PATHS; i++) {
        assert_true(path_state_equal(&before[i], &now[i]));
        assert_int_equal(before[i].mtime.tv_sec, now[i].mtime.tv_sec);
        assert_int_equal(before[i].mtime.tv_nsec, now[i].mtime.tv_nsec);
    }
    free_states(now);
}

/* Nothing of ours lies about. */
static void expect_no_litter(const struct host_world *world)
{
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        struct host_names names;
        assert_int_equal(host_list(&world->host, folders[i], &names), HOST_READ);
        for (size_t j = 0; j < names.count; j++) {
            assert_null(strstr(names.names[j], PATH_STATE_SUFFIX));
        }
        host_names_fini(&names);
    }
}

/* Whoever reads the file finds a server that answers. */
static void expect_resolves(struct host_world *world, const char *path)
{
    struct host_file file;
    struct resolv_conf conf;
    assert_int_equal(host_read(&world->host, path, HOST_FILE_MAX, &file), HOST_READ);
    resolv_conf_parse(file.bytes, file.len, &conf);
    host_file_fini(&file);
    assert_true(conf.server_count > 0);
    assert_true(host_answers(&conf.servers[0], world));
}

static bool is_change(uint64_t call)
{
    switch (call) {
    case SYS_openat:
    case SYS_write:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_unlinkat:
    case SYS_symlinkat:
    case SYS_mkdirat:
    case SYS_fchmod:
    case SYS_fsync:
        return true;
    default:
        return false;
    }
}

/* Lets it run up to the change number `changes_left`, and kills it there. True: it came to its end
 * before. */
static bool run_and_kill(pid_t pid, unsigned changes_left)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status));
    assert_int_equal(
        ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)),
        0);
    for (;;) {
        struct ptrace_syscall_info info;
        assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return true;
        }
        assert_true(WIFSTOPPED(status));
        assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) > 0);
        bool is_entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
        if (is_entry && is_change(info.entry.nr) && changes_left-- == 0) {
            assert_int_equal(kill(pid, SIGKILL), 0);
            assert_int_equal(waitpid(pid, &status, 0), pid);
            return false;
        }
    }
}

static pid_t start_traced(struct host_world *world)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct failure failure;
        (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void)raise(SIGSTOP);
        _exit(host_set_up(world, &failure) ? 0 : 1);
    }
    return pid;
}

static void expect_undone(struct host_world *world, const struct path_state *before)
{
    struct failure failure;
    bool is_undone = setup_undo(&world->host, &(struct setup_undo){0}, &world->port, &failure);
    if (!is_undone) {
        assert_non_null(strstr(failure.sentence, "nothing to undo"));
    }
    expect_states(world, before);
}

/* A second run finishes what the first began. */
static void expect_finished(struct host_world *world)
{
    struct failure failure;
    if (!host_set_up(world, &failure)) {
        fail_msg("%s", failure.sentence);
    }
    expect_resolves(world, paths[0]);
    expect_no_litter(world);
}

static bool try_kill_at(unsigned change)
{
    struct host_world world;
    struct path_state before[PATHS];
    host_world_init(&world);
    take_states(&world, before);
    bool is_over = run_and_kill(start_traced(&world), change);
    expect_resolves(&world, paths[0]);
    expect_resolves(&world, paths[1]);
    if (change % 2 == 0) {
        expect_finished(&world);
    }
    expect_undone(&world, before);
    expect_no_litter(&world);
    free_states(before);
    host_world_fini(&world);
    return is_over;
}

static void test_killed_at_every_change(void **state)
{
    unsigned change = 0;
    (void)state;
    while (!try_kill_at(change)) {
        change++;
        assert_true(change < CALLS_MAX);
    }
    print_message("killed at %u places\n", change);
    assert_true(change > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_at_every_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
