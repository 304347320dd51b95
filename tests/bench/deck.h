/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/mix.h"

/*
 * The questions of one run, written out as queries before it begins, and the order they are asked
 * in: so that the generator's own work in the run is next to nothing. One owner, one thread.
 */
enum deck_order {
    DECK_ONCE, /* Each question once, one after another. */
    DECK_ZIPF, /* Drawn: a few are asked often. */
    DECK_EVEN, /* Drawn: all are asked alike. */
};

#define DECK_COUNT_MAX (4u << 20) /* Queries written out, and draws. */

struct deck_options {
    enum mix_kind kind;
    enum deck_order order;
    uint64_t first; /* The questions are [first, first + count) of the mix. */
    uint64_t count;
    uint32_t draws; /* Of ZIPF and EVEN; then they begin anew. */
    uint64_t seed;
};

struct deck {
    uint8_t *bytes; /* Queries, one behind another. */
    uint32_t *ends; /* Where each ends. */
    uint32_t *draws;
    uint32_t query_count;
    uint32_t draw_count;
};

/* A query without its id, which the asker chooses. */
struct deck_query {
    const uint8_t *bytes;
    size_t len;
};

/* False when memory is short; the deck is then safe to deck_fini(). */
bool deck_init(struct deck *deck, const struct deck_options *options);
void deck_fini(struct deck *deck);

/* The draw of that number; beyond draw_count it begins anew. */
struct deck_query deck_query(const struct deck *deck, uint64_t draw);
