/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/metrics.h"

/*
 * What one thread of the daemon has counted: the rows of daemon/metrics.def. Each worker and the
 * main thread own one; a row is zero where a thread has nothing to do with it, and the exporter
 * adds them up. One writer, any readers.
 */
struct daemon_stats {
#define METRIC_COUNTER(name, sentence) struct counter name;
#define METRIC_GAUGE(name, sentence)   struct counter name;
#include "daemon/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
};

extern const struct metric_row daemon_metric_rows[];
extern const size_t daemon_metric_row_count;

/* The counter of row `index`; rows and struct have one order. */
uint64_t daemon_stats_read(const struct daemon_stats *stats, size_t index);
