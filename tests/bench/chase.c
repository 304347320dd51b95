/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a read costs that no cache of the processor and no guess of its has foreseen.
 *
 *     chase BYTES
 *
 * Walks through so much memory, one cache line after another in a random order where each line says
 * which one is next; prints the nanoseconds of a step.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

#define LINE      64
#define BYTES_MIN 4096
#define BYTES_MAX (UINT64_C(4) << 30)
#define STEPS     (1u << 20)
#define ROUNDS    3 /* The fastest counts: whatever else the machine does only makes it slower. */

struct line {
    uint32_t next;
    uint8_t unused[LINE - sizeof(uint32_t)];
};

/* One cycle through all lines (Sattolo's way). */
static void lines_link(struct line *lines, uint32_t count)
{
    struct random random;
    random_init_seed(&random, 1);
    for (uint32_t i = 0; i < count; i++) {
        lines[i].next = i;
    }
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t other = random_below(&random, i);
        uint32_t kept = lines[i].next;
        lines[i].next = lines[other].next;
        lines[other].next = kept;
    }
}

static uint32_t lines_walk(const struct line *lines, uint32_t from)
{
    for (uint32_t i = 0; i < STEPS; i++) {
        from = lines[from].next;
    }
    return from;
}

int main(int argc, char **argv)
{
    uint64_t bytes = 0;
    int64_t best_us = INT64_MAX;
    uint32_t at = 0;
    if (argc != 2 || !text_parse_u64(argv[1], strlen(argv[1]), BYTES_MAX, &bytes) ||
        bytes < BYTES_MIN) {
        fprintf(stderr, "usage: chase BYTES\n");
        return 64;
    }
    uint32_t count = (uint32_t)(bytes / LINE);
    struct line *lines = calloc(count, sizeof(*lines));
    if (lines == NULL) {
        return 1;
    }
    lines_link(lines, count);
    for (unsigned i = 0; i < ROUNDS; i++) {
        int64_t begun_at = clock_now();
        at = lines_walk(lines, at);
        int64_t spent_us = clock_now() - begun_at;
        best_us = spent_us < best_us ? spent_us : best_us;
    }
    printf("%.2f\n", (double)best_us * 1000 / STEPS);
    free(lines);
    return at == count; /* Never; so that the walk has a use. */
}
