/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/changeover.h"

#include "daemon/worker.h"

struct change {
    const struct settings *settings;
    bool is_ready;
};

static void prepare_worker(struct worker *worker, void *context)
{
    struct change *change = context;
    change->is_ready = change->is_ready && worker_prepare_settings(worker, change->settings);
}

static void take_worker(struct worker *worker, void *context)
{
    (void)context;
    worker_take_settings(worker);
}

static void leave_worker(struct worker *worker, void *context)
{
    (void)context;
    worker_leave_settings(worker);
}

bool changeover_make(
    struct worker *const *workers, size_t worker_count, const struct settings *next)
{
    struct change change = {.settings = next, .is_ready = true};
    for (size_t i = 0; i < worker_count; i++) {
        worker_call(workers[i], prepare_worker, &change);
    }
    for (size_t i = 0; i < worker_count; i++) {
        worker_call(workers[i], change.is_ready ? take_worker : leave_worker, NULL);
    }
    return change.is_ready;
}
