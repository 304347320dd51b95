/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * What the house has counted lately: the export as it would look if all counters had begun a while
 * ago. Each minute's growth is kept for a day (daemon/history.h); upstream servers and lists are
 * known again by their names. What stands there now (gauges, states, smoothed round trips) is left
 * as it is. Main thread.
 */
#define LOOK_BACK_ROWS_MAX 200 /* Servers and lists together; further ones keep what they have. */
#define LOOK_BACK_S_MAX    86400

struct export;
struct look_back;

/* NULL when memory is short. */
struct look_back *look_back_new(void);
void look_back_free(struct look_back **look_back);

/* About once a minute, with the export as it has just been gathered; it is only read. */
void look_back_note(struct look_back *look_back, struct export *export, int64_t now);

/* Turns the export, as it has just been gathered, into what was counted since `since`. Returns from
 * when on it counts; see history_since(). */
int64_t look_back_apply(struct look_back *look_back, struct export *export, int64_t since);
