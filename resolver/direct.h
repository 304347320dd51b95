/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/deadline.h"
#include "conf/settings.h"
#include "resolver/delegation.h"
#include "resolver/server.h"

/*
 * Zones that are asked at their own name servers, because the upstream servers are of no use for
 * them: DNS lists refuse public resolvers. Each has one of the direct groups of the server table,
 * so that its servers are measured, hedged, rested and probed like any others. Who they are is
 * learned by way of the upstream servers (resolver/direct_learn.h).
 *
 * Until that is known, questions wait, DIRECT_WAIT_US at most; the upstream servers are not asked
 * meanwhile, since a denial made up by one that filters cannot be told from a true one. When the
 * zone's servers do not help, they are asked after all, and after DIRECT_LOSSES_MAX such questions
 * in a row at once, for DIRECT_REST_US. One worker's.
 *
 * A server may refer us to others, at most DIRECT_DEPTH_MAX times. Where these serve a part of the
 * zone only, the part becomes a zone of its own here, of which there are DIRECT_PARTS_MAX.
 */
#define DIRECT_WAIT_US    (INT64_C(1200) * 1000)
#define DIRECT_REST_US    (INT64_C(300) * 1000000)
#define DIRECT_PAUSE_US   (INT64_C(10) * 1000000)
#define DIRECT_REFUSED_US (INT64_C(86400) * 1000000)
#define DIRECT_IN_USE_US  (INT64_C(60) * 1000000)
#define DIRECT_LOG_US     (INT64_C(3600) * 1000000)
#define DIRECT_LOSSES_MAX 2
#define DIRECT_DEPTH_MAX  3
#define DIRECT_PARTS_MAX  8

#define DIRECT_NONE SIZE_MAX

struct fetch;
struct resolver;

enum direct_phase {
    DIRECT_PHASE_IDLE,
    DIRECT_PHASE_ASK_NS, /* To be asked in a turn of its own. */
    DIRECT_PHASE_AWAIT_NS,
    DIRECT_PHASE_ASK_ADDRESSES,
    DIRECT_PHASE_AWAIT_ADDRESSES,
};

/* What is being found out about a zone. */
struct direct_learning {
    enum direct_phase phase;
    struct delegation_name asked; /* Whose NS. */
    unsigned steps;               /* Names asked for NS. */
    struct delegation_name names[DELEGATION_NAMES_MAX];
    size_t name_count;
    unsigned pending; /* Of the addresses: two bits for each name. */
    bool has_failed;  /* Something is missing: what was known before stays. */
    uint32_t ttl;
    uint64_t mark; /* The cache's when this began. */
    struct address found[SERVER_DIRECT_SIZE];
    size_t found_count;
    int64_t ends_at;
};

struct direct_zone {
    struct delegation_name name; /* len 0: a free place. */
    struct delegation_name cut;  /* Whose name servers are asked: `name`, or above it. */
    bool is_list;                /* Else the operator has named it. */
    size_t root;                 /* The zone that it is a part of; itself when it is none. */
    unsigned depth;              /* Referrals that led to its servers. */
    int64_t used_at;
    int64_t refused_until;                /* The upstream servers were seen to be refused. */
    int64_t rests_until;                  /* The upstream servers are asked meanwhile. */
    int64_t fresh_until;                  /* Then its servers are looked up again. */
    int64_t named_at[SERVER_DIRECT_SIZE]; /* When each of its servers was last named. */
    int64_t logged_at;
    uint64_t mark;     /* The cache's when its servers were looked for. */
    unsigned failures; /* Vain searches for them in a row. */
    unsigned losses;   /* Questions in a row that its servers did not help with. */
    struct direct_learning learning;
    struct deadline deadline;
};

/* How a fetch stands to all this. Embedded in it. */
struct detour {
    bool is_awaited; /* Its group's servers are not known yet. */
    bool is_over;    /* It goes to the upstream servers after all. */
    uint8_t referrals;
    int64_t ends_at; /* So long it waits for the servers at most. */
};

/* Embedded in the resolver. */
struct direct {
    struct direct_zone zones[SERVER_DIRECT_GROUPS];
    struct hash_key secret;
    unsigned learning_count;
    enum settings_route list_route;
    bool may_be_private;
    bool is_public[SETTINGS_GROUPS_MAX]; /* A public resolver is in that group. */
    struct address own[SETTINGS_LISTEN_MAX];
    size_t own_count;
};

void direct_init(struct resolver *resolver, const struct settings *settings);

/* After the table of servers and the routes were replaced. What is known of zones that are still to
 * be asked directly is kept. */
void direct_set_settings(struct resolver *resolver, const struct settings *settings);

/* Turns the fetch to a direct group, if its name belongs there; fetch->group is that of the
 * upstream servers. */
void direct_route(struct resolver *resolver, struct fetch *fetch, int64_t now);

/* The fetch is about to ask. True: its servers are not known yet; it waits, to the detour's end
 * at most. When there is no hope, it is turned to the upstream servers. */
bool direct_must_wait(struct resolver *resolver, struct fetch *fetch, int64_t now);

/* It is at a direct group where there is nobody left to ask, or nobody who answers. */
bool direct_is_lost(struct resolver *resolver, const struct fetch *fetch, int64_t now);

/* The fetch has its answer. */
void direct_on_answer(struct resolver *resolver, const struct fetch *fetch);

/* The answer to the fetch is a list's refusal. True: it was turned to the list's own name servers
 * and goes on. False: it was there already, or is not to go there. */
bool direct_on_refusal(struct resolver *resolver, struct fetch *fetch, int64_t now);

struct direct_reply {
    const uint8_t *bytes;
    size_t len;
    uint64_t mark; /* The cache's when it was asked for. */
};

/* A server of the fetch's direct group sent a referral. False: not one to follow. */
bool direct_follow(
    struct resolver *resolver, struct fetch *fetch, const struct direct_reply *reply, int64_t now);

/* Somebody asks the group's zone; always so for a group that is not direct. */
bool direct_is_used(const struct resolver *resolver, size_t group, int64_t now);

/* The mark of what a server of the group says now: its own time, or that when it was found. */
uint64_t direct_mark(const struct resolver *resolver, size_t group);

/* The group of the zone at `index`, and back (DIRECT_NONE: it is not direct). */
size_t direct_group(const struct resolver *resolver, size_t index);
size_t direct_index(const struct resolver *resolver, size_t group);
