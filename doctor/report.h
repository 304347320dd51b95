/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What the doctor has found: one entry for each thing seen, with what is healthy and why it matters
 * taken from the check's row of checks.def. Bytes of files, names and replies may be put into its
 * sentences as they are: what is not printable is escaped here, so nothing found can write to a
 * terminal. Bounded: REPORT_ENTRIES_MAX entries, REPORT_TEXT_MAX bytes a sentence. Main thread.
 */
#define REPORT_ENTRIES_MAX 512
#define REPORT_TEXT_MAX    2000
#define CHECK_NAME_MAX     16 /* Columns of a check's name. */
#define REPORT_PICTURE_MAX 16000

/* The rows of checks.def. */
enum check_id {
#define CHECK(group, id, ...) CHECK_##id,
#include "doctor/checks.def"
#undef CHECK
    CHECKS
};

enum check_group {
    GROUP_LISTENING,
    GROUP_FIREWALL,
    GROUP_CHROOT,
    GROUP_RESOLVER,
    GROUP_DNS,
    GROUP_LISTS,
    GROUP_FILTERS,
    GROUP_TIMEOUTS,
    GROUP_EVIDENCE,
};
#define CHECK_GROUPS 9

enum report_level {
    REPORT_GOOD,    /* As it should be. */
    REPORT_SKIPPED, /* Could not look, or there is nothing to look at; `seen` says why. */
    REPORT_NOTE,    /* Worth knowing; nothing is wrong. */
    REPORT_WARNING, /* Hurts under some circumstances, or could. */
    REPORT_ERROR,   /* Hurts mail now. */
};

/* How sure we are that this is as said, and matters. */
enum report_sure {
    REPORT_POSSIBLE,
    REPORT_LIKELY,
    REPORT_CERTAIN,
};

struct report_entry {
    enum check_id check;
    enum report_level level;
    enum report_sure sure;
    char *seen;    /* Owned, as the others; one or more sentences. */
    char *change;  /* NULL: nothing to do. The exact change, or command. */
    char *picture; /* NULL, or lines to look at, of fixed columns. */
    char *cause;   /* NULL, or the end of "The most likely cause of slow or refused mail: ". */
};

struct report {
    struct report_entry entries[REPORT_ENTRIES_MAX];
    size_t count;
    size_t dropped; /* More than fit. */
};

void report_init(struct report *report);
void report_fini(struct report *report);

/* Adds an entry. What was seen, in full sentences; a level of GOOD is said in a few words. */
__attribute__((format(printf, 5, 6))) void report_add(struct report *report, enum check_id check,
    enum report_level level, enum report_sure sure, const char *format, ...);

/* To the entry added last: the exact change to make; and the clause for the closing sentence, which
 * belongs to warnings and errors that explain slow or refused mail. */
__attribute__((format(printf, 2, 3))) void report_advise(
    struct report *report, const char *format, ...);
__attribute__((format(printf, 2, 3))) void report_blame(
    struct report *report, const char *format, ...);

/* To the entry added last: lines to look at, as they are; at most REPORT_PICTURE_MAX bytes. */
void report_picture(struct report *report, const char *lines);

/* Entries of a level. */
size_t report_count(const struct report *report, enum report_level level);

/* The entry whose cause is the most likely one: errors before warnings, the surer first, then in
 * the order of checks.def. NULL: none has a cause. */
const struct report_entry *report_likeliest(const struct report *report);

/* Of the rows of checks.def. */
const char *check_name(enum check_id check);
enum check_group check_group(enum check_id check);
const char *check_healthy(enum check_id check);
const char *check_why(enum check_id check);
const char *check_group_title(enum check_group group);
const char *report_level_name(enum report_level level);
const char *report_sure_name(enum report_sure sure);

/* False: there is no such check. */
bool check_find(const char *name, enum check_id *check_out);
