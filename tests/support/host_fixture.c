/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/host_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PATH_SIZE 1200

void host_fixture_init(struct host_fixture *fixture)
{
    *fixture = (struct host_fixture){.options = {.is_offline = true}};
    /* In memory, where syncing costs nothing, if there is such a place. */
    (void)snprintf(fixture->root, sizeof fixture->root, "/dev/shm/mxcache-host-XXXXXX");
    if (mkdtemp(fixture->root) == NULL) {
        (void)snprintf(fixture->root, sizeof fixture->root, "/tmp/mxcache-host-XXXXXX");
        assert_non_null(mkdtemp(fixture->root));
    }
    random_init_seed(&fixture->random, 1);
    /* A test that writes Postfix's files means that it is there, not that it has been removed. */
    host_fixture_write(fixture, "/usr/lib/postfix/sbin/master", "");
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void forget_run(struct host_fixture *fixture)
{
    if (fixture->doctor != NULL) {
        doctor_fini(fixture->doctor);
        free(fixture->doctor);
        fixture->doctor = NULL;
    }
}

void host_fixture_fini(struct host_fixture *fixture)
{
    forget_run(fixture);
    assert_int_equal(nftw(fixture->root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void host_fixture_path(
    const struct host_fixture *fixture, const char *path, char *path_out, size_t size)
{
    assert_int_equal(path[0], '/');
    assert_true((size_t)snprintf(path_out, size, "%s%s", fixture->root, path) < size);
}

/* The folders above the file, with the file's absolute path in `path_out`. */
static void prepare(
    const struct host_fixture *fixture, const char *path, char path_out[static PATH_SIZE])
{
    host_fixture_path(fixture, path, path_out, PATH_SIZE);
    for (char *slash = path_out + strlen(fixture->root) + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        assert_true(mkdir(path_out, 0755) == 0 || errno == EEXIST);
        *slash = '/';
    }
}

void host_fixture_write_bytes(
    struct host_fixture *fixture, const char *path, const char *bytes, size_t len)
{
    char name[PATH_SIZE];
    prepare(fixture, path, name);
    (void)unlink(name);
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

void host_fixture_write(struct host_fixture *fixture, const char *path, const char *text)
{
    host_fixture_write_bytes(fixture, path, text, strlen(text));
}

void host_fixture_link(struct host_fixture *fixture, const char *path, const char *target)
{
    char name[PATH_SIZE];
    prepare(fixture, path, name);
    (void)unlink(name);
    assert_int_equal(symlink(target, name), 0);
}

void host_fixture_remove(struct host_fixture *fixture, const char *path)
{
    char name[PATH_SIZE];
    host_fixture_path(fixture, path, name, sizeof name);
    assert_int_equal(remove(name), 0);
}

void host_fixture_set_time(struct host_fixture *fixture, const char *path, long mtime_s)
{
    char name[PATH_SIZE];
    const struct timespec times[2] = {{.tv_sec = mtime_s}, {.tv_sec = mtime_s}};
    host_fixture_path(fixture, path, name, sizeof name);
    assert_int_equal(utimensat(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

static struct doctor *run(struct host_fixture *fixture, const bool is_wanted[CHECKS])
{
    forget_run(fixture);
    fixture->doctor = calloc(1, sizeof *fixture->doctor);
    assert_non_null(fixture->doctor);
    fixture->options.root = fixture->root;
    assert_true(doctor_init(fixture->doctor, &fixture->options, &fixture->random));
    doctor_run(fixture->doctor, is_wanted, &(struct doctor_watch){0});
    assert_true(fixture->doctor->report.count > 0);
    return fixture->doctor;
}

struct doctor *host_fixture_run(struct host_fixture *fixture, enum check_id check)
{
    bool is_wanted[CHECKS + 1] = {false};
    is_wanted[check] = true;
    return run(fixture, is_wanted);
}

struct doctor *host_fixture_run_all(struct host_fixture *fixture)
{
    bool is_wanted[CHECKS + 1];
    for (size_t i = 0; i < CHECKS; i++) {
        is_wanted[i] = true;
    }
    return run(fixture, is_wanted);
}

static bool entry_has(const struct report_entry *entry, const char *part)
{
    return part == NULL || strstr(entry->seen, part) != NULL ||
           (entry->change != NULL && strstr(entry->change, part) != NULL) ||
           (entry->cause != NULL && strstr(entry->cause, part) != NULL);
}

static void print_report(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct report_entry *entry = &report->entries[i];
        print_message("%s: %s: %s\n  change: %s\n  cause: %s\n", check_name(entry->check),
            report_level_name(entry->level), entry->seen,
            entry->change != NULL ? entry->change : "-", entry->cause != NULL ? entry->cause : "-");
    }
}

void host_fixture_expect(const struct host_fixture *fixture, enum check_id check,
    enum report_level level, const char *part)
{
    const struct report *report = &fixture->doctor->report;
    for (size_t i = 0; i < report->count; i++) {
        const struct report_entry *entry = &report->entries[i];
        if (entry->check == check && entry->level == level && entry_has(entry, part)) {
            return;
        }
    }
    print_report(report);
    fail_msg("no %s of %s with `%s`", report_level_name(level), check_name(check),
        part != NULL ? part : "");
}

void host_fixture_expect_below(const struct host_fixture *fixture, enum report_level level)
{
    const struct report *report = &fixture->doctor->report;
    for (size_t i = 0; i < report->count; i++) {
        if (report->entries[i].level >= level) {
            print_report(report);
            fail_msg("a %s where none was expected", report_level_name(level));
        }
    }
}
