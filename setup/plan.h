/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "setup/path_state.h"

/*
 * What putting this host on mxcache takes, as steps in the order in which they are safe: until
 * mxcache is known to answer, nothing that resolves names is touched. Made from what the host is
 * like, changes nothing itself; what is as it should be gets no step. Owns its text. Main thread.
 */
struct facts;
struct failure;
struct host;
struct settings;

#define PLAN_STEPS_MAX 128
#define PLAN_NOTES_MAX 32
#define PLAN_WORDS_MAX 6

enum step_kind {
    STEP_WRITE, /* A file is replaced. */
    STEP_RUN,   /* A program is run. */
    STEP_AWAIT, /* mxcache must answer, or setup stops here. */
};

struct step {
    enum step_kind kind;
    char *why; /* A clause: "so that NetworkManager leaves /etc/resolv.conf alone". */
    char *path;
    struct path_state set;
    bool makes_folder;
    char *words[PLAN_WORDS_MAX + 1]; /* Of RUN, NULL at the end; the first is an absolute path. */
    bool is_vital;                   /* Of RUN: setup stops when it fails. */
};

struct plan {
    struct step steps[PLAN_STEPS_MAX];
    size_t step_count;
    char *notes[PLAN_NOTES_MAX]; /* What the operator should know or do by hand. */
    size_t note_count;
    bool leaves_resolv_conf; /* It is out of reach: the host will not ask mxcache yet. */
    struct address self;     /* Where mxcache answers, with port 53. */
    struct address upstreams[16];
    size_t upstream_count; /* The servers that mxcache is going to ask. */
};

struct plan_case {
    const struct host *host;
    const struct facts *facts;
    const struct settings *settings; /* mxcache's, as loaded. */
    const char *conf_path;           /* Of the file that these came from. */
    const char *upstreams;           /* --upstreams: in place of what is found; NULL. */
};

/* Starts from a zeroed plan. False: it cannot be done; the failure says why. plan_fini() anyhow. */
bool plan_make(struct plan *plan, const struct plan_case *facts, struct failure *failure_out);
void plan_fini(struct plan *plan);

/* After everything has been put back: what makes the programs read the old files again. */
struct journal;
void plan_make_undo(
    struct plan *plan, const struct plan_case *facts, const struct journal *journal);

/* For the files that make parts of the plan. A write that changes nothing is left out, an existing
 * file keeps its rights. What finds no room makes the plan fail at its end. */
bool plan_add_write(struct plan *plan, const struct host *host, const char *path, const char *bytes,
    const char *why);
bool plan_add_run(struct plan *plan, const char *why, bool is_vital, const char *const *words);
__attribute__((format(printf, 2, 3))) void plan_note(struct plan *plan, const char *format, ...);
