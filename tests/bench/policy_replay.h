/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct policy;
struct policy_room;
struct policy_trace;

/*
 * Replays a trace against a cache of so many entries under a policy, or against the real cache. An
 * entry whose TTL has run out is a miss, and stands renewed in its place.
 */
struct policy_score {
    uint32_t asks;
    uint32_t hits;
    uint32_t other_asks; /* Not to lists. */
    uint32_t other_hits;
    uint64_t entries; /* Held at the end. */
};

/* False when memory is short. */
bool policy_replay(const struct policy_trace *trace, const struct policy_room *room,
    struct policy *policy, struct policy_score *score_out);

/* The same against the real cache (cache/cache.h), whose bytes are chosen so that it holds about
 * `entries` entries of one size. */
bool policy_replay_real(const struct policy_trace *trace, uint32_t entries, unsigned list_share,
    struct policy_score *score_out);
