/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/replacement.h"

#define NEW "new bytes\n"

static char path[64];
static int folder;

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/mxcache-test-XXXXXX");
    if (mkdtemp(path) == NULL) {
        return -1;
    }
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"name", ".beside", "elsewhere"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unlinkat(folder, names[i], 0);
        (void)unlinkat(folder, names[i], AT_REMOVEDIR);
    }
    (void)close(folder);
    return rmdir(path);
}

static struct replacement replacement_of(const char *bytes)
{
    return (struct replacement){
        .folder_fd = folder,
        .name = "name",
        .beside = ".beside",
        .bytes = bytes,
        .len = strlen(bytes),
        .mode = 0644,
        .uid = REPLACEMENT_ANYBODY,
        .gid = REPLACEMENT_ANYBODY,
    };
}

static void file_write(const char *name, const char *text)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static struct stat stat_of(const char *name)
{
    struct stat status;
    assert_int_equal(fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW), 0);
    return status;
}

/* A plain file of that name, with that text, and nothing beside it. */
static void expect_file(const char *name, const char *wanted)
{
    char bytes[256] = {0};
    assert_true(S_ISREG(stat_of(name).st_mode));
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    assert_true(read(fd, bytes, sizeof bytes - 1) >= 0);
    assert_string_equal(bytes, wanted);
    assert_int_equal(close(fd), 0);
    assert_int_equal(faccessat(folder, ".beside", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void put_nothing(void)
{
}

static void put_file(void)
{
    file_write("name", "old bytes, more of them\n");
}

static void put_link(void)
{
    file_write("elsewhere", "precious");
    assert_int_equal(symlinkat("elsewhere", folder, "name"), 0);
}

static void put_pipe(void)
{
    assert_int_equal(mkfifoat(folder, "name", 0600), 0);
}

static void put_remains(void)
{
    file_write(".beside", "half");
}

static void put_link_beside(void)
{
    file_write("elsewhere", "precious");
    assert_int_equal(symlinkat("elsewhere", folder, ".beside"), 0);
}

/* What may stand there before. */
static void (*const befores[])(void) = {
    put_nothing, put_file, put_link, put_pipe, put_remains, put_link_beside};

static void test_a_file_takes_its_place(void **state)
{
    for (size_t i = 0; i < sizeof befores / sizeof befores[0]; i++) {
        struct replacement replacement = replacement_of(NEW);
        befores[i]();
        assert_true(replacement_put(&replacement));
        expect_file("name", NEW);
        if (faccessat(folder, "elsewhere", F_OK, 0) == 0) {
            expect_file("elsewhere", "precious");
        }
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

static void test_a_link_takes_its_place(void **state)
{
    for (size_t i = 0; i < sizeof befores / sizeof befores[0]; i++) {
        char target[64] = {0};
        struct replacement replacement = replacement_of("somewhere/else");
        replacement.is_link = true;
        befores[i]();
        assert_true(replacement_put(&replacement));
        assert_int_equal(readlinkat(folder, "name", target, sizeof target - 1), 14);
        assert_string_equal(target, "somewhere/else");
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

/* Who reads the old one reads it to its end. */
static void test_the_old_one_is_not_touched(void **state)
{
    char bytes[16] = {0};
    struct replacement replacement = replacement_of(NEW);
    (void)state;
    file_write("name", "old");
    int fd = openat(folder, "name", O_RDONLY | O_CLOEXEC);
    assert_true(replacement_put(&replacement));
    assert_int_equal(read(fd, bytes, sizeof bytes), 3);
    assert_string_equal(bytes, "old");
    (void)close(fd);
}

static void test_rights_and_time(void **state)
{
    static const mode_t modes[] = {0644, 0600, 0666, 02755};
    mode_t mask = umask(077);
    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct replacement replacement = replacement_of(NEW);
        replacement.mode = modes[i];
        replacement.uid = geteuid();
        replacement.gid = getegid();
        replacement.mtime = (struct timespec){.tv_sec = 1000000000, .tv_nsec = (long)i};
        assert_true(replacement_put(&replacement));
        struct stat status = stat_of("name");
        assert_int_equal(status.st_mode & 07777, modes[i]);
        assert_int_equal(status.st_mtim.tv_sec, 1000000000);
        assert_int_equal(status.st_mtim.tv_nsec, i);
    }
    struct replacement replacement = replacement_of(NEW);
    assert_true(replacement_put(&replacement));
    assert_true(stat_of("name").st_mtim.tv_sec > 1000000000);
    (void)umask(mask);
}

/* Root gives it away; anybody else keeps it, which is no failure. */
static void test_owner(void **state)
{
    struct replacement replacement = replacement_of(NEW);
    (void)state;
    replacement.uid = 12345;
    replacement.gid = 54321;
    assert_true(replacement_put(&replacement));
    struct stat status = stat_of("name");
    assert_int_equal(status.st_uid, geteuid() == 0 ? 12345 : geteuid());
    assert_int_equal(status.st_gid, geteuid() == 0 ? 54321 : getegid());
}

static void expect_failure(struct replacement *replacement, int error, const char *step)
{
    assert_false(replacement_put(replacement));
    assert_int_equal(errno, error);
    assert_string_equal(replacement->step, step);
    assert_int_equal(faccessat(folder, ".beside", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

/* As on a full disk: the old one stays, and nothing is left. */
static void test_no_room(void **state)
{
    struct rlimit before;
    struct replacement replacement = replacement_of(NEW);
    (void)state;
    file_write("name", "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit none = {.rlim_cur = 4, .rlim_max = before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    bool is_put = replacement_put(&replacement);
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, SIG_DFL);
    assert_false(is_put);
    assert_int_equal(error, EFBIG);
    assert_string_equal(replacement.step, "write the new file");
    expect_file("name", "old");
}

static void test_what_cannot_be(void **state)
{
    struct replacement replacement = replacement_of(NEW);
    (void)state;
    assert_int_equal(mkdirat(folder, "name", 0700), 0);
    expect_failure(&replacement, EISDIR, "put the new file in its place");
    replacement.is_link = true;
    expect_failure(&replacement, EISDIR, "put the new file in its place");
    replacement.bytes = "";
    expect_failure(&replacement, ENOENT, "make the new link");
    replacement = replacement_of(NEW);
    replacement.folder_fd = -1;
    expect_failure(&replacement, EBADF, "make the new file");
    replacement = replacement_of(NEW);
    replacement.beside = "none/beside";
    expect_failure(&replacement, ENOENT, "make the new file");
    replacement = replacement_of(NEW);
    assert_int_equal(mkdirat(folder, ".beside", 0700), 0);
    assert_false(replacement_put(&replacement));
    assert_int_equal(errno, EEXIST);
    assert_true(S_ISDIR(stat_of("name").st_mode));
}

/* Under SELinux a file without its label may be out of reach for who has to read it. Where
 * attributes cannot be set, there is nothing to be seen. */
static void test_label_and_access_list_go_along(void **state)
{
    static const char label[] = "system_u:object_r:net_conf_t:s0";
    static const unsigned char list[] = {2, 0, 0, 0, 1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 4, 0,
        1, 0, 0, 0, 4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 32, 0,
        4, 0, 0xff, 0xff, 0xff, 0xff};
    struct replacement replacement = replacement_of(NEW);
    char value[128] = {0};
    (void)state;
    put_file();
    int fd = openat(folder, "name", O_WRONLY | O_CLOEXEC);
    bool has_label = fsetxattr(fd, "security.selinux", label, sizeof label, 0) == 0;
    bool has_list = fsetxattr(fd, "system.posix_acl_access", list, sizeof list, 0) == 0;
    assert_int_equal(close(fd), 0);
    assert_true(replacement_put(&replacement));
    expect_file("name", NEW);
    assert_int_equal(stat_of("name").st_mode & 07777, 0644);
    fd = openat(folder, "name", O_RDONLY | O_CLOEXEC);
    if (has_label) {
        assert_int_equal(fgetxattr(fd, "security.selinux", value, sizeof value), sizeof label);
        assert_string_equal(value, label);
    }
    if (has_list) {
        assert_int_equal(
            fgetxattr(fd, "system.posix_acl_access", value, sizeof value), sizeof list);
        assert_memory_equal(value, list, sizeof list);
    }
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_label_and_access_list_go_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_takes_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_link_takes_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_old_one_is_not_touched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rights_and_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
