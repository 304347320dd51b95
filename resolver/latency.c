/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/latency.h"

#define LATENCY_FLOOR_US   64
#define LATENCY_DECAY      0.995f
#define LATENCY_UNIT_LIMIT 1e6f

/* Four steps an octave: the bucket's upper edge in 1/1024 of the octave's lower edge. */
static const uint16_t latency_steps[4] = {1218, 1448, 1722, 2048};

static int64_t latency_edge(unsigned bucket)
{
    int64_t octave = (int64_t)LATENCY_FLOOR_US << (bucket / 4);
    return octave * latency_steps[bucket % 4] / 1024;
}

static unsigned latency_bucket(int64_t round_trip_us)
{
    unsigned bucket = 0;
    while (bucket < LATENCY_BUCKETS - 1 && latency_edge(bucket) < round_trip_us) {
        bucket++;
    }
    return bucket;
}

/* Brings the weights back to where a float has room. */
static void latency_rescale(struct latency *latency)
{
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        latency->weight[i] /= latency->unit;
    }
    latency->total /= latency->unit;
    latency->unit = 1.0f;
}

void latency_add(struct latency *latency, int64_t round_trip_us)
{
    latency->unit = latency->unit == 0.0f ? 1.0f : latency->unit / LATENCY_DECAY;
    latency->weight[latency_bucket(round_trip_us)] += latency->unit;
    latency->total += latency->unit;
    latency->count += latency->count < LATENCY_WINDOW ? 1 : 0;
    if (latency->unit > LATENCY_UNIT_LIMIT) {
        latency_rescale(latency);
    }
}

int64_t latency_quantile(const struct latency *latency, unsigned permille)
{
    if (latency->count < LATENCY_KNOWN_MIN) {
        return 0;
    }
    float wanted = latency->total * (float)permille / 1000.0f;
    float seen = 0.0f;
    unsigned bucket = 0;
    while (bucket < LATENCY_BUCKETS - 1 && (seen += latency->weight[bucket]) < wanted) {
        bucket++;
    }
    return latency_edge(bucket);
}
