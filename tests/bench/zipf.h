/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct random;

/*
 * Ranks drawn by Zipf's law: rank k with a weight of 1/(k+1)^exponent. A table of running sums, so
 * that a draw is a binary search.
 */
struct zipf {
    double *sums;
    uint32_t count;
};

/* False when memory is short. */
bool zipf_init(struct zipf *zipf, uint32_t count, double exponent);
void zipf_fini(struct zipf *zipf);

/* A rank in [0, count). */
uint32_t zipf_draw(const struct zipf *zipf, struct random *random);
