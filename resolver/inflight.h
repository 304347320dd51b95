/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/list.h"
#include "cache/key.h"

/*
 * Which keys are being fetched now: who comes first does the work, the others wait for it. A hash
 * table of chains over links that are embedded in the fetches; no memory of its own per entry. One
 * per worker: with several workers a name may be fetched once by each.
 */
struct inflight {
    struct list *chains;
    uint32_t chain_count; /* A power of two. */
    struct hash_key secret;
};

/* Embedded in a fetch. */
struct inflight_link {
    struct list link;
    struct cache_key key;
    uint64_t hash; /* Of the key: set when it is added. */
    uint64_t id;   /* The fetch's. */
};

struct random;

/* False when memory is short. */
bool inflight_init(struct inflight *inflight, uint32_t entries_max, struct random *random);
void inflight_fini(struct inflight *inflight);

/* The fetch for `key`, or POOL_NONE. */
uint64_t inflight_find(const struct inflight *inflight, const struct cache_key *key);

/* `link->key` and `link->id` are set; no fetch for that key stands there. */
void inflight_add(struct inflight *inflight, struct inflight_link *link);
void inflight_remove(struct inflight_link *link);
