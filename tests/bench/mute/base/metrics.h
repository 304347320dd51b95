/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * base/metrics.h with counters that count nothing: what stands before the tree's own in the search
 * path of the bench that wants to know what counting costs (tests/bench/observe.py). Nothing but
 * that bench sees it.
 */
#define counter_add counter_add_aloud
#define counter_set counter_set_aloud
#include_next "base/metrics.h"
#undef counter_add
#undef counter_set

static inline void counter_add(struct counter *counter, uint64_t amount)
{
    (void)counter;
    (void)amount;
}

static inline void counter_set(struct counter *counter, uint64_t value)
{
    (void)counter;
    (void)value;
}
