/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/tally.h"

#include <stdlib.h>

bool tally_init(struct tally *tally, uint32_t capacity)
{
    *tally = (struct tally){.capacity = capacity};
    tally->values = calloc(capacity, sizeof(*tally->values));
    return tally->values != NULL;
}

void tally_fini(struct tally *tally)
{
    free(tally->values);
    *tally = (struct tally){.values = NULL};
}

void tally_add(struct tally *tally, int64_t duration_us)
{
    if (tally->count < tally->capacity) {
        tally->values[tally->count++] =
            duration_us > UINT32_MAX ? UINT32_MAX : (uint32_t)duration_us;
    }
}

static int value_compare(const void *a, const void *b)
{
    const uint32_t *left = a;
    const uint32_t *right = b;
    return (*left > *right) - (*left < *right);
}

static double value_at(const struct tally *tally, unsigned permille)
{
    uint64_t at = (uint64_t)tally->count * permille / 1000;
    return (double)tally->values[at < tally->count ? at : tally->count - 1] / 1000;
}

struct tally_summary tally_sum_up(struct tally *tally)
{
    double sum = 0;
    if (tally->count == 0) {
        return (struct tally_summary){.mean_ms = 0};
    }
    for (uint32_t i = 0; i < tally->count; i++) {
        sum += (double)tally->values[i] / 1000;
    }
    qsort(tally->values, tally->count, sizeof(*tally->values), value_compare);
    return (struct tally_summary){
        .mean_ms = sum / tally->count,
        .median_ms = value_at(tally, 500),
        .p99_ms = value_at(tally, 990),
        .worst_ms = value_at(tally, 1000),
    };
}

struct tally_summary tally_sum_up_later(struct tally *tally)
{
    struct tally later = {
        .values = tally->values + tally->count / 2,
        .count = tally->count - tally->count / 2,
    };
    return tally_sum_up(&later);
}
