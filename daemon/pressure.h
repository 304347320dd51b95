/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * When more comes in than can be answered, what waits in a receive queue waits behind everybody's
 * questions, and the kernel drops from its end whoever they are from. Then cached answers go first;
 * new questions get what time is left over, and SERVFAIL when none is.
 *
 * A queue that has not been found empty for PRESSURE_PATIENCE_US is suspicious: a burst may take so
 * long, and clients who wait for answers before they ask on may keep it from ever being empty. Only
 * if it is crowded as well is it under pressure. From then on it is to be empty every
 * PRESSURE_DELAY_US, which is therefore about what a cached answer waits. All is as before when
 * that took less than one of PRESSURE_CALM_SHARE of the last PRESSURE_CALM_US: a flood that is held
 * takes more, while the bursts of honest clients, who come when it has gone, do not.
 *
 * Plain data, one for each socket. Times are of one clock that never goes backward, in
 * microseconds.
 */
#define PRESSURE_PATIENCE_US 200000
#define PRESSURE_DELAY_US    1000
#define PRESSURE_CALM_US     10000000
#define PRESSURE_CALM_SHARE  16

enum pressure_level {
    PRESSURE_NONE,
    PRESSURE_SUSPECTED, /* High if the queue is crowded; say so by pressure_raise(). */
    PRESSURE_HIGH,      /* New questions are to be shed. */
};

struct pressure {
    int64_t full_since; /* The queue has not been empty since; 0: it has. */
    int64_t read_at;    /* Before that, if it has not. */
    int64_t judged_at;  /* While `is_on`: what it took is counted since. */
    int64_t high_us;    /* So much of the time it was high. */
    bool is_on;
};

/* The queue has been read once, at `now`; `is_empty`: to its end. */
enum pressure_level pressure_on_read(struct pressure *pressure, bool is_empty, int64_t now);

/* It is under pressure from now on, or still is. */
void pressure_raise(struct pressure *pressure, int64_t now);
