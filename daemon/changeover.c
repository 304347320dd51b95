/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/changeover.h"

#include <stdlib.h>

#include "conf/settings.h"
#include "daemon/worker.h"

struct change {
    const struct settings *settings;
    bool is_whole;
};

static void change_worker(struct worker *worker, void *context)
{
    struct change *change = context;
    change->is_whole &= worker_set_settings(worker, change->settings);
}

static bool changeover_all(
    const struct changeover_workers *workers, const struct settings *settings)
{
    struct change change = {settings, true};
    for (size_t i = 0; i < workers->count; i++) {
        worker_call(workers->all[i], change_worker, &change);
    }
    return change.is_whole;
}

/* Has all workers look at `old` again, and ends what they leave; NULL: they do. */
static bool changeover_return(struct changeover *changeover,
    const struct changeover_workers *workers, const struct settings *old, struct settings *left)
{
    bool is_back = left == NULL || changeover_all(workers, old);
    changeover->stranded = is_back ? NULL : left;
    if (is_back) {
        free(left);
    }
    return is_back;
}

bool changeover_make(struct changeover *changeover, const struct changeover_workers *workers,
    const struct settings *old, struct settings *next)
{
    if (!changeover_return(changeover, workers, old, changeover->stranded)) {
        free(next);
        return false;
    }
    if (!changeover_all(workers, next)) {
        (void)changeover_return(changeover, workers, old, next);
        return false;
    }
    return true;
}

void changeover_fini(struct changeover *changeover)
{
    free(changeover->stranded);
    *changeover = (struct changeover){.stranded = NULL};
}
