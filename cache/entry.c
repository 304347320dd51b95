/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/entry.h"

#include <string.h>

#include "base/clock.h"
#include "wire/header.h"

#include "cache/cache.h"

static bool entry_name_is_in(const struct cache_key *key, const uint8_t *message, size_t len)
{
    return len >= HEADER_SIZE + (size_t)key->name_len &&
           memcmp(message + HEADER_SIZE, key->name, key->name_len) == 0;
}

size_t entry_bytes(const struct cache_key *key, const uint8_t *message, size_t len)
{
    size_t name_bytes = entry_name_is_in(key, message, len) ? 0 : key->name_len;
    return offsetof(struct entry, data) + name_bytes + len;
}

static uint8_t entry_flags_of(const struct cache_key *key, const struct cache_fill *fill)
{
    unsigned flags = 0;
    flags |= key->wants_dnssec ? ENTRY_WANTS_DNSSEC : 0;
    flags |= key->checking_disabled ? ENTRY_CHECKING_DISABLED : 0;
    flags |= fill->is_ad ? ENTRY_IS_AD : 0;
    flags |= fill->is_list ? ENTRY_IS_LIST : 0;
    flags |= entry_name_is_in(key, fill->message, fill->len) ? ENTRY_NAME_IN_MESSAGE : 0;
    return (uint8_t)flags;
}

void entry_fill(
    struct entry *entry, const struct cache_key *key, const struct cache_fill *fill, int64_t now)
{
    entry->stored_at = now;
    entry->asked_at = 0;
    entry->ttl_s = fill->ttl_s;
    entry->hits = 0;
    entry->type = key->type;
    entry->class = key->class;
    entry->origin = fill->origin;
    entry->message_len = (uint16_t)fill->len;
    entry->ede = 0;
    entry->name_len = key->name_len;
    entry->kind = (uint8_t)fill->kind;
    entry->failures = 0;
    entry->ahead = fill->ahead;
    entry->flags = entry_flags_of(key, fill);
    uint8_t *at = entry->data;
    if ((entry->flags & ENTRY_NAME_IN_MESSAGE) == 0) {
        memcpy(at, key->name, key->name_len);
        at += key->name_len;
    }
    if (fill->len > 0) {
        memcpy(at, fill->message, fill->len);
    }
}

const uint8_t *entry_name(const struct entry *entry)
{
    bool is_in_message = (entry->flags & ENTRY_NAME_IN_MESSAGE) != 0;
    return is_in_message ? entry->data + HEADER_SIZE : entry->data;
}

const uint8_t *entry_message(const struct entry *entry)
{
    bool is_in_message = (entry->flags & ENTRY_NAME_IN_MESSAGE) != 0;
    return is_in_message ? entry->data : entry->data + entry->name_len;
}

bool entry_has_key(const struct entry *entry, const struct cache_key *key)
{
    return entry->type == key->type && entry->class == key->class &&
           entry->name_len == key->name_len &&
           ((entry->flags & ENTRY_WANTS_DNSSEC) != 0) == key->wants_dnssec &&
           ((entry->flags & ENTRY_CHECKING_DISABLED) != 0) == key->checking_disabled &&
           memcmp(entry_name(entry), key->name, key->name_len) == 0;
}

static int64_t entry_fresh_until(const struct entry *entry)
{
    return entry->stored_at + (int64_t)entry->ttl_s * CLOCK_US_PER_S;
}

enum entry_state entry_state_at(const struct entry *entry, int64_t now, int64_t stale_max_us)
{
    int64_t past_us = now - entry_fresh_until(entry);
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
    int64_t past_us = now - entry_fresh_until(entry);
    return past_us > 0 ? past_us : 0;
}

/* Another thread's `now` may be a moment older than the store. */
uint32_t entry_age_s(const struct entry *entry, int64_t now)
{
    int64_t age_us = now - entry->stored_at;
    return age_us < 0 ? 0 : (uint32_t)(age_us / CLOCK_US_PER_S);
}

bool entry_is_refresh_due(const struct entry *entry, int64_t now)
{
    int64_t life_us = (int64_t)entry->ttl_s * CLOCK_US_PER_S;
    int64_t left_us = entry_fresh_until(entry) - now;
    if (entry->kind == CACHE_KIND_FAILURE || entry->hits == 0 || left_us > life_us / 10) {
        return false;
    }
    bool was_told = (entry->flags & ENTRY_WAS_TOLD) != 0;
    return !was_told || now - entry->asked_at >= CACHE_REFRESH_AGAIN_US;
}

bool entry_is_failing(const struct entry *entry, int64_t now)
{
    return (entry->flags & ENTRY_HAS_FAILED) != 0 &&
           now - entry->asked_at < LIFETIME_STALE_RECHECK_US;
}

void entry_note_asked(struct entry *entry, uint8_t flag, int64_t now)
{
    unsigned others = entry->flags & ~(ENTRY_WAS_TOLD | ENTRY_HAS_FAILED);
    entry->flags = (uint8_t)(others | flag);
    entry->asked_at = now;
}
