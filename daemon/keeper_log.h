/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "base/log.h"

/*
 * What the operator hears of the snapshot: one line for what was loaded, one for what in it was
 * damaged, and one a minute, with a remedy, while it cannot be written. Where nobody has asked for
 * a snapshot and the standard place is not to be had, that is worth no warning. Main thread.
 */
struct snapshot_report;

struct keeper_log {
    const char *path;
    bool is_standard; /* The path is the default's. */
    struct log_limit limit;
};

void keeper_log_init(struct keeper_log *log, const char *path);
void keeper_log_loaded(const struct keeper_log *log, const struct snapshot_report *report);

/* Of success nothing is said but at level debug. */
void keeper_log_written(struct keeper_log *log, const struct snapshot_report *report, int64_t now);
