/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One thread that serves: a loop, a resolver, listeners and ways out of its own, and nothing shared
 * with other workers but the cache, which has locks, and the settings, which nobody changes. A turn
 * is: read batches from clients and replies from upstream, run what is ready or due, send, sleep
 * until the resolver's next deadline. One timer serves however many questions wait.
 *
 * The main thread owns the worker and reaches into it by worker_call() only; that is also how
 * statistics are gathered, settings changed and the end begun. Accessors marked "in the worker's
 * thread" are for functions that run by worker_call().
 */
struct worker;
struct settings;
struct cache;
struct worker_sockets;
struct resolver;
struct daemon_stats;
struct witnesses;

struct worker_options {
    const struct settings *settings; /* Kept until worker_take_settings(). */
    struct cache *cache;
    const char *version;                  /* A literal. */
    const struct worker_sockets *sockets; /* The descriptors are borrowed. */
    const struct witnesses *witnesses;    /* Outlive the worker; NULL: none. */
    size_t index;                         /* Among the workers, for the witnesses. */
};

/* Takes all memory; NULL when it is short. No thread yet. */
struct worker *worker_new(const struct worker_options *options);

/* The thread must have ended, or never begun. */
void worker_free(struct worker **worker);

/* Begins to serve. False: no thread to be had. */
bool worker_start(struct worker *worker);

/* Runs `function` in the worker's thread, between two events of its loop, and waits for it. In the
 * calling thread when the worker's has not begun. Main thread only. */
typedef void worker_function(struct worker *worker, void *context);
void worker_call(struct worker *worker, worker_function *function, void *context);

/* Ends the thread and waits for it. Clients that still wait get no answer: drain first. */
void worker_stop(struct worker *worker);

/* Turns of the loop so far, for the watchdog. An idle worker does not turn unless it is nudged. Any
 * thread. */
uint64_t worker_turns(const struct worker *worker);
void worker_nudge(struct worker *worker);

/* In the worker's thread: from here on no new question is taken. */
void worker_begin_drain(struct worker *worker);

/* In the worker's thread: no client is owed an answer. */
bool worker_is_quiet(const struct worker *worker);

/* In the worker's thread: makes everything ready for new settings. False: memory is short. */
bool worker_prepare_settings(struct worker *worker, const struct settings *settings);

/* In the worker's thread. From here on it looks at what it was made ready for, and no longer at the
 * old settings; or it stays with these after all. */
void worker_take_settings(struct worker *worker);
void worker_leave_settings(struct worker *worker);

/* In the worker's thread. */
struct resolver *worker_resolver(struct worker *worker);

/* In the worker's thread: asks the kernel for what only it has counted. */
void worker_note_kernel(struct worker *worker);

/* Any thread: counters. */
const struct daemon_stats *worker_stats(const struct worker *worker);
