/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "setup/path_state.h"
#include "tests/support/host_fixture.h"

/* What is at a path can be read, compared, and put there whole. */

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

static void expect_kind(const char *path, enum path_kind kind, const char *bytes)
{
    struct path_state state;
    assert_true(path_state_read(&host, path, &state));
    assert_int_equal(state.kind, kind);
    if (bytes != NULL) {
        assert_string_equal(state.bytes, bytes);
    }
    path_state_fini(&state);
}

static void test_reading(void **state)
{
    struct path_state big;
    static char bytes[PATH_STATE_BYTES_MAX + 1];
    (void)state;
    host_fixture_write(&fixture, "/etc/file", "bytes");
    host_fixture_link(&fixture, "/etc/link", "/nowhere");
    memset(bytes, 'x', sizeof bytes);
    host_fixture_write_bytes(&fixture, "/etc/most", bytes, PATH_STATE_BYTES_MAX);
    host_fixture_write_bytes(&fixture, "/etc/more", bytes, PATH_STATE_BYTES_MAX + 1);
    expect_kind("/etc/file", PATH_FILE, "bytes");
    expect_kind("/etc/link", PATH_LINK, "/nowhere");
    expect_kind("/etc/none", PATH_ABSENT, NULL);
    expect_kind("/none/none", PATH_ABSENT, NULL);
    expect_kind("/etc/most", PATH_FILE, NULL);
    assert_false(path_state_read(&host, "/etc/more", &big));
    assert_int_equal(errno, EFBIG);
    assert_false(path_state_read(&host, "/etc", &big));
    assert_int_equal(errno, EINVAL);
    assert_false(path_state_read(&host, "no-slash", &big));
}

/* From every kind to every other, and back. */
static void test_putting(void **state)
{
    struct path_state states[3];
    (void)state;
    host_fixture_write(&fixture, "/etc/file", "bytes");
    host_fixture_link(&fixture, "/etc/link", "target");
    assert_true(path_state_read(&host, "/etc/none", &states[0]));
    assert_true(path_state_read(&host, "/etc/file", &states[1]));
    assert_true(path_state_read(&host, "/etc/link", &states[2]));
    states[1].mode = 0640;
    for (size_t i = 0; i < 9; i++) {
        const struct path_put put = {&host, "/etc/here", false};
        struct path_state now;
        assert_true(path_state_put(&put, &states[i / 3]));
        assert_true(path_state_put(&put, &states[i % 3]));
        assert_true(path_state_read(&host, "/etc/here", &now));
        assert_true(path_state_equal(&now, &states[i % 3]));
        path_state_fini(&now);
    }
    for (size_t i = 0; i < 3; i++) {
        path_state_fini(&states[i]);
    }
}

static void test_folders(void **state)
{
    struct path_state file;
    struct path_put put = {&host, "/etc/conf.d/here", false};
    (void)state;
    host_fixture_write(&fixture, "/etc/file", "bytes");
    assert_true(path_state_make(&file, "x", 1));
    file.uid = geteuid();
    assert_false(path_state_put(&put, &file));
    assert_int_equal(errno, ENOENT);
    put.makes_folder = true;
    assert_true(path_state_put(&put, &file));
    expect_kind("/etc/conf.d/here", PATH_FILE, "x");
    put.path = "/none/none/here";
    assert_false(path_state_put(&put, &file));
    path_state_fini(&file);
}

/* A symlink at the path is replaced, never followed; one on the way stays below the root. */
static void test_links_are_not_followed(void **state)
{
    struct path_state file;
    const struct path_put put = {&host, "/etc/link", false};
    (void)state;
    host_fixture_write(&fixture, "/etc/victim", "old");
    host_fixture_link(&fixture, "/etc/link", "victim");
    host_fixture_write(&fixture, "/etc/.link" PATH_STATE_SUFFIX, "left by a crash");
    assert_true(path_state_make(&file, "new", 3));
    assert_true(path_state_put(&put, &file));
    expect_kind("/etc/victim", PATH_FILE, "old");
    expect_kind("/etc/link", PATH_FILE, "new");
    expect_kind("/etc/.link" PATH_STATE_SUFFIX, PATH_ABSENT, NULL);
    path_state_fini(&file);
}

static void test_differences(void **state)
{
    struct path_state a;
    struct path_state b;
    (void)state;
    assert_true(path_state_make(&a, "x", 1));
    assert_true(path_state_make(&b, "x", 1));
    assert_true(path_state_equal(&a, &b));
    b.mode = 0600;
    assert_false(path_state_equal(&a, &b));
    b.mode = a.mode;
    b.bytes[0] = 'y';
    assert_false(path_state_equal(&a, &b));
    b.bytes[0] = 'x';
    b.kind = PATH_LINK;
    assert_false(path_state_equal(&a, &b));
    path_state_fini(&a);
    path_state_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_reading, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_putting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links_are_not_followed, set_up, tear_down),
        cmocka_unit_test(test_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
