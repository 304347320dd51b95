/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

/*
 * Keeps what outlives the process: loads the snapshot at start, while questions are answered
 * already, and writes it every snapshot_interval and at a clean stop. The file is the affair of a
 * thread of its own; the main thread gathers from the workers what they have learned, tells them
 * what was loaded, and counts. A worker meets the thread only at the locks of the cache's shards. A
 * file that there is no descriptor or memory for is tried again each snapshot_interval.
 *
 * Trouble with the file costs the snapshot and nothing else: a line in the log, a counter. Main
 * thread.
 */
struct keeper;
struct ev_loop;
struct cache;
struct identity;
struct settings;
struct worker;
struct daemon_stats;

struct keeper_options {
    struct ev_loop *loop;
    const struct settings *settings; /* Copied in what is needed. */
    struct cache *cache;             /* Like the workers, outlives the keeper. */
    struct worker *const *workers;
    size_t worker_count;
    struct daemon_stats *stats;
};

/* Makes the snapshot's directory for `identity` where there is none; before root is given up. What
 * fails here is said when it matters. */
void keeper_prepare(const struct settings *settings, const struct identity *identity);

/* Begins to load. NULL: nothing is to be kept, or there is no memory or thread for it, which is
 * logged. */
struct keeper *keeper_new(const struct keeper_options *options);

/* Writes a last time, if something has changed, while the workers still run; ends the thread. NULL
 * is nobody. */
void keeper_finish(struct keeper *keeper);
void keeper_free(struct keeper **keeper);

/* Brings its gauges up to date. NULL is nobody. */
void keeper_refresh(const struct keeper *keeper);
