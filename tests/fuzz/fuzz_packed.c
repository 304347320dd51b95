/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: a byte that chooses the kind, the flags and where the TTL comes from, then a message, sane
 * or not. What the cache keeps of it must give back the very same message, in every form: also when
 * it is kept for another name, of which it then is the same record for record.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "cache/cache.h"
#include "cache/entry.h"
#include "cache/packed.h"
#include "wire/bytes.h"
#include "wire/header.h"
#include "wire/name.h"

#define PACKED_KIND    0x03u
#define PACKED_IS_ANY  0x04u
#define PACKED_SOA_TTL 0x08u
#define PACKED_CLASS   0x10u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of the message's question, as far as there is one. */
static struct cache_key packed_key(const uint8_t *message, size_t len)
{
    struct cache_key key = {.name_len = 1, .type = 1, .class = 1};
    struct reader reader = reader_of(message, len);
    uint8_t name[NAME_SIZE_MAX];
    size_t name_len;
    reader.at = HEADER_SIZE;
    if (len < HEADER_SIZE || !name_read_plain(&reader, name, &name_len) ||
        reader_left(&reader) < 4) {
        return key;
    }
    memcpy(key.name, name, name_len);
    key.name_len = (uint8_t)name_len;
    (void)reader_u16(&reader, &key.type);
    (void)reader_u16(&reader, &key.class);
    return key;
}

/* The TTL where the only record of a denial would have it. */
static uint32_t packed_ttl(const struct cache_key *key, const uint8_t *message, size_t len)
{
    size_t at = HEADER_SIZE + (size_t)key->name_len + 4 + 2 + 4;
    return len >= at + 4 ? bytes_get_u32(message + at) : 1;
}

static void packed_check(const struct cache_key *key, const struct cache_fill *fill,
    const struct packed *packed, const struct shared *shared)
{
    size_t bytes = entry_bytes(key, packed);
    struct entry *entry = calloc(1, bytes < sizeof *entry ? sizeof *entry : bytes);
    uint8_t *message = malloc(fill->len + 1);
    must(entry != NULL && message != NULL);
    entry_fill(entry, key, fill, packed, 0);
    packed_unfold(entry, key->type, shared, message);
    must(entry->message_len == fill->len && memcmp(message, fill->message, fill->len) == 0);
    free(message);
    free(entry);
}

static void packed_check_shared(
    const struct cache_key *key, const struct cache_fill *fill, const struct packed *packed)
{
    uint8_t authority[SHARED_SIZE_MAX];
    size_t len = packed_authority(fill, packed, authority);
    if (len == 0) {
        return;
    }
    struct packed folded = *packed;
    struct shared *shared = calloc(1, offsetof(struct shared, bytes) + len);
    must(shared != NULL && len <= SHARED_SIZE_MAX);
    shared->len = (uint16_t)len;
    memcpy(shared->bytes, authority, len);
    packed_use_shared(&folded, 7);
    packed_check(key, fill, &folded, shared);
    free(shared);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > CACHE_MESSAGE_MAX) {
        return 0;
    }
    unsigned choice = data[0];
    unsigned kind = choice & PACKED_KIND;
    const uint8_t *message = data + 1;
    struct cache_key key = packed_key(message, size - 1);
    key.class ^= (choice & PACKED_CLASS) != 0 ? 2 : 0;
    const struct cache_fill fill = {
        .kind = kind == 3 ? CACHE_KIND_NXDOMAIN : (enum cache_kind)kind,
        .message = message,
        .len = size - 1,
        .ttl_s = (choice & PACKED_SOA_TTL) != 0 ? packed_ttl(&key, message, size - 1) : 60,
        .is_any_type = (choice & PACKED_IS_ANY) != 0,
    };
    struct packed packed;
    packed_fold(&key, &fill, &packed);
    packed_check(&key, &fill, &packed, NULL);
    packed_check_shared(&key, &fill, &packed);
    return 0;
}
