/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/stats.h"

#include "base/must.h"

const struct metric_row daemon_metric_rows[] = {
#define METRIC_COUNTER(name, sentence) {#name, METRIC_KIND_COUNTER, sentence},
#define METRIC_GAUGE(name, sentence)   {#name, METRIC_KIND_GAUGE, sentence},
#include "daemon/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
};

const size_t daemon_metric_row_count = sizeof daemon_metric_rows / sizeof daemon_metric_rows[0];

_Static_assert(
    sizeof(struct daemon_stats) ==
        sizeof daemon_metric_rows / sizeof daemon_metric_rows[0] * sizeof(struct counter),
    "The struct holds the rows and nothing else.");

uint64_t daemon_stats_read(const struct daemon_stats *stats, size_t index)
{
    must(index < daemon_metric_row_count);
    return counter_read((const struct counter *)stats + index);
}
