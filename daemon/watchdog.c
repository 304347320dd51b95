/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/watchdog.h"

#include <stdlib.h>

#include "daemon/events.h"
#include "daemon/notify.h"
#include "daemon/worker.h"

bool watchdog_init(struct watchdog *watchdog, size_t worker_count)
{
    *watchdog = (struct watchdog){.worker_count = worker_count};
    watchdog->turns_seen = calloc(worker_count, sizeof *watchdog->turns_seen);
    return watchdog->turns_seen != NULL;
}

void watchdog_fini(struct watchdog *watchdog)
{
    free(watchdog->turns_seen);
    *watchdog = (struct watchdog){.worker_count = 0};
}

void watchdog_look(struct watchdog *watchdog, struct worker *const *workers,
    const struct notify *notify, int64_t now)
{
    bool is_well = true;
    watchdog->looked_at = now;
    for (size_t i = 0; i < watchdog->worker_count; i++) {
        uint64_t turns = worker_turns(workers[i]);
        is_well &= turns != watchdog->turns_seen[i];
        watchdog->turns_seen[i] = turns;
        worker_nudge(workers[i]);
    }
    if (is_well) {
        notify_live(notify);
    } else {
        log_event_limited(
            &event_worker_stuck, &watchdog->limit, now, "workers=%zu", watchdog->worker_count);
    }
}
