/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/chroot_copy.h"

#define GOOD "nameserver 127.0.0.1\n"

static char folder[64];
static int queue_fd;

static int queue_make(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/mxcache-test-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    queue_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return queue_fd < 0 ? -1 : 0;
}

static int queue_remove(void **state)
{
    (void)state;
    (void)unlinkat(queue_fd, "etc/resolv.conf", 0);
    (void)unlinkat(queue_fd, "etc/resolv.conf", AT_REMOVEDIR);
    (void)unlinkat(queue_fd, "etc", AT_REMOVEDIR);
    (void)unlinkat(queue_fd, "etc", 0);
    (void)unlinkat(queue_fd, "elsewhere/resolv.conf", 0);
    (void)unlinkat(queue_fd, "elsewhere", AT_REMOVEDIR);
    (void)unlinkat(queue_fd, "elsewhere", 0);
    (void)close(queue_fd);
    return rmdir(folder);
}

static enum chroot_copy_verdict copy_good(bool is_rehearsal)
{
    struct chroot_copy copy = {
        .queue_fd = queue_fd,
        .bytes = GOOD,
        .len = strlen(GOOD),
        .is_rehearsal = is_rehearsal,
    };
    enum chroot_copy_verdict verdict = chroot_copy_run(&copy);
    assert_int_equal(copy.step != NULL, verdict == CHROOT_COPY_FAILED);
    return verdict;
}

static void file_write(const char *name, const char *text, mode_t mode)
{
    int fd = openat(queue_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

static void expect_text(const char *name, const char *wanted)
{
    char bytes[128] = {0};
    int fd = openat(queue_fd, name, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, bytes, sizeof bytes - 1) >= 0);
    (void)close(fd);
    assert_string_equal(bytes, wanted);
}

/* The very file, of the right mode, with nothing left beside it. */
static void expect_good(void)
{
    struct stat status;
    assert_int_equal(fstatat(queue_fd, "etc/resolv.conf", &status, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0644);
    expect_text("etc/resolv.conf", GOOD);
    assert_int_equal(faccessat(queue_fd, "etc/.resolv.conf.mxcache", F_OK, 0), -1);
}

static void test_made_where_there_is_none(void **state)
{
    (void)state;
    assert_int_equal(copy_good(true), CHROOT_COPY_WRITTEN);
    assert_int_equal(faccessat(queue_fd, "etc", F_OK, 0), -1);
    assert_int_equal(copy_good(false), CHROOT_COPY_WRITTEN);
    expect_good();
    assert_int_equal(copy_good(false), CHROOT_COPY_EQUAL);
    assert_int_equal(copy_good(true), CHROOT_COPY_EQUAL);
}

static void test_differing_is_replaced(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(queue_fd, "etc", 0755), 0);
    const char *texts[] = {"", "nameserver 127.0.0.2\n", GOOD GOOD};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        file_write("etc/resolv.conf", texts[i], 0644);
        assert_int_equal(copy_good(true), CHROOT_COPY_WRITTEN);
        expect_text("etc/resolv.conf", texts[i]);
        assert_int_equal(copy_good(false), CHROOT_COPY_WRITTEN);
        expect_good();
    }
    file_write("etc/resolv.conf", GOOD, 0600);
    assert_int_equal(copy_good(false), CHROOT_COPY_WRITTEN);
    expect_good();
}

/* An interrupted run has left its half. */
static void test_remains_are_taken_away(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(queue_fd, "etc", 0755), 0);
    file_write("etc/.resolv.conf.mxcache", "names", 0600);
    assert_int_equal(copy_good(false), CHROOT_COPY_WRITTEN);
    expect_good();
}

/* What a link leads to stays as it is, whether it is right or wrong. */
static void test_links_are_not_followed(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(queue_fd, "etc", 0755), 0);
    const char *texts[] = {"precious\n", GOOD};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        file_write("elsewhere", texts[i], 0644);
        (void)unlinkat(queue_fd, "etc/resolv.conf", 0);
        assert_int_equal(symlinkat("../elsewhere", queue_fd, "etc/resolv.conf"), 0);
        assert_int_equal(symlinkat("../elsewhere", queue_fd, "etc/.resolv.conf.mxcache"), 0);
        assert_int_equal(copy_good(false), CHROOT_COPY_WRITTEN);
        expect_good();
        expect_text("elsewhere", texts[i]);
    }
}

static void test_folder_may_be_no_link(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(queue_fd, "elsewhere", 0755), 0);
    assert_int_equal(symlinkat("elsewhere", queue_fd, "etc"), 0);
    assert_int_equal(copy_good(false), CHROOT_COPY_FAILED);
    assert_int_equal(copy_good(true), CHROOT_COPY_FAILED);
    assert_int_equal(faccessat(queue_fd, "elsewhere/resolv.conf", F_OK, 0), -1);
}

static void test_pipe_is_replaced(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(queue_fd, "etc", 0755), 0);
    assert_int_equal(mkfifoat(queue_fd, "etc/resolv.conf", 0644), 0);
    assert_int_equal(copy_good(false), CHROOT_COPY_WRITTEN);
    expect_good();
}

static void test_folder_in_its_place(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(queue_fd, "etc", 0755), 0);
    assert_int_equal(mkdirat(queue_fd, "etc/resolv.conf", 0755), 0);
    assert_int_equal(copy_good(false), CHROOT_COPY_FAILED);
    assert_int_equal(faccessat(queue_fd, "etc/.resolv.conf.mxcache", F_OK, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_made_where_there_is_none, queue_make, queue_remove),
        cmocka_unit_test_setup_teardown(test_differing_is_replaced, queue_make, queue_remove),
        cmocka_unit_test_setup_teardown(test_remains_are_taken_away, queue_make, queue_remove),
        cmocka_unit_test_setup_teardown(test_links_are_not_followed, queue_make, queue_remove),
        cmocka_unit_test_setup_teardown(test_folder_may_be_no_link, queue_make, queue_remove),
        cmocka_unit_test_setup_teardown(test_pipe_is_replaced, queue_make, queue_remove),
        cmocka_unit_test_setup_teardown(test_folder_in_its_place, queue_make, queue_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
