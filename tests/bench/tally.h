/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * A bounded heap of durations, to be told in few numbers. Exact: all of them are kept, and sorted
 * when they are asked for. One owner, one thread.
 */
struct tally {
    uint32_t *values; /* Microseconds. */
    uint32_t count;
    uint32_t capacity; /* Further ones are not taken. */
};

struct tally_summary {
    double mean_ms;
    double median_ms;
    double p99_ms;
    double worst_ms;
};

/* False when memory is short. */
bool tally_init(struct tally *tally, uint32_t capacity);
void tally_fini(struct tally *tally);

void tally_add(struct tally *tally, int64_t duration_us);

/* Zeros when there is nothing. */
struct tally_summary tally_sum_up(struct tally *tally);

/* Of the half that was added later: what a cache that knows the first half makes of it. To be asked
 * for first, since summing up loses the order. */
struct tally_summary tally_sum_up_later(struct tally *tally);
