/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * How long an answer may be given, as pure functions of what it is. Fresh: until its TTL has run
 * out. Stale (RFC 8767): for a while after that, by kind, because a stale MX delivers mail while a
 * stale "listed" refuses it and a stale TLSA breaks it.
 */
enum cache_kind {
    CACHE_KIND_ANSWER,   /* Records of the asked type. */
    CACHE_KIND_NODATA,   /* RFC 2308. */
    CACHE_KIND_NXDOMAIN, /* RFC 2308. */
    CACHE_KIND_FAILURE,  /* SERVFAIL, kept briefly (RFC 9520). */
};

/* A "listed" answer of a blocklist and an NXDOMAIN may be stale for this long, no longer. */
#define LIFETIME_STALE_LISTED_US   (INT64_C(300) * 1000000)
#define LIFETIME_STALE_NXDOMAIN_US (INT64_C(300) * 1000000)

/* RFC 9520 section 3.2: at least 1 s, at most 5 min; we start short and stay short. */
#define LIFETIME_FAILURE_MIN_US (INT64_C(1) * 1000000)
#define LIFETIME_FAILURE_MAX_US (INT64_C(5) * 1000000)

/* After a failed refresh the stale answer is given at once, and upstream left alone, for this long
 * (RFC 8767 section 5). */
#define LIFETIME_STALE_RECHECK_US (INT64_C(30) * 1000000)

struct lifetime_subject {
    enum cache_kind kind;
    uint16_t type;
    bool is_list; /* The answer of a DNS list. */
    bool is_ad;   /* Was validated upstream: a promise that ends with its TTL. */
};

/* TLSA, keys, signatures and proofs: given exactly as long as their TTL says, and only what was
 * asked for by that very type. */
bool lifetime_is_timed_proof(uint16_t type);

/* How long past its expiry the answer may be given; 0: not at all. */
int64_t lifetime_stale_us(const struct lifetime_subject *subject, int64_t stale_max_us);

/* How long the n-th failure in a row (from 1) is kept: 1, 2, 4, then 5 s. */
int64_t lifetime_failure_us(unsigned failures);
