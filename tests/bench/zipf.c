/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/zipf.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"

bool zipf_init(struct zipf *zipf, uint32_t count, double exponent)
{
    double sum = 0;
    zipf->count = count;
    zipf->sums = calloc(count, sizeof(*zipf->sums));
    if (zipf->sums == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        sum += pow((double)i + 1, -exponent);
        zipf->sums[i] = sum;
    }
    return true;
}

void zipf_fini(struct zipf *zipf)
{
    free(zipf->sums);
    *zipf = (struct zipf){.sums = NULL};
}

uint32_t zipf_draw(const struct zipf *zipf, struct random *random)
{
    double part = (double)random_u32(random) / ((double)UINT32_MAX + 1);
    double target = part * zipf->sums[zipf->count - 1];
    uint32_t low = 0;
    uint32_t high = zipf->count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zipf->sums[middle] > target) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}
