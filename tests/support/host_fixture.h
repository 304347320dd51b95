/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "doctor/doctor.h"

/*
 * A folder that looks like a host, for the doctor's checks: files are written below it as the host
 * would name them, and a check is run on it. A failed call or expectation fails the cmocka test.
 * host_fixture_fini() removes the folder.
 */
struct host_fixture {
    char root[64];
    struct random random;
    struct doctor_options options; /* To be changed before host_fixture_run(). */
    struct doctor *doctor;         /* Of the last run. */
};

void host_fixture_init(struct host_fixture *fixture);
void host_fixture_fini(struct host_fixture *fixture);

/* Folders on the way are made. An existing file is replaced. */
void host_fixture_write(struct host_fixture *fixture, const char *path, const char *text);
void host_fixture_write_bytes(
    struct host_fixture *fixture, const char *path, const char *bytes, size_t len);
void host_fixture_link(struct host_fixture *fixture, const char *path, const char *target);
void host_fixture_remove(struct host_fixture *fixture, const char *path);

/* Of the file itself, in seconds of the wall clock. */
void host_fixture_set_time(struct host_fixture *fixture, const char *path, long mtime_s);

/* The path outside the root, for calls of the test's own. */
void host_fixture_path(
    const struct host_fixture *fixture, const char *path, char *path_out, size_t size);

/* Gathers the facts anew and runs one check. */
struct doctor *host_fixture_run(struct host_fixture *fixture, enum check_id check);

/* The same with every check. */
struct doctor *host_fixture_run_all(struct host_fixture *fixture);

/* The last run has an entry of that level for the check, with `part` in what was seen, in the
 * change or in the cause (NULL: anything). */
void host_fixture_expect(const struct host_fixture *fixture, enum check_id check,
    enum report_level level, const char *part);

/* The last run has no entry of that level or a worse one; errors are worse than warnings. */
void host_fixture_expect_below(const struct host_fixture *fixture, enum report_level level);
