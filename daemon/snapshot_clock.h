/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "cache/snapshot.h"

/*
 * What the monotonic clock said when the snapshot was begun, and in which run of the system: a
 * record of the file beside the head's wall clock. Most restarts are of the daemon alone, and then
 * the age of the file is known exactly, however the wall clock was set in the meantime. Of a file
 * from before a boot only the wall clock tells (cache/snapshot.h). Pure but for reading the run.
 */
#define SNAPSHOT_CLOCK_SIZE 8u

struct snapshot_clock {
    char boot[CLOCK_BOOT_SIZE]; /* "": the system does not say. */
    uint8_t bytes[SNAPSHOT_CLOCK_SIZE];
    struct snapshot_blob blob; /* Points into this. */
};

/* The record of `now` in this run. False: there is nothing to write down. */
bool snapshot_clock_make(struct snapshot_clock *clock_out, int64_t now);

bool snapshot_clock_is(const struct snapshot_blob *blob);

/* How long ago the record was made; -1: in another run, or it is of another form. */
int64_t snapshot_clock_age(const struct snapshot_blob *blob, int64_t now);
