/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct question;

/*
 * How the network treats a question: how long its answer takes, or that there is none. Delays are
 * lognormal, cut at the longest. What happens depends on the seed, the address, the question and
 * how often it has come to that address before, and on nothing else: resolvers that ask the same
 * meet the same luck. One owner, one thread.
 */
#define WEATHER_ADDRESSES_MAX 8
#define WEATHER_MEMORY        (1u << 20) /* Questions told apart; a power of two. */
#define WEATHER_SEEN          (1u << 27) /* Bits, for questions seen before; a power of two. */
#define WEATHER_NEVER         (-1)

struct weather_options {
    uint64_t seed;
    double delay_median_ms;
    double delay_sigma; /* Of the delay's natural logarithm. */
    double delay_max_ms;
    double loss_percent;
};

struct weather {
    struct weather_options options;
    uint16_t *asked;                            /* WEATHER_MEMORY counts, by question. */
    uint8_t *seen;                              /* WEATHER_SEEN bits, by question. */
    int64_t silent_from[WEATHER_ADDRESSES_MAX]; /* INT64_MAX: answers. */
    uint64_t
        distinct; /* Questions that came at least once, to any address, since weather_forget(). */
    bool is_dead; /* No address answers. */
};

/* False when memory is short. */
bool weather_init(struct weather *weather, const struct weather_options *options);
void weather_fini(struct weather *weather);

/* From `at` on the address answers nothing; INT64_MAX: it answers. */
void weather_silence(struct weather *weather, size_t address, int64_t at);

/* Counts `distinct` anew; the luck of questions goes on. */
void weather_forget(struct weather *weather);

/* Microseconds until the answer, or WEATHER_NEVER. `is_stream`: nothing is lost, for TCP asks
 * again by itself. */
int64_t weather_delay(struct weather *weather, size_t address, const struct question *question,
    bool is_stream, int64_t now);
