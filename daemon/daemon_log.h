/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * What the daemon as a whole tells the log: its findings about the settings, what it has done when
 * it ends, and, once a minute, which counters have grown that should not. For these no line is
 * written where they are counted: it would be one for each datagram of whoever floods us. Main
 * thread.
 */
struct export;
struct findings;

void daemon_log_findings(const struct findings *findings);

/* `export` as it was gathered last, after the last answer. */
void daemon_log_ended(const struct export *export, int64_t uptime_us);

/* What the counters stood at a minute ago. Zeroed at first. */
#define DAEMON_LOG_COUNTERS_MAX 20

struct daemon_log_minute {
    uint64_t seen[DAEMON_LOG_COUNTERS_MAX];
};

void daemon_log_minute(struct daemon_log_minute *minute, const struct export *export);
