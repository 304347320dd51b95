/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

/*
 * The service manager's watchdog is fed only when every worker has turned since the last look; an
 * idle one does because it is nudged. So a worker that hangs lets the manager restart us, however
 * well the others are. Main thread.
 */
struct notify;
struct worker;

struct watchdog {
    uint64_t *turns_seen; /* Of each worker, at the last look. Owned. */
    size_t worker_count;
    int64_t looked_at; /* The last look. */
    struct log_limit limit;
};

/* False: memory is short. */
bool watchdog_init(struct watchdog *watchdog, size_t worker_count);
void watchdog_fini(struct watchdog *watchdog);

/* Looks at the workers, tells the manager, and nudges them for the next time. */
void watchdog_look(struct watchdog *watchdog, struct worker *const *workers,
    const struct notify *notify, int64_t now);
