/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/entry.h"

#include <string.h>

#include "base/clock.h"
#include "wire/bytes.h"
#include "wire/types.h"

#include "cache/cache.h"
#include "cache/packed.h"

_Static_assert(offsetof(struct entry, data) == 40, "the head has grown");

_Static_assert(CACHE_REASONS - 1 <= ENTRY_REASON >> ENTRY_REASON_SHIFT, "two bits hold it");

_Static_assert(CACHE_AHEAD_MAX == 31, "an entry has five bits for it");

/* Differences of ticks beyond this are of a store that is younger than `now`: an hour at most. */
#define ENTRY_TICKS_MAX (UINT32_MAX - 64u * 3600)

#define ENTRY_CLASS_SIZE 2

static size_t entry_class_size(uint16_t class)
{
    return class == CLASS_IN ? 0 : ENTRY_CLASS_SIZE;
}

size_t entry_bytes(const struct cache_key *key, const struct packed *packed)
{
    return offsetof(struct entry, data) + entry_class_size(key->class) + key->name_len +
           packed->prefix_len + packed->rest_len;
}

static uint32_t entry_tick(int64_t now)
{
    return (uint32_t)(now / ENTRY_TICK_US);
}

static int64_t entry_since_us(uint32_t tick, int64_t now)
{
    uint32_t ticks = entry_tick(now) - tick;
    int64_t since = ticks <= ENTRY_TICKS_MAX ? (int64_t)ticks : (int64_t)ticks - (INT64_C(1) << 32);
    return since * ENTRY_TICK_US + now % ENTRY_TICK_US;
}

static uint16_t entry_flags_of(
    const struct cache_key *key, const struct cache_fill *fill, const struct packed *packed)
{
    unsigned flags = packed->flags;
    flags |= key->wants_dnssec ? ENTRY_WANTS_DNSSEC : 0;
    flags |= key->checking_disabled ? ENTRY_CHECKING_DISABLED : 0;
    flags |= fill->is_ad ? ENTRY_IS_AD : 0;
    flags |= fill->is_list ? ENTRY_IS_LIST : 0;
    flags |= key->class == CLASS_IN ? 0 : ENTRY_HAS_CLASS;
    flags |= (unsigned)fill->birth.reason << ENTRY_REASON_SHIFT & ENTRY_REASON;
    return (uint16_t)flags;
}

static uint8_t *entry_put(uint8_t *at, const uint8_t *bytes, size_t len)
{
    if (len > 0) {
        memcpy(at, bytes, len);
    }
    return at + len;
}

void entry_fill(struct entry *entry, const struct cache_key *key, const struct cache_fill *fill,
    const struct packed *packed, int64_t now)
{
    entry->stored_tick = entry_tick(now);
    entry->asked_tick = fill->birth.cost_us;
    entry->ttl_s = fill->ttl_s;
    entry->message_len = (uint16_t)fill->len;
    entry->type = key->type;
    entry->origin = fill->origin;
    entry->hits = 0;
    entry->flags = entry_flags_of(key, fill, packed);
    entry->name_len = key->name_len;
    entry->kind = (unsigned)fill->kind & 0x3u;
    entry->ahead = fill->ahead & 0x1fu;
    uint8_t class[ENTRY_CLASS_SIZE];
    bytes_put_u16(class, key->class);
    uint8_t *at = entry_put(entry->data, class, entry_class_size(key->class));
    at = entry_put(at, key->name, key->name_len);
    at = entry_put(at, packed->prefix, packed->prefix_len);
    (void)entry_put(at, packed->rest, packed->rest_len);
}

uint16_t entry_class(const struct entry *entry)
{
    return (entry->flags & ENTRY_HAS_CLASS) != 0 ? bytes_get_u16(entry->data) : CLASS_IN;
}

const uint8_t *entry_name(const struct entry *entry)
{
    return entry->data + ((entry->flags & ENTRY_HAS_CLASS) != 0 ? ENTRY_CLASS_SIZE : 0);
}

const uint8_t *entry_body(const struct entry *entry)
{
    return entry_name(entry) + entry->name_len;
}

bool entry_has_place(const struct entry *entry, const struct cache_key *key)
{
    return entry->name_len == key->name_len && entry_class(entry) == key->class &&
           ((entry->flags & ENTRY_WANTS_DNSSEC) != 0) == key->wants_dnssec &&
           ((entry->flags & ENTRY_CHECKING_DISABLED) != 0) == key->checking_disabled &&
           memcmp(entry_name(entry), key->name, key->name_len) == 0;
}

int64_t entry_age_us(const struct entry *entry, int64_t now)
{
    return entry_since_us(entry->stored_tick, now);
}

uint32_t entry_age_s(const struct entry *entry, int64_t now)
{
    int64_t age_us = entry_age_us(entry, now);
    return age_us < 0 ? 0 : (uint32_t)(age_us / CLOCK_US_PER_S);
}

static int64_t entry_past_us(const struct entry *entry, int64_t now)
{
    return entry_age_us(entry, now) - (int64_t)entry->ttl_s * CLOCK_US_PER_S;
}

enum entry_state entry_state_at(const struct entry *entry, int64_t now, int64_t stale_max_us)
{
    int64_t past_us = entry_past_us(entry, now);
    if (past_us < 0) {
        return ENTRY_FRESH;
    }
    if (entry->kind == CACHE_KIND_FAILURE) {
        return past_us < ENTRY_FAILURE_MEMORY_US ? ENTRY_SPENT : ENTRY_DEAD;
    }
    struct lifetime_subject subject = {
        .kind = (enum cache_kind)entry->kind,
        .type = entry->type,
        .is_list = (entry->flags & ENTRY_IS_LIST) != 0,
        .is_ad = (entry->flags & ENTRY_IS_AD) != 0,
    };
    return past_us < lifetime_stale_us(&subject, stale_max_us) ? ENTRY_STALE : ENTRY_DEAD;
}

int64_t entry_expired_us(const struct entry *entry, int64_t now)
{
    int64_t past_us = entry_past_us(entry, now);
    return past_us > 0 ? past_us : 0;
}

bool entry_is_refresh_due(const struct entry *entry, int64_t now)
{
    int64_t life_us = (int64_t)entry->ttl_s * CLOCK_US_PER_S;
    int64_t left_us = -entry_past_us(entry, now);
    if (entry->kind == CACHE_KIND_FAILURE || entry->hits == 0 || left_us > life_us / 10) {
        return false;
    }
    bool was_told = (entry->flags & ENTRY_WAS_TOLD) != 0;
    return !was_told || entry_since_us(entry->asked_tick, now) >= CACHE_REFRESH_AGAIN_US;
}

bool entry_is_failing(const struct entry *entry, int64_t now)
{
    return (entry->flags & ENTRY_HAS_FAILED) != 0 &&
           entry_since_us(entry->asked_tick, now) < LIFETIME_STALE_RECHECK_US;
}

void entry_note_asked(struct entry *entry, uint16_t flag, int64_t now)
{
    unsigned others = entry->flags & ~(ENTRY_WAS_TOLD | ENTRY_HAS_FAILED);
    entry->flags = (uint16_t)(others | flag);
    entry->asked_tick = entry_tick(now);
}

struct cache_birth entry_birth(const struct entry *entry)
{
    bool is_overwritten = (entry->flags & (ENTRY_WAS_TOLD | ENTRY_HAS_FAILED)) != 0;
    return (struct cache_birth){
        .reason = (enum cache_reason)((entry->flags & ENTRY_REASON) >> ENTRY_REASON_SHIFT),
        .cost_us = is_overwritten ? 0 : entry->asked_tick,
    };
}

void entry_note_hit(struct entry *entry)
{
    if (entry->hits < UINT16_MAX) {
        entry->hits++;
    }
    entry->ahead = 0;
}
