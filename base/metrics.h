/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/*
 * Counters with one writer (a worker) and any number of readers (the exporter). A write is a plain
 * add, a read may be a moment old; nothing is ever reset, so that several readers do not disturb
 * each other. The rows stand in the metrics.def of each floor, each with its sentence:
 *
 *     METRIC_COUNTER(name, "What it counts, and what to do when it grows.")
 *     METRIC_GAUGE(name, "What stands there now.")
 */
struct counter {
    _Atomic uint64_t value;
};

static inline void counter_add(struct counter *counter, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(&counter->value, memory_order_relaxed);
    atomic_store_explicit(&counter->value, value + amount, memory_order_relaxed);
}

static inline void counter_set(struct counter *counter, uint64_t value)
{
    atomic_store_explicit(&counter->value, value, memory_order_relaxed);
}

static inline uint64_t counter_read(const struct counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

enum metric_kind {
    METRIC_KIND_COUNTER,
    METRIC_KIND_GAUGE,
};

/* One row of a metrics.def. A floor's table and its struct of counters have the same order. */
struct metric_row {
    const char *name;
    enum metric_kind kind;
    const char *sentence;
};
