/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/key.h"

/*
 * One remembered answer or failure: a fixed head, then the message in its stored form. The key's
 * name is the message's own question name where the two are equal (always, for what
 * wire/normalise.h wrote), else it stands before the message. Owned by its shelf, guarded by the
 * shard's lock, and moved about by the slab: nobody keeps a pointer to it.
 */
struct entry {
    uint32_t hash;  /* The shelf's. Lower half of cache_key_hash(). */
    uint32_t next;  /* The shelf's. Next entry of the same bucket. */
    uint32_t newer; /* The shelf's. Order of use. */
    uint32_t older;
    int64_t stored_at;
    int64_t asked_at; /* When a refresh was last told of, or failed. */
    uint32_t ttl_s;   /* Fresh for this long from stored_at. */
    uint32_t hits;
    uint16_t type;
    uint16_t class;
    uint16_t origin;
    uint16_t message_len;
    int16_t ede;
    uint8_t name_len;
    uint8_t kind;     /* enum cache_kind. */
    uint8_t failures; /* In a row, of a FAILURE. */
    uint8_t flags;    /* ENTRY_... */
    uint8_t ahead;    /* As filled, until the first hit. */
    uint8_t data[];
};

#define ENTRY_WANTS_DNSSEC      0x01u
#define ENTRY_CHECKING_DISABLED 0x02u
#define ENTRY_IS_AD             0x04u
#define ENTRY_IS_LIST           0x08u
#define ENTRY_NAME_IN_MESSAGE   0x10u
#define ENTRY_WAS_TOLD          0x20u /* asked_at: a caller was told that a refresh is due. */
#define ENTRY_HAS_FAILED        0x40u /* asked_at: the refresh of this stale answer failed. */

/* The number of failures in a row is remembered this long after the last one has expired. */
#define ENTRY_FAILURE_MEMORY_US (INT64_C(60) * 1000000)

enum entry_state {
    ENTRY_FRESH,
    ENTRY_STALE, /* Expired, and may still be given. */
    ENTRY_SPENT, /* A failure that has expired and only counts the row. */
    ENTRY_DEAD,
};

struct cache_fill;

/* Bytes that an entry for this key and message takes. */
size_t entry_bytes(const struct cache_key *key, const uint8_t *message, size_t len);

/* Writes everything but the shelf's links. The entry has entry_bytes() of room. */
void entry_fill(
    struct entry *entry, const struct cache_key *key, const struct cache_fill *fill, int64_t now);

const uint8_t *entry_name(const struct entry *entry);
const uint8_t *entry_message(const struct entry *entry);

bool entry_has_key(const struct entry *entry, const struct cache_key *key);

enum entry_state entry_state_at(const struct entry *entry, int64_t now, int64_t stale_max_us);

/* Since its TTL ran out; 0 while it is fresh. */
int64_t entry_expired_us(const struct entry *entry, int64_t now);

/* Whole seconds since it was stored. */
uint32_t entry_age_s(const struct entry *entry, int64_t now);

/* In the last tenth of its life, hit before, and nobody told lately. Of a FRESH one. */
bool entry_is_refresh_due(const struct entry *entry, int64_t now);

/* A refresh failed less than LIFETIME_STALE_RECHECK_US ago. Of a STALE one. */
bool entry_is_failing(const struct entry *entry, int64_t now);

/* Notes at `now` one of ENTRY_WAS_TOLD and ENTRY_HAS_FAILED. */
void entry_note_asked(struct entry *entry, uint8_t flag, int64_t now);
