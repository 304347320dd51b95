/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * From old settings to new ones under running workers: all of them change over, or none does.
 * Whatever takes memory is made ready in all of them first, and then none can fail. Main thread.
 */
struct settings;
struct worker;

/* True: all workers look at `next`, and the old settings may be freed. False: memory is short, and
 * nobody has ever looked at `next`. */
bool changeover_make(
    struct worker *const *workers, size_t worker_count, const struct settings *next);
