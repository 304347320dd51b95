/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * A server's round trips as a decaying distribution: what it has been like lately, not since the
 * start. Four buckets an octave from 64 us to 4 s; each sample takes half a per cent off the weight
 * of all earlier ones, so about the last 200 count. From it come the moments at which waiting on is
 * no longer worth it. One worker's.
 */
#define LATENCY_BUCKETS   65
#define LATENCY_WINDOW    200
#define LATENCY_KNOWN_MIN 16 /* Fewer samples tell nothing about a tail. */

struct latency {
    float weight[LATENCY_BUCKETS];
    float total;
    float unit;     /* What the next sample weighs: it grows, instead of all others shrinking. */
    uint32_t count; /* Samples, at most LATENCY_WINDOW. */
};

void latency_add(struct latency *latency, int64_t round_trip_us);

/* The round trip that `permille`/1000 of the recent ones stayed below, to the upper edge of its
 * bucket (at most 19 % too much); 0 when fewer than LATENCY_KNOWN_MIN are known. */
int64_t latency_quantile(const struct latency *latency, unsigned permille);
