/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
        cmocka_unit_test_setup_teardown(test_stat, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_live_root, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
