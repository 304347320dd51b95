/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cache/key.h"

/*
 * One remembered answer or failure. A head of 40 bytes, and behind it
 *
 *     class, 2 bytes      only with ENTRY_HAS_CLASS; else it is IN
 *     name, name_len      the key's
 *     body                the message without what the head and the name already say (packed.h);
 *                         of a failure, struct packed's three bytes of its own
 *
 * There may be millions of these in a machine that has other things to do with its memory, so times
 * are ticks of 1/64 s that wrap around after two years, and what is nearly always the same is a
 * flag. Owned by its shelf, guarded by the shard's lock, and moved about by the slab: nobody keeps
 * a pointer to it.
 */

/* How the shelf finds a thing, and where it stands in the order of use. */
struct shelf_link {
    uint32_t hash; /* Lower half of cache_key_place(). */
    uint32_t next; /* Next thing in the same bucket. */
    uint32_t newer;
    uint32_t older;
};

struct entry {
    struct shelf_link link; /* The shelf's. */
    uint32_t stored_tick;
    uint32_t asked_tick;  /* When a refresh was last told of, or failed; until then, what it cost
                             upstream to answer, in microseconds. */
    uint32_t ttl_s;       /* Fresh for this long from stored_tick. */
    uint16_t message_len; /* As it is copied out. */
    uint16_t type;        /* Of an any-type denial: that of the question it once answered. */
    uint16_t origin;
    uint16_t hits;  /* Stays at its greatest value. */
    uint16_t flags; /* ENTRY_... */
    uint8_t name_len;
    uint8_t kind : 2;         /* enum cache_kind. */
    uint8_t is_protected : 1; /* The shelf's. */
    uint8_t ahead : 5;        /* As filled, until the first hit. */
    uint8_t data[];
};

#define ENTRY_WANTS_DNSSEC      0x0001u
#define ENTRY_CHECKING_DISABLED 0x0002u
#define ENTRY_IS_AD             0x0004u
#define ENTRY_IS_LIST           0x0008u
#define ENTRY_WAS_TOLD          0x0010u /* asked_tick: a caller was told that a refresh is due. */
#define ENTRY_HAS_FAILED        0x0020u /* asked_tick: the refresh of this stale answer failed. */
#define ENTRY_IS_ANY_TYPE       0x0040u /* NXDOMAIN: it denies every type of the name. */
#define ENTRY_HAS_CLASS         0x0080u
#define ENTRY_IS_VERBATIM       0x0100u /* The body is the whole message. */
#define ENTRY_IS_SHARED         0x0200u /* The body names what shared.h keeps. */
#define ENTRY_MESSAGE_AD        0x0400u /* The header's AD bit of what is packed. */
#define ENTRY_REASON            0x1800u /* enum cache_reason. */
#define ENTRY_REASON_SHIFT      11

#define ENTRY_TICK_US 15625

/* The number of failures in a row is remembered this long after the last one has expired. */
#define ENTRY_FAILURE_MEMORY_US (INT64_C(60) * 1000000)

enum entry_state {
    ENTRY_FRESH,
    ENTRY_STALE, /* Expired, and may still be given. */
    ENTRY_SPENT, /* A failure that has expired and only counts the row. */
    ENTRY_DEAD,
};

struct cache_birth;
struct cache_fill;
struct packed;

/* Bytes that an entry for this key and body takes. */
size_t entry_bytes(const struct cache_key *key, const struct packed *packed);

/* Writes everything but the shelf's part. The entry has entry_bytes() of room. */
void entry_fill(struct entry *entry, const struct cache_key *key, const struct cache_fill *fill,
    const struct packed *packed, int64_t now);

uint16_t entry_class(const struct entry *entry);
const uint8_t *entry_name(const struct entry *entry);
const uint8_t *entry_body(const struct entry *entry);

/* The key but for its type. */
bool entry_has_place(const struct entry *entry, const struct cache_key *key);

/* Since it was stored: up to a tick more than it was, never less. Negative when another thread's
 * `now` is a moment older than the store. */
int64_t entry_age_us(const struct entry *entry, int64_t now);

/* The same in whole seconds, 0 at least. */
uint32_t entry_age_s(const struct entry *entry, int64_t now);

enum entry_state entry_state_at(const struct entry *entry, int64_t now, int64_t stale_max_us);

/* Since its TTL ran out; 0 while it is fresh. */
int64_t entry_expired_us(const struct entry *entry, int64_t now);

/* In the last tenth of its life, hit before, and nobody told lately. Of a FRESH one. */
bool entry_is_refresh_due(const struct entry *entry, int64_t now);

/* A refresh failed less than LIFETIME_STALE_RECHECK_US ago. Of a STALE one. */
bool entry_is_failing(const struct entry *entry, int64_t now);

/* Notes at `now` one of ENTRY_WAS_TOLD and ENTRY_HAS_FAILED. */
void entry_note_asked(struct entry *entry, uint16_t flag, int64_t now);

struct cache_birth entry_birth(const struct entry *entry);

/* Counts a hit. */
void entry_note_hit(struct entry *entry);
