/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * When more questions come in than can be asked upstream, the cached answers go first: what waits
 * in a receive queue waits behind everybody's questions, and the kernel drops from its end whoever
 * they are from. New questions then get what time is left over, and SERVFAIL when none is.
 *
 * A socket is under pressure when its queue has not been found empty for PRESSURE_PATIENCE_US: so
 * long a burst may take. From then on, for as long as questions have to be shed, it is relieved as
 * soon as its queue has not been empty for PRESSURE_DELAY_US, which is therefore about what a
 * cached answer waits. All is as before when nothing had to be shed for PRESSURE_CALM_US.
 *
 * Plain data, one for each socket. Times are of one clock that never goes backward, in
 * microseconds.
 */
#define PRESSURE_PATIENCE_US 200000
#define PRESSURE_DELAY_US    1000
#define PRESSURE_CALM_US     1000000

struct pressure {
    int64_t full_since; /* The queue has not been empty since; 0: it has. */
    int64_t shed_at;    /* When relief was last needed. */
    bool is_on;
};

/* The queue has been read once, at `now`; `is_empty`: to its end. */
void pressure_on_read(struct pressure *pressure, bool is_empty, int64_t now);

/* New questions are to be shed. */
bool pressure_is_high(struct pressure *pressure, int64_t now);
