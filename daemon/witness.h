/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "resolver/observer.h"

/*
 * Who is told of every question: the query log and dnstap, as the settings want it. One set of
 * witnesses for the daemon, made by the main thread, and for each worker the observer that passes
 * on what its resolver tells, and counts what found no room.
 */
struct daemon_stats;
struct dnstap;
struct query_log;
struct settings;
struct trouble;

/* Zeroed: nobody is told. */
struct witnesses {
    struct query_log *query_log;
    struct dnstap *dnstap;
};

struct witnesses_options {
    const struct settings *settings;
    const char *version;
    struct daemon_stats *stats; /* The main thread's. */
};

/* As the user that the daemon runs as. False: memory is short. */
bool witnesses_init(
    struct witnesses *witnesses, const struct witnesses_options *options, struct trouble *trouble);

/* When the workers have gone. */
void witnesses_fini(struct witnesses *witnesses);

/* Files may have been moved away. */
void witnesses_reopen(struct witnesses *witnesses);

/* Embedded in its worker. */
struct witness {
    struct observer observer;
    const struct witnesses *all;
    size_t index;
    struct daemon_stats *stats;
};

/* NULL: nobody is to be told. `stats` is the worker's. */
const struct observer *witness_init(
    struct witness *witness, const struct witnesses *all, size_t index, struct daemon_stats *stats);
