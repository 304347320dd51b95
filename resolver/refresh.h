/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "cache/key.h"
#include "conf/settings.h"

/*
 * Refresh: an answer that is asked for again and again is fetched anew before anybody waits for it.
 *
 * Asked in the last tenth of its life, an authority gives it a whole new life. A forwarder with a
 * cache of its own gives the rest of the old one, and nothing is gained; there the right moment is
 * just after the answer has expired, here and there. That moment is bridged: for REFRESH_BRIDGE_US
 * the expired answer is given at once while the new one is fetched (what may never be stale, and
 * the listings of a list, excepted). Which of the two a group is, is measured: what a refresh in
 * the last tenth has gained.
 *
 * Popularity pays: each hit is a credit, each refresh costs one, few can be saved. The table has
 * REFRESH_PLACES names; a newcomer takes the place of one with less credit in its row.
 */
#define REFRESH_SETS         256 /* A power of two. */
#define REFRESH_WAYS         4
#define REFRESH_PLACES       (REFRESH_SETS * REFRESH_WAYS)
#define REFRESH_CREDITS_MAX  3
#define REFRESH_HITS_MIN     2  /* In one life, to get a place. */
#define REFRESH_TTL_MIN_S    10 /* What lives shorter is not worth it. */
#define REFRESH_BRIDGE_US    (INT64_C(2) * 1000000)
#define REFRESH_BRIDGE_TTL_S 1

/* Looked at again so long after it was asked, at most so often. */
#define REFRESH_AGAIN_US  (INT64_C(1) * 1000000)
#define REFRESH_TRIES_MAX 4

struct resolver;
struct settings;
struct fetch;
struct cache_found;
struct query_turn;

struct refresh_place {
    struct cache_key key; /* name_len 0: free. */
    struct deadline deadline;
    uint64_t hash;
    uint8_t credits;
    uint8_t tries; /* Since the last answer that lasts. */
    uint8_t gain;  /* Which measure of gain it belongs to. */
    bool is_list;
    bool is_asked;   /* A refresh is under way. */
    bool was_early;  /* It was asked while the answer was fresh. */
    int64_t ends_at; /* When the answer expires that stands in the cache. */
};

/* What early refreshes of a group have gained lately. The direct groups have one together. */
#define REFRESH_GAINS (SETTINGS_GROUPS_MAX + 1)

struct refresh_gain {
    uint8_t asked;
    uint8_t nothing;
};

struct refresh {
    int64_t rate;  /* A second. */
    int64_t saved; /* Refreshes that may be made now, in millionths. */
    int64_t saved_at;
    uint32_t plans;
    struct refresh_gain gains[REFRESH_GAINS];
    struct refresh_place places[REFRESH_PLACES];
};

/* At the start and after a reload: groups have other numbers then. */
void refresh_set_settings(struct resolver *resolver, const struct settings *settings);

/* A client found a fresh answer, which is not of a list of hashes. */
void refresh_on_hit(struct query_turn *turn);

/* A client found an expired one: may it have it, while a new one is fetched? */
bool refresh_may_bridge(struct query_turn *turn);

/* A fetch has brought an answer that lives so long. */
void refresh_on_answer(
    struct resolver *resolver, const struct fetch *fetch, uint32_t ttl_s, int64_t now);

/* The event: the time of a place has come. */
void refresh_on_deadline(struct resolver *resolver, uint64_t place, int64_t now);
