/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message;

/*
 * From a server's reply to the stored form of an answer: a message of header, question (lower case)
 * and only the records that answer it. The answer section keeps the CNAME (and DNAME) chain that
 * starts at the asked name, in order, at most NORMALISE_CHAIN_MAX links, and the records of the
 * asked type at its end; whatever else the server sent is left out, so no other name's data is ever
 * taken from a reply. A denial keeps the SOA of a zone that holds the name at the chain's end, with
 * its TTL lowered to the negative TTL (RFC 2308 section 5). With DO also the RRSIGs of kept records
 * and the authority section's NSEC, NSEC3 and their RRSIGs. Names are compressed anew; none carries
 * over the spelling that we gave to the question. Pure, no allocation; about 90 KB of stack.
 *
 * The work is bounded, whatever the reply says: it is counted in bytes of names and data looked at
 * (plus one for each eight records passed by) and ends at NORMALISE_WORK_MAX, which is eight looks
 * at every byte of the largest message. Records are found by the hash of their owner, so an honest
 * reply, however large, costs a few times its own length; only names that thousands of pointers
 * make long again and again come near the bound.
 */
#define NORMALISE_CHAIN_MAX 11
#define NORMALISE_WORK_MAX  (8u * 65536)

struct normalise_limits {
    uint32_t ttl_min; /* Seconds; positive answers are raised to it, but never TLSA, DS, DNSKEY or
                         RRSIG, nor anything asked with DO. */
    uint32_t ttl_max;
    uint32_t negative_ttl_max;
};

enum normalise_verdict {
    NORMALISE_ANSWER,   /* Records of the asked type (or a chain asked for with CNAME). */
    NORMALISE_NODATA,   /* NOERROR, chain's end has no such type; with an SOA. */
    NORMALISE_NXDOMAIN, /* The chain's end does not exist. */
    NORMALISE_REFERRAL, /* NOERROR, no answer, no SOA, NS in authority: a lame forwarder. */
    NORMALISE_BROKEN,   /* A loop, a chain too long, contradictory, it does not fit, or it is more
                           work than an honest reply can be. */
};

struct normalised {
    size_t len;      /* Of the message written. */
    uint32_t ttl;    /* Seconds until it expires: the smallest of all that was kept; of a denial at
                        most negative_ttl_max. */
    bool has_soa;    /* A denial without SOA is not to be kept long (RFC 2308 section 5). */
    bool is_ad;      /* The reply's AD bit. */
    bool is_chained; /* There was a CNAME. */
    uint32_t work;   /* What it took; of a reply that is NORMALISE_BROKEN too. */
};

/* DO is what stands in reply->edns: the caller may put there what was asked, for a server need not
 * have copied it. `bytes_out` needs as much room as the reply has bytes, plus 64, at most
 * MESSAGE_SIZE_MAX. For rcodes other than NOERROR and NXDOMAIN: NORMALISE_BROKEN. */
enum normalise_verdict normalise_reply(const struct message *reply,
    const struct normalise_limits *limits, uint8_t *bytes_out, size_t size,
    struct normalised *normalised_out);
