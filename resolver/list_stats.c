/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/list_stats.h"

#include "base/clock.h"
#include "base/must.h"

const struct metric_row list_metric_rows[] = {
#define METRIC_COUNTER(name, sentence) {#name, METRIC_KIND_COUNTER, sentence},
#include "resolver/list_metrics.def"
#undef METRIC_COUNTER
};

const size_t list_metric_row_count = sizeof list_metric_rows / sizeof list_metric_rows[0];

uint64_t list_stats_read(const struct list_stats *stats, size_t index)
{
    const struct counter *const counters[] = {
#define METRIC_COUNTER(name, sentence) &stats->name,
#include "resolver/list_metrics.def"
#undef METRIC_COUNTER
    };
    must(index < list_metric_row_count);
    return counter_read(counters[index]);
}

static uint64_t list_stats_hour(int64_t now)
{
    return (uint64_t)(now / (3600 * CLOCK_US_PER_S));
}

void list_stats_send(struct list_stats *stats, int64_t now)
{
    uint64_t hour = list_stats_hour(now);
    uint64_t last = counter_read(&stats->hour);
    /* The hours in between had none; after a day all of them are past. */
    for (unsigned i = 0; last < hour && i < LIST_STATS_HOURS; i++) {
        last++;
        counter_set(&stats->hours[last % LIST_STATS_HOURS], 0);
    }
    counter_set(&stats->hour, hour);
    counter_add(&stats->hours[hour % LIST_STATS_HOURS], 1);
    counter_add(&stats->sent, 1);
}

uint64_t list_stats_day(const struct list_stats *stats, int64_t now)
{
    uint64_t hour = list_stats_hour(now);
    uint64_t last = counter_read(&stats->hour);
    uint64_t sum = 0;
    for (uint64_t back = 0; back < LIST_STATS_HOURS && back <= last; back++) {
        uint64_t at = last - back;
        if (at + LIST_STATS_HOURS > hour) {
            sum += counter_read(&stats->hours[at % LIST_STATS_HOURS]);
        }
    }
    return sum;
}
