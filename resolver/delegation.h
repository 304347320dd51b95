/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "wire/name.h"

/*
 * Who serves a zone, read from messages: a referral, an answer to a question for NS, a denial whose
 * SOA names the zone, an answer with addresses. Only what the sender may speak of is taken: the cut
 * of a referral lies below the zone that its sender serves and at or above the asked name, and glue
 * lies in that zone. The work is bounded, whatever the message says (DELEGATION_RECORDS_MAX), and
 * so is what may come of it: at most DELEGATION_NAMES_MAX names to look up. Pure.
 */
#define DELEGATION_RECORDS_MAX   128 /* Looked at in one message. */
#define DELEGATION_SEEN_MAX      16  /* Different name servers noticed in one message. */
#define DELEGATION_NAMES_MAX     4   /* Of these, whose addresses may be looked up. */
#define DELEGATION_ADDRESSES_MAX 8

struct hash_key;
struct message;

struct delegation_name {
    uint8_t bytes[NAME_SIZE_MAX]; /* Lower case. */
    uint8_t len;                  /* 0: none. */
};

struct delegation {
    struct delegation_name cut;
    uint32_t ttl; /* Seconds; the smallest of its NS records. */
    struct delegation_name names[DELEGATION_NAMES_MAX];
    size_t name_count;
    struct address addresses[DELEGATION_ADDRESSES_MAX]; /* Glue; any address, port 53. */
    size_t address_count;
    unsigned records; /* Looked at. */
    uint64_t mark;    /* Of the reply (cache/mark.h); its reader knows it. */
};

/* `asked` is in lower case. Which names are taken of more than there is room for is drawn by
 * `secret`, always alike, so that not all the world asks the first ones. */
struct delegation_case {
    const struct delegation_name *asked;
    const struct delegation_name *zone; /* Of a referral: what its sender serves. */
    const struct hash_key *secret;
};

/* NS records in the authority section of a reply without an answer. False: no referral to follow.
 */
bool delegation_read_referral(const struct message *reply, const struct delegation_case *asked,
    struct delegation *delegation_out);

/* NS records of the asked name itself in the answer section. False: there are none. */
bool delegation_read_answer(const struct message *reply, const struct delegation_case *asked,
    struct delegation *delegation_out);

/* The zone that the asked name lies in, by the SOA of a denial. False: it does not say. */
bool delegation_read_zone(const struct message *reply, const struct delegation_name *asked,
    struct delegation_name *zone_out);

/* Addresses, port 53, in an answer to a question of `type` (A or AAAA); how many there were room
 * for. Their TTL lowers *ttl. */
size_t delegation_read_addresses(const struct message *reply, uint16_t type, uint32_t *ttl,
    struct address *addresses_out, size_t size);

/* `name` is the text of the wire form at `bytes`, in lower case. */
void delegation_name_set(struct delegation_name *name, const uint8_t *bytes, size_t len);
bool delegation_name_equal(const struct delegation_name *a, const struct delegation_name *b);

/* `name` lies at or below `zone`. */
bool delegation_name_is_under(
    const struct delegation_name *name, const struct delegation_name *zone);
