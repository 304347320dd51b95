/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/keeper_log.h"
#include "daemon/snapshot_file.h"

static char output[8192];
static int log_fd = -1;
static int stderr_kept = -1;

static int log_open(void **state)
{
    char path[] = "/tmp/mxcache-keeper-log-XXXXXX";
    (void)state;
    log_fd = mkstemp(path);
    stderr_kept = dup(STDERR_FILENO);
    return log_fd < 0 || stderr_kept < 0 || unlink(path) != 0;
}

static int log_close(void **state)
{
    (void)state;
    (void)close(stderr_kept);
    return close(log_fd);
}

static void log_begin(void)
{
    assert_int_equal(ftruncate(log_fd, 0), 0);
    assert_int_equal(lseek(log_fd, 0, SEEK_SET), 0);
    assert_true(dup2(log_fd, STDERR_FILENO) >= 0);
}

static const char *log_end(void)
{
    assert_true(dup2(stderr_kept, STDERR_FILENO) >= 0);
    ssize_t len = pread(log_fd, output, sizeof output - 1, 0);
    assert_true(len >= 0);
    output[len] = '\0';
    return output;
}

static void expect_parts(const char *line, const char *const parts[4])
{
    for (size_t i = 0; i < 4 && parts[i] != NULL; i++) {
        if (strstr(line, parts[i]) == NULL) {
            fail_msg("\"%s\" is not in: %s", parts[i], line);
        }
    }
    if (parts[0] == NULL) {
        assert_string_equal(line, "");
    }
}

static void test_loaded(void **state)
{
    static const struct {
        struct snapshot_report report;
        const char *parts[4];
    } cases[] = {
        {{.verdict = SNAPSHOT_FILE_DONE, .entries = 7, .left_out = 2, .age_us = 3 * CLOCK_US_PER_S},
            {"notice: snapshot_restored: ", " answers=7 left_out=2", "age=3s", "file=\"/x/y\""}},
        {{.verdict = SNAPSHOT_FILE_DONE, .damaged = 3}, {"warning: ", "damaged=3"}},
        {{.verdict = SNAPSHOT_FILE_DONE, .unknown = 4}, {"later version", "unknown=4"}},
        {{.verdict = SNAPSHOT_FILE_NONE}, {NULL}},
        {{.verdict = SNAPSHOT_FILE_FAILED, .error = EIO, .step = "read"},
            {"warning: ", "at=read", "Input/output error", "starts empty"}},
        {{.verdict = SNAPSHOT_FILE_FOREIGN}, {"warning: ", "no snapshot", "file=\"/x/y\""}},
        {{.verdict = SNAPSHOT_FILE_EXPOSED}, {"warning: ", "chmod 600", "not believed"}},
        {{.verdict = SNAPSHOT_FILE_ENDED}, {NULL}},
    };
    struct keeper_log log;
    (void)state;
    keeper_log_init(&log, "/x/y");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        log_begin();
        keeper_log_loaded(&log, &cases[i].report);
        expect_parts(log_end(), cases[i].parts);
    }
}

static void test_not_written(void **state)
{
    static const struct {
        const char *path;
        int error;
        const char *parts[4];
    } cases[] = {
        {"/x/y", ENOSPC, {"warning: ", "make room", "at=write", "file=\"/x/y\""}},
        {"/x/y", EACCES, {"warning: ", "chown", "StateDirectory=mxcache", "user="}},
        {"/x/y", ENOENT, {"warning: ", "directory is missing"}},
        {"/x/y", EIO, {"warning: ", "see to the disk", "Input/output error"}},
        {"/var/lib/mxcache/cache.snapshot", ENOENT, {NULL}}, /* Nobody has asked for it. */
        {"/var/lib/mxcache/cache.snapshot", EACCES, {NULL}},
        {"/var/lib/mxcache/cache.snapshot", ENOSPC, {"warning: ", "make room"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct keeper_log log;
        const struct snapshot_report report = {
            .verdict = SNAPSHOT_FILE_FAILED, .error = cases[i].error, .step = "write"};
        keeper_log_init(&log, cases[i].path);
        log_begin();
        keeper_log_written(&log, &report, 1);
        expect_parts(log_end(), cases[i].parts);
    }
}

static void test_one_line_a_minute(void **state)
{
    static const char *const again[4] = {"suppressed=1"};
    static const char *const nothing[4] = {NULL};
    struct keeper_log log;
    struct snapshot_report report = {
        .verdict = SNAPSHOT_FILE_FAILED, .error = ENOSPC, .step = "write"};
    (void)state;
    keeper_log_init(&log, "/x/y");
    log_begin();
    keeper_log_written(&log, &report, 0);
    (void)log_end();
    log_begin();
    keeper_log_written(&log, &report, 30 * CLOCK_US_PER_S);
    expect_parts(log_end(), nothing);
    log_begin();
    keeper_log_written(&log, &report, 61 * CLOCK_US_PER_S);
    expect_parts(log_end(), again);
    report.verdict = SNAPSHOT_FILE_DONE;
    log_begin();
    keeper_log_written(&log, &report, 200 * CLOCK_US_PER_S);
    expect_parts(log_end(), nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loaded),
        cmocka_unit_test(test_not_written),
        cmocka_unit_test(test_one_line_a_minute),
    };
    return cmocka_run_group_tests(tests, log_open, log_close);
}
