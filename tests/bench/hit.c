/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a cached answer costs apart from the kernel: the resolver in this process is filled with the
 * mail world of the bench (house.h) and then asked for it, in batches and without a
 * socket.
 *
 *     hit [NAMES [SECONDS]]
 *
 * Prints nanoseconds of processor time per question, the median of nine runs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/random.h"
#include "tests/bench/house.h"
#include "resolver/resolver.h"

#define RUNS      9
#define BATCH     32
#define NAMES_MAX 10000000u

struct hit {
    struct house house;
    struct house_query *queries;
    uint32_t query_count;
};

/* Each is asked and answered, and what is asked because of it. */
static void hit_fill(struct hit *hit, int64_t now)
{
    for (uint32_t i = 0; i < hit->query_count; i++) {
        house_write(&hit->queries[i], i);
        hit->house.sent_count = 0;
        (void)house_ask(&hit->house, &hit->queries[i], now);
        while (hit->house.sent_count > 0) {
            house_compose(&hit->house);
            house_reply(&hit->house, now);
        }
    }
}

/* A function of its own, by which observe.py finds what is to be counted. */
__attribute__((noinline)) static int64_t hit_run(struct hit *hit, uint32_t questions, int64_t now)
{
    struct timespec before;
    struct timespec after;
    uint64_t misses = 0;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    for (uint32_t i = 0; i < questions; i++) {
        uint32_t which = random_below(&hit->house.random, hit->query_count);
        misses += house_ask(&hit->house, &hit->queries[which], now) ? 0 : 1;
        if (i % BATCH == BATCH - 1) {
            resolver_settle(hit->house.resolver, 10);
        }
    }
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    if (misses > questions / 100) {
        house_fail("more than one question in a hundred was no hit");
    }
    return ((int64_t)(after.tv_sec - before.tv_sec) * 1000000000 +
               (int64_t)(after.tv_nsec - before.tv_nsec)) /
           questions;
}

static int compare_int64(const void *a, const void *b)
{
    int64_t x;
    int64_t y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    static struct hit hit;
    unsigned long names = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    unsigned long questions = argc > 2 ? strtoul(argv[2], NULL, 10) : 500000;
    if (names == 0 || names > NAMES_MAX || questions == 0 || questions > UINT32_MAX) {
        house_fail("usage: hit [NAMES [QUESTIONS]]");
    }
    house_open(&hit.house, "upstreams = 192.0.2.53\ncache_size = 2G\nttl_min = 1h\n");
    hit.query_count = (uint32_t)names;
    hit.queries = calloc(names, sizeof *hit.queries);
    if (hit.queries == NULL) {
        house_fail("no memory");
    }
    int64_t now = clock_now();
    hit_fill(&hit, now);
    int64_t costs[RUNS];
    for (unsigned run = 0; run < RUNS; run++) {
        costs[run] = hit_run(&hit, (uint32_t)questions, now);
    }
    qsort(costs, RUNS, sizeof costs[0], compare_int64);
    (void)printf("%lu names: %" PRId64 " ns per cached answer (median of %d runs; %" PRId64
                 " to %" PRId64 ")\n",
        names, costs[RUNS / 2], RUNS, costs[0], costs[RUNS - 1]);
    house_close(&hit.house);
    free(hit.queries);
    return 0;
}
