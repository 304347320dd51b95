/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "doctor/host.h"
#include "tests/support/host_fixture.h"

/* Reading a host's files below a root: links, limits, and what is no file. */

static struct host_fixture fixture;
static struct host host;

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
    host_fini(&host);
    host_fixture_fini(&fixture);
    return 0;
}

static void expect_read(const char *path, size_t size_max, const char *bytes, bool is_cut)
{
    struct host_file file;
    assert_int_equal(host_read(&host, path, size_max, &file), HOST_READ);
    assert_string_equal(file.bytes, bytes);
    assert_int_equal(file.len, strlen(bytes));
    assert_int_equal(file.is_cut, is_cut);
    host_file_fini(&file);
}

static void expect_verdict(const char *path, enum host_verdict verdict)
{
    struct host_file file;
    assert_int_equal(host_read(&host, path, HOST_FILE_MAX, &file), verdict);
    assert_null(file.bytes);
    host_file_fini(&file);
}

static void test_sizes(void **state)
{
    (void)state;
    host_fixture_write(&fixture, "/etc/a", "0123456789");
    host_fixture_write(&fixture, "/etc/empty", "");
    expect_read("/etc/a", 100, "0123456789", false);
    expect_read("/etc/a", 10, "0123456789", false);
    expect_read("/etc/a", 9, "012345678", true);
    expect_read("/etc/empty", 100, "", false);
    expect_verdict("/etc/none", HOST_ABSENT);
    expect_verdict("/etc/a/b", HOST_ABSENT);
    expect_verdict("/etc", HOST_UNFIT);
}

static void test_tail(void **state)
{
    struct host_file file;
    (void)state;
    host_fixture_write(&fixture, "/log", "0123456789");
    assert_int_equal(host_read_tail(&host, "/log", 4, &file), HOST_READ);
    assert_string_equal(file.bytes, "6789");
    assert_true(file.is_cut);
    host_file_fini(&file);
    assert_int_equal(host_read_tail(&host, "/log", 10, &file), HOST_READ);
    assert_string_equal(file.bytes, "0123456789");
    assert_false(file.is_cut);
    host_file_fini(&file);
}

/* Links are those of the host below the root, wherever they point. */
static void test_links_stay_below_the_root(void **state)
{
    char target[64];
    (void)state;
    host_fixture_write(&fixture, "/run/stub", "inside");
    host_fixture_link(&fixture, "/etc/absolute", "/run/stub");
    host_fixture_link(&fixture, "/etc/up", "../../../../../../run/stub");
    host_fixture_link(&fixture, "/etc/out", "/etc/hostname-that-only-the-outside-has");
    host_fixture_link(&fixture, "/etc/loop", "loop");
    expect_read("/etc/absolute", 100, "inside", false);
    expect_read("/etc/up", 100, "inside", false);
    expect_read("/../../run/stub", 100, "inside", false);
    expect_verdict("/etc/out", HOST_ABSENT);
    expect_verdict("/etc/loop", HOST_ABSENT);
    assert_true(host_link(&host, "/etc/absolute", target, sizeof target));
    assert_string_equal(target, "/run/stub");
    assert_false(host_link(&host, "/etc/absolute", target, 9));
    assert_false(host_link(&host, "/run/stub", target, sizeof target));
}

/* Would wait for a writer for ever. */
static void test_a_fifo_does_not_hang(void **state)
{
    char path[1200];
    (void)state;
    host_fixture_path(&fixture, "/fifo", path, sizeof path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_verdict("/fifo", HOST_UNFIT);
}

/* How often the file has been opened, for reading or writing, since it is watched. */
static bool was_opened(int watch)
{
    char events[4096];
    return read(watch, events, sizeof events) > 0;
}

static void test_only_files_are_opened(void **state)
{
    char path[1200];
    (void)state;
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    host_fixture_write(&fixture, "/file", "x");
    host_fixture_path(&fixture, "/file", path, sizeof path);
    assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
    expect_read("/file", 100, "x", false);
    assert_true(was_opened(watch));
    host_fixture_path(&fixture, "/fifo", path, sizeof path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(inotify_add_watch(watch, path, IN_OPEN) >= 0);
    expect_verdict("/fifo", HOST_UNFIT);
    assert_false(was_opened(watch));
    (void)close(watch);
    host_fixture_path(&fixture, "/zero", path, sizeof path);
    if (mknod(path, S_IFCHR | 0600, makedev(1, 5)) == 0) {
        expect_verdict("/zero", HOST_UNFIT);
    }
}

static void test_a_huge_file(void **state)
{
    char path[1200];
    struct host_file file;
    (void)state;
    host_fixture_write(&fixture, "/huge", "head");
    host_fixture_path(&fixture, "/huge", path, sizeof path);
    assert_int_equal(truncate(path, INT64_C(1) << 40), 0);
    assert_int_equal(host_read(&host, "/huge", HOST_FILE_MAX, &file), HOST_READ);
    assert_int_equal(file.len, HOST_FILE_MAX);
    assert_true(file.is_cut);
    assert_string_equal(file.bytes, "head");
    host_file_fini(&file);
    assert_int_equal(host_read_tail(&host, "/huge", 1000, &file), HOST_READ);
    assert_int_equal(file.len, 1000);
    host_file_fini(&file);
}

static _Atomic bool must_end;

/* Grows and is cut, again and again. */
static void *keep_changing(void *path)
{
    static const char bytes[65536] = {'y'};
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    while (fd >= 0 && !atomic_load(&must_end)) {
        for (unsigned i = 0; i < 16; i++) {
            (void)!write(fd, bytes, sizeof bytes);
        }
        (void)!ftruncate(fd, 0);
        (void)lseek(fd, 0, SEEK_SET);
    }
    (void)close(fd);
    return NULL;
}

static void test_a_file_that_changes_while_it_is_read(void **state)
{
    char path[1200];
    pthread_t thread;
    (void)state;
    host_fixture_write(&fixture, "/moving", "");
    host_fixture_path(&fixture, "/moving", path, sizeof path);
    atomic_store(&must_end, false);
    assert_int_equal(pthread_create(&thread, NULL, keep_changing, path), 0);
    for (unsigned i = 0; i < 500; i++) {
        struct host_file file;
        bool is_tail = i % 2 == 0;
        assert_int_equal(is_tail ? host_read_tail(&host, "/moving", 300000, &file)
                                 : host_read(&host, "/moving", 300000, &file),
            HOST_READ);
        assert_true(file.len <= 300000);
        assert_int_equal(file.bytes[file.len], 0);
        host_file_fini(&file);
    }
    atomic_store(&must_end, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* Files of the kernel's that are no files: endless, memory, or what a process has open. */
static void test_odd_files_of_proc(void **state)
{
    struct host live;
    struct host_file file;
    (void)state;
    assert_true(host_init(&live, "/"));
    assert_int_equal(host_read(&live, "/proc/self/mem", HOST_FILE_MAX, &file), HOST_UNFIT);
    assert_int_equal(host_read(&live, "/dev/zero", HOST_FILE_MAX, &file), HOST_UNFIT);
    assert_int_equal(host_read(&live, "/proc/self/fd/0", HOST_FILE_MAX, &file), HOST_ABSENT);
    assert_int_equal(host_read(&live, "/proc/self/exe", HOST_FILE_MAX, &file), HOST_ABSENT);
    host_fini(&live);
}

static void test_stat(void **state)
{
    struct stat stat;
    (void)state;
    host_fixture_link(&fixture, "/etc/dangling", "/nowhere");
    assert_int_equal(host_stat(&host, "/etc/dangling", true, &stat), HOST_ABSENT);
    assert_int_equal(host_stat(&host, "/etc/dangling", false, &stat), HOST_READ);
    assert_true(S_ISLNK(stat.st_mode));
}

static void test_names(void **state)
{
    struct host_names names;
    (void)state;
    host_fixture_write(&fixture, "/d/b", "");
    host_fixture_write(&fixture, "/d/a", "");
    assert_int_equal(host_list(&host, "/d", &names), HOST_READ);
    assert_int_equal(names.count, 2);
    assert_string_equal(names.names[0], "a");
    assert_string_equal(names.names[1], "b");
    host_names_fini(&names);
    assert_int_equal(host_list(&host, "/none", &names), HOST_ABSENT);
    assert_int_equal(host_list(&host, "/d/a", &names), HOST_ABSENT);
    host_names_fini(&names);
}

static void test_the_live_root(void **state)
{
    struct host live;
    struct host_file file;
    (void)state;
    assert_false(host.is_live);
    assert_true(host_init(&live, "/"));
    assert_true(live.is_live);
    assert_int_equal(host_read(&live, "/proc/self/stat", HOST_FILE_MAX, &file), HOST_READ);
    assert_true(file.len > 10);
    host_file_fini(&file);
    host_fini(&live);
    assert_false(host_init(&live, "/nonexistent-root"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links_stay_below_the_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_fifo_does_not_hang, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_files_are_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_huge_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_file_that_changes_while_it_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_odd_files_of_proc, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stat, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_live_root, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
