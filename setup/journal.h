/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "setup/path_state.h"

/*
 * What setup has changed, so that it can be undone byte for byte, after an interrupted run too. For
 * each path two states are on disk before the path is touched: what was there, and what was put
 * there. Kept in JOURNAL_FOLDER, which is root's alone. A path that is changed again keeps its
 * first state, so that undoing leads back to before the first setup.
 *
 *     JOURNAL_FOLDER/journal     a line a path: NUMBER KIND MODE UID GID SECONDS NANOSECONDS PATH
 *     JOURNAL_FOLDER/NUMBER.was  the bytes that were there; of a symlink, its target
 *     JOURNAL_FOLDER/NUMBER.set  the bytes that setup put there; gone: they are there no more
 *     JOURNAL_FOLDER/kept-*      what somebody made of a file between two runs; never removed
 *
 * Main thread.
 */
struct failure;
struct host;

#define JOURNAL_FOLDER      "/var/lib/mxcache-setup"
#define JOURNAL_ENTRIES_MAX 128

struct journal_entry {
    char *path; /* Owned. */
    struct path_state was;
    struct path_state set; /* ABSENT until something was, and once it has been undone. */
    bool is_of_run;        /* Recorded since the journal was read. */
};

struct journal {
    const struct host *host;
    struct journal_entry entries[JOURNAL_ENTRIES_MAX];
    size_t count;
};

/* One setup at a time: two would take each other's files for those that were there. A descriptor
 * that holds until it is closed; -1: another one runs, or there is no place for the journal. */
int journal_lock(const struct host *host, struct failure *failure_out);

/* Reads what is on disk; without a journal it is empty. False: it cannot be read. */
bool journal_read(struct journal *journal, const struct host *host, struct failure *failure_out);
void journal_fini(struct journal *journal);

/* On disk once it returns true: what is at the path now, unless the path is known already, and what
 * is about to be put there. */
bool journal_record(struct journal *journal, const char *path, const struct path_state *set,
    struct failure *failure_out);

/* NULL: setup has not touched the path. */
struct journal_entry *journal_find(struct journal *journal, const char *path);

/* What was at the path is back, though other paths are not: what comes to it later is not ours, and
 * a later setup notes it anew. */
bool journal_forget(
    struct journal *journal, struct journal_entry *entry, struct failure *failure_out);

/* A file that is about to be replaced and that neither setup nor anybody before it has written, is
 * put beside the journal, once. */
#define JOURNAL_KEPT_SIZE 256
bool journal_keep(const struct journal *journal, const char *path, const struct path_state *now,
    char kept_out[JOURNAL_KEPT_SIZE], struct failure *failure_out);

/* Everything has been undone: no journal any more. */
bool journal_remove(struct journal *journal, struct failure *failure_out);
