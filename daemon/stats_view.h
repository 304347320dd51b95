/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/metrics.h"
#include "mail/sequel.h"
#include "resolver/server.h"
#include "resolver/stats.h"
#include "daemon/lately.h"
#include "daemon/stats_list.h"

/*
 * The daemon's statistics as they are shown, and what can be said about them. Filled from the house
 * itself (daemon/stats_fill.h) or from what the control socket told (cmd/stats_read.h); everything
 * that is shown is a pure function of it. Large: on the heap, owned by whoever made it. The numbers
 * count since the daemon's start, or since `covers_s` ago.
 */
#define STATS_METRICS_MAX   256
#define STATS_UPSTREAMS_MAX 512
#define STATS_WORD_SIZE     64
#define STATS_ADDRESS_SIZE  80
#define STATS_TLS_SIZE      256

struct stats_metric {
    char name[STATS_WORD_SIZE];
    enum metric_kind kind;
    uint64_t value;
    const char *sentence; /* NULL: of another version, not known here. */
};

struct stats_upstream {
    char group[STATS_WORD_SIZE];
    char address[STATS_ADDRESS_SIZE];
    char tls_name[STATS_TLS_SIZE]; /* Empty: plain. */
    char state[STATS_WORD_SIZE];   /* See server_state() of resolver/server.h. */
    uint64_t sent;
    uint64_t answered;
    uint64_t failed;
    uint64_t timed_out;
    uint64_t lost;
    uint64_t latency_us; /* Smoothed round trip. */
    uint64_t p50_us;
    uint64_t p90_us;
    uint64_t p99_us;
    uint64_t max_us;
    struct histogram_sum round_trips[SERVER_WAYS];
};

struct stats_view {
    char version[STATS_WORD_SIZE];
    uint64_t uptime_s;
    uint64_t workers;
    uint64_t pid;
    uint64_t covers_s; /* The numbers are those of the last so many seconds; 0: since the start. */
    bool knows_lately; /* Not of a daemon of an older version. */
    struct lately_count lately;
    struct stats_metric metrics[STATS_METRICS_MAX];
    size_t metric_count;
    struct histogram_sum waits[QUESTION_CLASSES][OUTCOMES];
    struct stats_upstream upstreams[STATS_UPSTREAMS_MAX];
    size_t upstream_count;
    struct stats_list lists[STATS_LISTS_MAX];
    size_t list_count;
    bool ahead_is_on[SEQUEL_STEPS]; /* Is it asked ahead by that step at present? */
};

enum stats_health {
    STATS_HEALTH_IDLE, /* Nothing was asked in this time. */
    STATS_HEALTH_WELL,
    STATS_HEALTH_LIMPING, /* Some servers rest; others of their group answer. */
    STATS_HEALTH_FAILING, /* More than 1 % of these questions got SERVFAIL. */
    STATS_HEALTH_CUT_OFF, /* A whole group of upstream servers does not answer. */
};

/* What health is judged by: the time that the view covers, or the last ten minutes. */
struct lately_count stats_view_lately(const struct stats_view *view);
enum stats_health stats_view_health(const struct stats_view *view);

/* The same, judged by other questions than those of the view: `failed` of `count`. */
enum stats_health stats_view_health_of(
    const struct stats_view *view, uint64_t count, uint64_t failed);
const char *stats_health_name(enum stats_health health);

/* The value of a metric, 0 when the daemon did not tell it. */
uint64_t stats_view_metric(const struct stats_view *view, const char *name);

bool stats_upstream_is_resting(const struct stats_upstream *upstream);

/* By what the messages of that way travel: "udp", "tcp", "tls". NULL: none go to this server. */
const char *stats_upstream_transport(const struct stats_upstream *upstream, enum server_way way);

/* What came of asking ahead by a step: questions asked, and of these those that a client has asked
 * since. The others were in vain, so far. */
uint64_t stats_view_ahead_asked(const struct stats_view *view, enum sequel_step step);
uint64_t stats_view_ahead_used(const struct stats_view *view, enum sequel_step step);
uint64_t stats_view_ahead_wasted(const struct stats_view *view, enum sequel_step step);

/* Waits added up: over the outcomes, over the classes, over both. `sum_out` is overwritten. */
void stats_view_sum_class(
    const struct stats_view *view, enum question_class class, struct histogram_sum *sum_out);
void stats_view_sum_outcome(
    const struct stats_view *view, enum outcome outcome, struct histogram_sum *sum_out);

/* Is a question with this outcome answered without waiting for upstream? Hit, stale and local. */
bool outcome_is_here(enum outcome outcome);

/* Questions of one class that were answered without waiting for upstream: hit, stale and local. */
uint64_t stats_view_here(const struct stats_view *view, enum question_class class);

/* All questions that have had an answer. */
uint64_t stats_view_count(const struct stats_view *view);
