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

/* What mxcache itself says, as its caller has asked it on the control socket. */
enum doctor_daemon_state {
    DOCTOR_DAEMON_RUNNING,
    DOCTOR_DAEMON_DENIED, /* It runs, but does not talk to this user or program. */
    DOCTOR_DAEMON_ABSENT,
};

enum doctor_daemon_health {
    DOCTOR_DAEMON_WELL,
    DOCTOR_DAEMON_LIMPING, /* Some upstream servers rest. */
    DOCTOR_DAEMON_FAILING, /* More than one question in a hundred fails. */
    DOCTOR_DAEMON_CUT_OFF, /* A whole group of servers does not answer. */
};

#define DOCTOR_DAEMON_SENTENCE_SIZE 640

struct doctor_daemon {
    enum doctor_daemon_state state;
    char sentence[DOCTOR_DAEMON_SENTENCE_SIZE]; /* Why it could not be asked; ends with a dot. */
    enum doctor_daemon_health health;           /* With RUNNING, as the next ones. */
    uint64_t covers_s;                          /* The numbers are of so many seconds past. */
    uint64_t questions;
    uint64_t failed;
    uint64_t p99_us;
    uint64_t resting; /* Upstream servers that rest. */
    uint64_t servers;
};

struct doctor_options {
    const char *root;                   /* NULL: "/". */
    const struct settings *settings;    /* mxcache's own; NULL: they cannot be used. */
    const char *settings_skipped;       /* Why not, where that is no fault of theirs; or NULL. */
    const struct doctor_daemon *daemon; /* NULL: not asked. */
    const char *logs[DOCTOR_LOGS_MAX];  /* --log; "-": standard input. None: the usual files. */
    size_t log_count;
    const char *capture;   /* --capture: a file of packets; "-": standard input. NULL: none. */
    uint16_t capture_port; /* --port: of SMTP, beside the usual ones; 0: none. */
    const char *smtp_host; /* --smtp: outbound port 25 is tried there; NULL: not at all. */
    const char *domain;    /* --domain: whose MX is looked up; NULL: mydomain of main.cf. */
    bool is_offline;       /* --offline: no questions, no connections. */
    const struct dns_given *given; /* For tests: who is asked what; NULL: as the host says. */
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
