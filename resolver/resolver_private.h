/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/deadline.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/random.h"
#include "resolver/ahead.h"
#include "resolver/direct.h"
#include "resolver/doubt.h"
#include "resolver/hedge.h"
#include "resolver/inflight.h"
#include "resolver/lists.h"
#include "resolver/port.h"
#include "resolver/refresh.h"
#include "resolver/route.h"
#include "resolver/server.h"
#include "resolver/slow.h"
#include "resolver/stats.h"
#include "resolver/trace.h"
#include "resolver/warm.h"
#include "wire/header.h"
#include "wire/normalise.h"

/*
 * What the rooms of this floor share: the resolver's own body. Everything here belongs to one
 * worker and is allocated once, in resolver_new().
 *
 *     queries.in_use   <= queries.count   = questions_max
 *     fetches.in_use   <= fetches.count   = 2 x questions_max: a fetch may outlive its waiters
 *     exchanges.in_use <= exchanges.count = 2 x fetches.count
 *     deadlines        <= queries.count + fetches.count + RESOLVER_DEADLINES
 *
 * Of the latter each server, each direct zone and each name to refresh has one, `warm` and `lists`.
 */
struct cache;
struct observer;
struct settings;

#define RESOLVER_SERVERS_MAX (SETTINGS_GROUPS_MAX * SETTINGS_SERVERS_MAX)
#define RESOLVER_DEADLINES                                                                         \
    (RESOLVER_SERVERS_MAX + SERVER_DIRECT_MAX + SERVER_DIRECT_GROUPS + REFRESH_PLACES + 2)

/* The scalars of the settings that this floor obeys. */
struct resolver_limits {
    int64_t answer_deadline_us;
    int64_t stale_patience_us;
    int64_t try_timeout_us;
    uint32_t stale_ttl_s;
    unsigned asks_max;
    unsigned hedge_permille;
    uint16_t udp_answer_max;
    bool private_lists_local;
    struct normalise_limits ttl;
};

/* An answer given at once: counted when its batch leaves (resolver_settle()). */
struct unsettled {
    enum question_class class;
    enum outcome outcome;
    unsigned list; /* Its place (resolver/lists.h). */
};

/* When a batch is larger, what is there is recorded without a wait. */
#define RESOLVER_UNSETTLED_MAX 64

struct resolver {
    struct cache *cache;
    struct random *random;
    struct port port;
    const char *version;
    const struct observer *observer;
    struct resolver_limits limits;
    struct route route;
    struct server_table servers;
    struct pool queries;
    struct pool fetches;
    struct pool exchanges;
    struct inflight inflight;
    struct deadlines deadlines;
    struct hedge hedge;
    struct hash_key cookie_secret;
    struct doubts doubts;
    uint64_t doubts_mark; /* The cache's, since when they stand. */
    struct warm warm;
    struct lists lists;
    struct ahead ahead;
    struct direct direct;
    struct refresh refresh;
    struct slow slow;
    struct trace traces[TRACE_PLACES];
    int64_t awake_at; /* When a sleep ended, of which deadlines older than that are a part. */
    struct resolver_stats stats;
    struct unsettled unsettled[RESOLVER_UNSETTLED_MAX];
    unsigned unsettled_count;

    /* Scratch of one turn; nothing in it survives an entry into the resolver. */
    uint8_t found[MESSAGE_SIZE_MAX];      /* Copied out of the cache, or composed by local. */
    uint8_t normalised[MESSAGE_SIZE_MAX]; /* The stored form of a reply. */
    uint8_t answer[MESSAGE_SIZE_MAX];     /* For a client who had to wait. */
};

/* What a life is in the deadlines' `kind`. */
enum life {
    LIFE_QUERY,
    LIFE_FETCH,
    LIFE_PROBE, /* Its id is the server's index. */
    LIFE_WARM,
    LIFE_LISTS,
    LIFE_DIRECT,  /* Its id is the direct zone's index. */
    LIFE_REFRESH, /* Its id is the place. */
};

/* What a step tells its dispatcher. */
enum step_verdict {
    STEP_ON,   /* Go on with the step that is set. */
    STEP_PARK, /* Wait for an event. */
    STEP_END,
};
