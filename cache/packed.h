/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cache/shared.h"

/*
 * How a message stands in an entry: without what the entry's head and name say anyway. There are
 * three forms; what is copied out is the message that went in, byte for byte.
 *
 *     verbatim   the whole message, when the head does not tell its header and question
 *     records    the number of answer and of authority records, a byte each, then the records
 *     shared     four bytes: the name under which shared.h keeps the one record, an SOA
 *
 * In the shared form the SOA stands as it would behind a question name of no length: all its
 * compression pointers are less by that name's length and what is before it (modulo 2^14, so that
 * there is a way back for any pointer). Thus all denials of a zone have the same bytes. Its TTL is
 * the entry's. Pure, no allocation.
 */
struct cache_key;
struct cache_fill;
struct entry;

#define PACKED_PREFIX_MAX 4

/* An entry's body, about to be written. */
struct packed {
    uint16_t flags; /* What the entry needs to know: ENTRY_IS_VERBATIM, ... */
    uint8_t prefix[PACKED_PREFIX_MAX];
    uint8_t prefix_len;
    const uint8_t *rest; /* Of the caller's message. */
    size_t rest_len;
};

/* The body of an answer, not shared. */
void packed_fold(
    const struct cache_key *key, const struct cache_fill *fill, struct packed *packed_out);

/* The body of the n-th failure in a row. */
void packed_fold_failure(unsigned failures, int ede, struct packed *packed_out);
unsigned packed_failures(const struct entry *entry);
int packed_ede(const struct entry *entry);

/* The one SOA of what packed_fold() made, as it is shared. Returns its length; 0: it is not of that
 * kind, or too large. */
size_t packed_authority(
    const struct cache_fill *fill, const struct packed *packed, uint8_t bytes_out[SHARED_SIZE_MAX]);

/* Makes it the shared form. */
void packed_use_shared(struct packed *packed, uint32_t reference);
uint32_t packed_reference(const struct entry *entry);

/* Writes the entry's message, message_len bytes, as the answer to a question of `type`. `shared` is
 * what packed_reference() names; only with ENTRY_IS_SHARED. */
void packed_unfold(
    const struct entry *entry, uint16_t type, const struct shared *shared, uint8_t *message_out);
