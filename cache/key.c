/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/key.h"

#include <string.h>

#include "base/hash.h"
#include "wire/bytes.h"

/* Behind the name: type, class and one byte of flags. */
#define KEY_TAIL_SIZE 5

bool cache_key_equal(const struct cache_key *a, const struct cache_key *b)
{
    return a->type == b->type && a->class == b->class && a->wants_dnssec == b->wants_dnssec &&
           a->checking_disabled == b->checking_disabled && a->name_len == b->name_len &&
           memcmp(a->name, b->name, a->name_len) == 0;
}

static uint64_t key_hash(const struct cache_key *key, uint16_t type, const struct hash_key *secret)
{
    uint8_t bytes[sizeof key->name + KEY_TAIL_SIZE];
    memcpy(bytes, key->name, key->name_len);
    uint8_t *tail = bytes + key->name_len;
    bytes_put_u16(tail, type);
    bytes_put_u16(tail + 2, key->class);
    tail[4] = (uint8_t)((key->wants_dnssec ? 1u : 0u) | (key->checking_disabled ? 2u : 0u));
    return hash_siphash13(secret, bytes, (size_t)key->name_len + KEY_TAIL_SIZE);
}

uint64_t cache_key_hash(const struct cache_key *key, const struct hash_key *secret)
{
    return key_hash(key, key->type, secret);
}

uint64_t cache_key_place(const struct cache_key *key, const struct hash_key *secret)
{
    return key_hash(key, 0, secret);
}
