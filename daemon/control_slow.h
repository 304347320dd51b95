/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What the control commands say about single questions (daemon/control.h): the slow and the failed
 * ones of all workers, and time lines. Main thread.
 */
struct export_sources;
struct text;
struct timeline;

struct control_slow_case {
    bool failed;      /* The failed ones, last first; else the slowest, slowest first. */
    bool shows_names; /* With the subjects of list questions. */
};

/* False: out of memory, and nothing was added. */
bool control_slow_add(struct text *answer, const struct export_sources *sources,
    const struct control_slow_case *wanted);

/* The events from number `from` on, a line each; and behind the last, how many were left out. */
void control_timeline_add(struct text *answer, const struct timeline *timeline, size_t from);
