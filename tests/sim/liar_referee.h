/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/liar_tale.h"

/*
 * What a client may be told, stated once. It knows nothing of the resolver: there is what was
 * asked, what upstream has said, and what the client got.
 *
 *     An answer is a failure without records, or it follows from one reply that may be believed.
 *     A reply may be believed when it is one (RFC 5452 section 9.1), can be read, is not cut, and
 *     its rcode is NOERROR or NXDOMAIN.
 *     What follows from it are the aliases that start at the asked name, one after another, at
 *     most REFEREE_LINKS_MAX, none twice, and at their end the whole set of the asked type, of
 *     class IN, with its data byte for byte and no longer TTLs; or, if there is no such set, its
 *     denial, with the SOA of a zone that holds that end.
 *     Signatures and proofs only for who wants them, and only of what follows.
 *     Nothing else: no other owner, type or section, no AA, no AD but a trusted one.
 */
#define REFEREE_LINKS_MAX 11

/* A question as a client asks it. */
struct referee_question {
    struct world_name name;
    uint16_t type;
    bool wants_dnssec;
    bool checking_disabled;
};

struct referee_limits {
    uint32_t ttl_max;
    uint32_t negative_ttl_max;
    uint32_t negative_ttl_min; /* Of a DNS list: "not listed" is kept so long at least. */
};

enum referee_match {
    REFEREE_STRANGER, /* Not the reply to what was asked. */
    REFEREE_SPELLING, /* It is, but for upper and lower case in the name. */
    REFEREE_REPLY,
};

/* RFC 1035 section 7.3 and 5452 section 9.1: QR, opcode, id, and the question. `tale` has been read
 * from the reply. */
enum referee_match referee_match(const struct tale *reply, const struct tale *asked);

/* May anything in the reply be believed? Of what matches, and could be read. */
bool referee_may_believe(const struct tale *reply);

/* The answer says that it does not know: SERVFAIL, and not one record. */
bool referee_is_failure(const struct tale *answer);

/* NULL, or why the answer does not follow from the reply. */
const char *referee_follows(const struct referee_question *question, const struct tale *answer,
    const struct tale *reply, const struct referee_limits *limits);

/* The reply denies the name itself (not what it is an alias of), so nothing is below it (RFC 8020).
 */
bool referee_denies_name(const struct tale *reply, const struct world_name *name);
