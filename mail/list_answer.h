/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/list_zone.h"

/*
 * What does the answer of a DNS list mean? A list that does not want to answer says so in the only
 * way that its clients leave it: by an address that is no listing, which software without a filter
 * takes for one all the same and rejects the mail. Which address that is differs from list to list
 * (list_rules.def), so nothing here holds for all of them, but that listings lie in 127/8 (RFC 5782
 * section 2.1): anything else comes from whoever bought the domain after the list had ended.
 * Pure knowledge, no state; any thread.
 */
enum list_verdict {
    LIST_VERDICT_LISTED,
    LIST_VERDICT_NOT_LISTED,
    LIST_VERDICT_REFUSED, /* By the provider; `cause` says why. */
    LIST_VERDICT_MISUSED, /* The list does not take such a subject. */
    LIST_VERDICT_PARKED,  /* Outside 127/8. */
};

/* Why the list does not answer. */
enum list_cause {
    LIST_CAUSE_NONE,
    LIST_CAUSE_RESOLVER, /* The question came through a public or unattributable resolver. */
    LIST_CAUSE_QUOTA,    /* Too many questions. */
    LIST_CAUSE_ZONE,     /* There is no such list at this provider. */
    LIST_CAUSE_ACCOUNT,  /* Answers are for customers. */
    LIST_CAUSE_SUBJECT,  /* Of MISUSED: an address asked at a list of domains. */
    LIST_CAUSE_PARKED,   /* Of PARKED. */
    LIST_CAUSE_CODE,     /* The operator's own code. */

    /* Found by the test points. */
    LIST_CAUSE_WORLD,  /* It lists everything. */
    LIST_CAUSE_EMPTY,  /* It does not list what it must: emptied, or filtered out on the way. */
    LIST_CAUSE_SILENT, /* It does not answer. */
};
#define LIST_CAUSES 11

struct list_answer {
    enum list_verdict verdict;
    enum list_cause cause;
};

/* `zone` NULL: recognised by shape only. `stored` is the answer in its stored form
 * (wire/normalise.h); what has no A records is judged by whether it has any. */
struct list_answer list_answer_of(
    const struct list_zone *zone, uint16_t type, const uint8_t *stored, size_t len);

/* A listing is not what the client would get to see. */
bool list_verdict_is_refusal(enum list_verdict verdict);

/* Found by the test points, and ended by them. */
bool list_cause_is_tested(enum list_cause cause);

/* Asked from the host's own address, the list might answer. */
bool list_cause_is_path(enum list_cause cause);

/* A word for the control protocol, a clause for "ZONE ...", and what to do, in a few words (the
 * clause and they fit into an extended error) and in full. */
const char *list_cause_name(enum list_cause cause);
const char *list_cause_clause(enum list_cause cause);
const char *list_cause_hint(enum list_cause cause);
const char *list_cause_remedy(enum list_cause cause);

/* What can be tested (RFC 5782 section 5). */
struct list_points {
    const char *listed;      /* In presentation form, before the zone; "": none is known. */
    const char *unlisted;    /* "": none. */
    bool is_unlisted_random; /* A label drawn by lot must not be listed. */
};

struct list_points list_points_of(const struct list_zone *zone);

/* Free questions a day; 0: not stated. */
uint64_t list_quota_of(const struct list_zone *zone);
