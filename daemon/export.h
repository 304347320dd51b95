/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/histogram.h"
#include "cache/cache.h"
#include "conf/settings.h"
#include "resolver/server.h"
#include "resolver/stats.h"
#include "daemon/export_lists.h"
#include "daemon/lately.h"
#include "daemon/stats.h"

/*
 * All numbers of the house, gathered from the cache, every worker and the main thread into one
 * struct and added up. Gathering only: what they look like is the reader's affair. Workers are
 * asked one after another by worker_call(). Main thread.
 */
struct keeper;
struct worker;

/* How many rows a metrics.def has, as a constant. */
enum export_rows {
#define METRIC_COUNTER(name, sentence) +1
#define METRIC_GAUGE(name, sentence)   +1
    EXPORT_RESOLVER_ROWS = 0
#include "resolver/metrics.def"
        ,
    EXPORT_DAEMON_ROWS = 0
#include "daemon/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
};

#define EXPORT_UPSTREAMS_MAX (SETTINGS_GROUPS_MAX * SETTINGS_SERVERS_MAX)

/* One upstream server of one group, over all workers. */
struct export_upstream {
    char group[SETTINGS_NAME_SIZE];
    struct address address;
    char tls_name[SETTINGS_TLS_SIZE]; /* Empty: plain. */
    const char *state;                /* The worst that a worker thinks of it. */
    uint64_t sent;
    uint64_t answered;
    uint64_t failed;
    uint64_t timed_out;
    uint64_t lost;
    uint64_t latency_us; /* Smoothed, averaged by the answers that each worker had. */
    struct histogram_sum latency[SERVER_WAYS];
};

struct export
{
    struct cache_metrics cache;
    uint64_t resolver[EXPORT_RESOLVER_ROWS];
    uint64_t daemon[EXPORT_DAEMON_ROWS];
    struct histogram_sum wait[QUESTION_CLASSES][OUTCOMES];
    struct lately_count lately;
    size_t upstream_count;
    struct export_upstream upstreams[EXPORT_UPSTREAMS_MAX];
    bool ahead_is_on[SEQUEL_STEPS]; /* For one worker at least. */
    struct export_lists lists;
};

/* Where the numbers come from. */
struct export_sources {
    struct cache *cache;
    struct worker *const *workers;
    size_t worker_count;
    const struct daemon_stats *main_stats;
    const struct keeper *keeper; /* NULL: none. */
    const struct lately *lately; /* NULL: all since the start is lately. */
};

/* Large, so it is made once. NULL when memory is short. */
struct export *export_new(void);
void export_free(struct export **export);

/* Fills it anew. */
void export_gather(struct export *export, const struct export_sources *sources);

/* What clients have asked since the start. */
struct lately_count export_questions(const struct export *export);

/* The value of a row of cache_metric_rows. */
uint64_t export_cache_value(const struct export *export, size_t index);
