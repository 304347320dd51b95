/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sim/liar_belief.h"

/*
 * Who may speak for what, and who may be asked, stated once; it knows nothing of the resolver, only
 * what was asked and said, and shares no code with resolver/ or wire/.
 *
 *     Upstream may say anything about what it was asked, and is asked for nothing but what a client
 *     has asked, the NS of a direct zone or of one above it that is no top-level domain, and the
 *     addresses of name servers that somebody named who may.
 *     NS records of the asked name in upstream's answer name servers of that name. A server that
 *     speaks for a zone may refer to others, by NS records of a name below the zone at or above
 *     what it was asked, where it gives no answer, no SOA and no AA: they speak for that name.
 *     A name server has the addresses that upstream gives for it, and those beside the referral if
 *     its name lies in the zone that the referring server speaks for.
 *     After REFEREE_DEPTH_MAX referrals in a row nobody is asked.
 *     However many servers a reply names, REFEREE_NAMES_MAX of them are looked up, at most.
 *     A server is asked only for what a client has asked, at port 53, with RD clear, in a direct
 * zone, if it speaks for that name, and has been named within REFEREE_FRESH_US. Never one at an
 *     address that leads into this host or its networks.
 *     What it says may be believed if it knows itself: with AA, or data without RA; and where an
 *     alias leads to a denial, the SOA is there.
 *     A client's answer is a failure, or follows (liar_referee.h) from one reply about what it
 *     asked, by upstream or a server that speaks for the name.
 */
#define REFEREE_DEPTH_MAX 3
#define REFEREE_NAMES_MAX 4
#define REFEREE_FRESH_US  (INT64_C(90060) * 1000000) /* A day, an hour in the cache, a minute. */

void direct_referee_close(void);

/* Forgets all that was said. */
void direct_referee_begin(void);

/* What the client asks from now on. */
void direct_referee_ask(const struct referee_question *question);

/* NULL, or why the message must not go there. */
const char *direct_referee_may_ask(
    const struct address *server, const uint8_t *message, size_t len, int64_t now);

/* Different questions for NS and addresses since the client's last one. */
unsigned direct_referee_lookups(void);

/* Different questions that anybody was asked in this play. */
unsigned direct_referee_asked(void);

/* A server says something, which may be a lie. */
void direct_referee_hear(
    const struct address *server, const struct house_source *source, bool may_be_lie, int64_t now);

/* Does the answer follow from something that was said? Why not stands in `complaint`. */
bool direct_referee_follows(const struct referee_question *question, const struct tale *answer,
    const struct referee_limits *limits, const char **complaint);

/* Has somebody who may said that this name does not exist (RFC 8020)? */
bool direct_referee_denies(const struct world_name *name);

/* Has somebody who speaks for the name lied about this? What he says of a list may be taken for its
 * refusal, so that nothing is said to the client. */
bool direct_referee_is_misled(const struct referee_question *question);

/* In a zone that is asked directly. */
bool direct_referee_is_direct(const struct world_name *name);
