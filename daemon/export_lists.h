/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "daemon/stats_list.h"

/*
 * The DNS lists of all workers, added up by zone: a part of daemon/export.h.
 */
struct resolver;

struct export_list {
    struct stats_list shown; /* Its quantiles are filled in by export_lists_finish(). */
    struct histogram_sum wait;
    struct histogram_sum miss;
};

struct export_lists {
    size_t count;
    struct export_list items[STATS_LISTS_MAX]; /* Further ones count with the last. */
};

/* In the worker's thread. */
void export_lists_add(struct export_lists *lists, const struct resolver *resolver, int64_t now);

void export_lists_finish(struct export_lists *lists);
