/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * The one door to the clocks. All times in the tree are int64_t microseconds, named `now` when they
 * are arguments; durations end in _us, _ms or _s. The monotonic clock counts from an arbitrary
 * point and includes suspended time (CLOCK_BOOTTIME), so a TTL does not stop when a host sleeps.
 * Any thread.
 */

#define CLOCK_US_PER_MS INT64_C(1000)
#define CLOCK_US_PER_S  INT64_C(1000000)

/* Microseconds on the monotonic clock. */
int64_t clock_now(void);

/* Microseconds since 1970-01-01 UTC. For files and people only; never for TTLs. */
int64_t clock_wall(void);

/* Which run of the system the monotonic clock counts in: some text, another one after each boot.
 * False: the system does not say; the text is then empty. */
#define CLOCK_BOOT_SIZE 37
bool clock_boot(char boot_out[CLOCK_BOOT_SIZE]);
