/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * From old settings to new ones under running workers: all of them change over, or none does. Going
 * back takes memory as going on does, so it may fail, too; who has not come back still looks at the
 * new settings. They are stranded then: kept until everybody has left them, and nothing else is
 * changed before that. Main thread.
 */
struct settings;
struct worker;

struct changeover {
    struct settings *stranded; /* NULL: all workers look at the same settings. */
};

struct changeover_workers {
    struct worker *const *all;
    size_t count;
};

/* True: all workers have left `old`, which the caller frees. False: memory is short; `next` belongs
 * to the changeover. */
bool changeover_make(struct changeover *changeover, const struct changeover_workers *workers,
    const struct settings *old, struct settings *next);

/* The workers have ended. */
void changeover_fini(struct changeover *changeover);
