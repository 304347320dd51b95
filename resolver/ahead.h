/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Asking ahead: what mail software is going to ask (mail/sequel.h), as far as this host has been
 * seen to ask it (mail/habit.h), is fetched before it does. It is work that nobody waits for: it
 * begins after the client's own question is under way, takes no hedges, no more than a quarter of
 * the room for work, `ahead_rate` questions a second, and stops while clients pile up or no server
 * of the group is well. An answer so fetched is marked with the step that foresaw it; a client who
 * finds it, or comes while it is under way, has used it.
 */
struct resolver;
struct settings;
struct fetch;
struct query_turn;
struct habit;

/* Following an answer leads to an answer to be followed: no further than this (RFC 7208 section
 * 4.6.4 bounds includes in the same way). */
#define AHEAD_DEPTH_MAX 6

/* The same question again, so soon, tells nothing new; to find that out must cost a hit little. */
#define AHEAD_RECENT    16384 /* A power of two. */
#define AHEAD_RECENT_US (INT64_C(8) * 1000000)

struct ahead_recent {
    uint32_t hash;
    uint32_t at; /* In units of AHEAD_RECENT_US. */
};

struct ahead {
    struct habit *habit;
    bool is_on;
    int64_t rate;     /* Questions a second. */
    int64_t saved;    /* Questions that may be asked now, in millionths. */
    int64_t saved_at; /* When `saved` was true. */
    uint32_t running; /* Fetches. */
    struct ahead_recent recent[AHEAD_RECENT];
};

/* At the start. False when memory is short. */
bool ahead_init(struct resolver *resolver, const struct settings *settings);
void ahead_fini(struct resolver *resolver);

/* After a reload. What was learned stays. */
void ahead_set_settings(struct resolver *resolver, const struct settings *settings);

/* A client's question has been answered, or waits: what does it foretell? */
void ahead_on_question(struct query_turn *turn);

/* A fetch has brought an answer, in the stored form; those who waited for it have it. */
void ahead_on_answer(struct resolver *resolver, const struct fetch *fetch, const uint8_t *stored,
    size_t len, int64_t now);

/* A fetch that was asked ahead is over. */
void ahead_on_end(struct resolver *resolver);
