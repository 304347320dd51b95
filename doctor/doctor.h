/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "doctor/facts.h"
#include "doctor/host.h"
#include "doctor/report.h"

/*
 * The doctor: looks at a mail host, read-only and without starting programs, and reports. A check
 * is a row of checks.def and a function `void check_ID(struct doctor *doctor)` in the file of its
 * subject (check_<subject>.c); it reads doctor->host and doctor->facts and adds to doctor->report,
 * at least one entry a run. Checks do not depend on each other's order. Main thread.
 */
struct settings;

#define DOCTOR_LOGS_MAX 16

struct doctor_options {
    const char *root;                  /* NULL: "/". */
    const struct settings *settings;   /* mxcache's own; NULL: they cannot be read. */
    const char *logs[DOCTOR_LOGS_MAX]; /* --log; "-": standard input. None: the usual files. */
    size_t log_count;
    const char *smtp_host; /* --smtp: outbound port 25 is tried there; NULL: not at all. */
    const char *domain;    /* --domain: whose MX is looked up; NULL: mydomain of main.cf. */
    bool is_offline;       /* --offline: no questions, no connections. */
};

struct doctor {
    struct host host;
    struct facts facts;
    struct report report;
    struct doctor_options options;
    struct random *random; /* Ids of questions; the caller's. */
    int64_t now_wall_s;    /* Of the wall clock, for the age of files and log lines. */
};

/* Told before each check, for a line of progress. */
typedef void doctor_progress(enum check_id check, void *context);

struct doctor_watch {
    doctor_progress *progress; /* NULL: nobody watches. */
    void *context;
};

/* False, with errno: the root cannot be read. Large: on the heap. doctor_fini() in any case. */
bool doctor_init(
    struct doctor *doctor, const struct doctor_options *options, struct random *random);
void doctor_fini(struct doctor *doctor);

/* Runs the checks that `is_wanted` names (CHECKS flags), in the order of checks.def. */
void doctor_run(
    struct doctor *doctor, const bool is_wanted[CHECKS], const struct doctor_watch *watch);

/* The checks. */
#define CHECK(group, id, ...) void check_##id(struct doctor *doctor);
#include "doctor/checks.def"
#undef CHECK
