/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/metrics.h"

/*
 * What one worker has counted about one DNS list: the rows of list_metrics.def, how long its
 * clients waited, how long upstream took, and how many messages went there in the last day, which
 * is what its free quota is about. One writer (the worker), any readers.
 */
#define LIST_STATS_HOURS 24

struct list_stats {
#define METRIC_COUNTER(name, sentence) struct counter name;
#include "resolver/list_metrics.def"
#undef METRIC_COUNTER
    struct histogram wait;                  /* Of clients, whatever the outcome. */
    struct histogram miss;                  /* From the first message of a fetch to its end. */
    struct counter hours[LIST_STATS_HOURS]; /* Messages sent in each hour of the last day. */
    struct counter hour;                    /* The one that is being counted; hours since 0. */
};

extern const struct metric_row list_metric_rows[];
extern const size_t list_metric_row_count;

/* The counter of row `index`; rows and struct have one order. */
uint64_t list_stats_read(const struct list_stats *stats, size_t index);

/* One more message to the list. */
void list_stats_send(struct list_stats *stats, int64_t now);

/* Messages sent in the last 23 to 24 hours. */
uint64_t list_stats_day(const struct list_stats *stats, int64_t now);
