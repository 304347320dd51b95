/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/redact.h"
#include "resolver/stats.h"
#include "resolver/timeline.h"

/*
 * The questions of the last hour that an operator asks about: the SLOW_PLACES that made their
 * clients wait longest, and the SLOW_PLACES that failed last, each with the time line of its fetch.
 * The same question again within SLOW_SAME_US is the same record, counted, so that one dead name
 * does not push out all others. Names are kept without the keys of paid lists. One worker's,
 * embedded in the resolver; fixed in size. Answers that nobody waited for never get here, but for
 * failures.
 */
#define SLOW_PLACES      64
#define SLOW_KEPT_US     (INT64_C(3600) * 1000000)
#define SLOW_SAME_US     (INT64_C(60) * 1000000)
#define SLOW_REASON_SIZE 112 /* Longer reasons are cut, as in the answer itself (wire/edns.h). */

struct query_turn;

struct slow_record {
    int64_t at;        /* When the last of them was answered. */
    int64_t waited_us; /* The longest wait; what follows is about that one. */
    int64_t joined_us; /* How far the fetch was when the question came. */
    uint32_t count;    /* Of questions, within SLOW_SAME_US of each other. */
    uint16_t type;
    uint16_t class;
    bool wants_dnssec;
    enum outcome outcome;
    unsigned rcode;
    int ede;                       /* enum ede. */
    char reason[SLOW_REASON_SIZE]; /* The text of the extended error; may be empty. */
    struct redacted name;
    struct timeline timeline; /* Empty for a failure that was remembered. */
};

/* Invariants: count <= SLOW_PLACES; tags[i] belongs to records[i]. */
struct slow_ring {
    size_t count;
    int64_t floor_us; /* Of the slowest: shorter waits find no place before `floor_until`. */
    int64_t floor_until;
    uint64_t tags[SLOW_PLACES]; /* A keyed hash of the question: the same one, for all we care. */
    struct slow_record records[SLOW_PLACES];
};

struct slow {
    struct slow_ring slowest;
    struct slow_ring failed;
};

/* A client that had to wait gets its answer. */
void slow_on_waited(struct query_turn *turn);

/* A client gets SERVFAIL. */
void slow_on_failed(struct query_turn *turn);

/* Writes down the question and how it ended, but not when and how often. */
void slow_describe(struct slow_record *record, const struct query_turn *turn);

/* What is younger than SLOW_KEPT_US, in no order. `out` has room for SLOW_PLACES; returns how many.
 */
size_t slow_copy(const struct slow_ring *ring, int64_t now, struct slow_record *out);

/* Records of one ring or of several workers' in order: the longest wait first, or with `by_time`
 * the last one. Returns how many are worth showing: SLOW_PLACES at most. */
size_t slow_sort(struct slow_record *records, size_t count, bool by_time);
