/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * `mxcache lookup --trace`: has the daemon ask anew, and prints what happens as it happens. Looks
 * every LOOKUP_TRACE_LOOK_MS at what is new; ends with the answer, which comes within the daemon's
 * answer_deadline, or after LOOKUP_TRACE_LIMIT_S without one. Main thread.
 */
#define LOOKUP_TRACE_LOOK_MS 20
#define LOOKUP_TRACE_LIMIT_S 120

struct client_place;
struct name_argument;

/* Returns the exit code. */
int lookup_trace_run(
    const struct client_place *place, const struct name_argument *name, uint16_t type);
