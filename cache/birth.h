/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * How an entry of the cache came to be, for those who ask about a single one. Plain data.
 */
struct cache;
struct cache_key;

enum cache_reason {
    CACHE_REASON_CLIENT,   /* A client waited. */
    CACHE_REASON_REFRESH,  /* The answer before was about to expire, or the house wanted it. */
    CACHE_REASON_AHEAD,    /* A client was expected to ask. */
    CACHE_REASON_SNAPSHOT, /* It comes from the life before the last start. */
};
#define CACHE_REASONS 4

/* The steps by which an answer can have been foreseen (cache_fill.ahead) are 1 to this. */
#define CACHE_AHEAD_MAX 31

struct cache_birth {
    enum cache_reason reason;
    uint32_t cost_us; /* How long upstream took; 0: not known, or not any more. */
};

/* False: it is not there (any more). The time that an entry cost is forgotten when a refresh is
 * due, or fails: there is one place for both. Any thread. */
bool cache_read_birth(
    struct cache *cache, const struct cache_key *key, int64_t now, struct cache_birth *birth_out);
