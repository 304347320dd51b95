/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/weather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "wire/question.h"

#define HALF_TURN   3.14159265358979323846
#define ANY_ADDRESS UINT64_MAX

bool weather_init(struct weather *weather, const struct weather_options *options)
{
    *weather = (struct weather){.options = *options};
    for (size_t i = 0; i < WEATHER_ADDRESSES_MAX; i++) {
        weather->silent_from[i] = INT64_MAX;
    }
    weather->asked = calloc(WEATHER_MEMORY, sizeof(*weather->asked));
    weather->seen = calloc(WEATHER_SEEN / 8, 1);
    return weather->asked != NULL && weather->seen != NULL;
}

void weather_fini(struct weather *weather)
{
    free(weather->asked);
    free(weather->seen);
    weather->asked = NULL;
    weather->seen = NULL;
}

void weather_silence(struct weather *weather, size_t address, int64_t at)
{
    weather->silent_from[address] = at;
}

static uint64_t question_hash(
    const struct weather *weather, uint64_t address, const struct question *question)
{
    const struct hash_key key = {.k0 = weather->options.seed, .k1 = address};
    uint8_t bytes[NAME_SIZE_MAX + 2];
    memcpy(bytes, question->name, question->name_len);
    name_to_lower(bytes, question->name_len);
    bytes_put_u16(bytes + question->name_len, question->type);
    return hash_siphash13(&key, bytes, question->name_len + 2u);
}

static void distinct_count(struct weather *weather, const struct question *question)
{
    uint64_t hash = question_hash(weather, ANY_ADDRESS, question) & (WEATHER_SEEN - 1);
    uint8_t bit = (uint8_t)(1u << hash % 8);
    weather->distinct += (weather->seen[hash / 8] & bit) == 0;
    weather->seen[hash / 8] |= bit;
}

void weather_forget(struct weather *weather)
{
    memset(weather->seen, 0, WEATHER_SEEN / 8);
    weather->distinct = 0;
}

/* One draw in (0, 1) of several for the same ask. */
static double draw(uint64_t ask, uint64_t which)
{
    const struct hash_key key = {.k0 = ask, .k1 = which};
    uint64_t drawn = hash_siphash13(&key, "draw", 4);
    return ((double)(drawn >> 11) + 0.5) / 9007199254740992.0;
}

/* By the method of Box and Muller. */
static double draw_normal(uint64_t ask)
{
    return sqrt(-2 * log(draw(ask, 1))) * cos(2 * HALF_TURN * draw(ask, 2));
}

int64_t weather_delay(struct weather *weather, size_t address, const struct question *question,
    bool is_stream, int64_t now)
{
    const struct weather_options *options = &weather->options;
    uint64_t hash = question_hash(weather, address, question);
    uint64_t ask = hash + weather->asked[hash & (WEATHER_MEMORY - 1)]++;
    distinct_count(weather, question);
    bool is_lost = !is_stream && draw(ask, 0) * 100 < options->loss_percent;
    if (weather->is_dead || now >= weather->silent_from[address] || is_lost) {
        return WEATHER_NEVER;
    }
    if (options->delay_median_ms <= 0) {
        return 0;
    }
    double delay_ms = options->delay_median_ms * exp(options->delay_sigma * draw_normal(ask));
    if (delay_ms > options->delay_max_ms) {
        delay_ms = options->delay_max_ms;
    }
    return (int64_t)(delay_ms * (double)CLOCK_US_PER_MS);
}
