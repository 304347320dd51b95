/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/stats_list.h"

/*
 * The DNS lists of all workers, added up by zone: a part of daemon/export.h.
 */
struct resolver;

struct export_lists {
    size_t count;
    struct stats_list items[STATS_LISTS_MAX]; /* Further ones count with the last. */
};

/* In the worker's thread. */
void export_lists_add(struct export_lists *lists, const struct resolver *resolver, int64_t now);

/* Fills in the quantiles. */
void export_lists_finish(struct export_lists *lists);
