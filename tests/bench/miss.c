/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a question that nobody has asked before costs apart from the kernel: the resolver in this
 * process is asked the questions of the bench's mail world (house.h), each once, and has its
 * replies at once. So many are under way together as on a busy host.
 *
 *     miss [QUESTIONS]
 *
 * Prints nanoseconds of processor time per question, the median of nine runs. For instructions:
 *
 *     valgrind --tool=callgrind --toggle-collect=house_ask --toggle-collect=house_reply miss 20000
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "tests/bench/house.h"
#include "resolver/resolver.h"

#define RUNS          9
#define UNDER_WAY     64
#define QUESTIONS_MAX 10000000u

static int64_t cpu_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Their cost, without that of making up questions and replies. */
static int64_t miss_batch(struct house *house, uint32_t first, int64_t now)
{
    struct house_query queries[UNDER_WAY];
    unsigned hits = 0;
    for (unsigned i = 0; i < UNDER_WAY; i++) {
        house_write(&queries[i], first + i);
    }
    int64_t before = cpu_now();
    for (unsigned i = 0; i < UNDER_WAY; i++) {
        hits += house_ask(house, &queries[i], now) ? 1 : 0;
    }
    int64_t cost = cpu_now() - before;
    house_compose(house);
    before = cpu_now();
    house_reply(house, now);
    cost += cpu_now() - before;
    resolver_settle(house->resolver, 10);
    /* Few names of the world come twice. */
    if (hits > UNDER_WAY / 2 || house->sent_count > 0) {
        house_fail("too many questions had been asked before, or not all were answered");
    }
    return cost;
}

static int compare_int64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    static struct house house;
    unsigned long questions = argc > 1 ? strtoul(argv[1], NULL, 10) : 450000;
    uint32_t batches = (uint32_t)(questions / RUNS / UNDER_WAY);
    if (batches == 0 || questions > QUESTIONS_MAX) {
        house_fail("usage: miss [QUESTIONS]");
    }
    house_open(&house, "upstreams = 192.0.2.53\ncache_size = 1G\nahead = no\n");
    int64_t now = clock_now();
    int64_t costs[RUNS] = {0};
    uint32_t number = 0;
    for (unsigned run = 0; run < RUNS; run++) {
        for (uint32_t i = 0; i < batches; i++) {
            costs[run] += miss_batch(&house, number, now);
            number += UNDER_WAY;
        }
        costs[run] /= (int64_t)batches * UNDER_WAY;
    }
    qsort(costs, RUNS, sizeof costs[0], compare_int64);
    (void)printf("%" PRIu32 " questions: %" PRId64 " ns each (median of %d runs; %" PRId64
                 " to %" PRId64 ")\n",
        number, costs[RUNS / 2], RUNS, costs[0], costs[RUNS - 1]);
    house_close(&house);
    return 0;
}
