/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "wire/name.h"

#include "cache/cache_private.h"

/* The name to forget, in lower case as keys are. */
struct flush_name {
    uint8_t name[NAME_SIZE_MAX];
    size_t len;
};

static bool flush_is_name(const struct entry *entry, const void *context)
{
    const struct flush_name *flush = context;
    return entry->name_len == flush->len && memcmp(entry_name(entry), flush->name, flush->len) == 0;
}

static bool flush_is_under(const struct entry *entry, const void *context)
{
    const struct flush_name *flush = context;
    return entry->name_len >= flush->len && name_is_valid(entry_name(entry), entry->name_len) &&
           name_is_under(entry_name(entry), entry->name_len, flush->name, flush->len);
}

/* A name stands under any type, class and flags, so the whole cache is walked. */
static size_t flush_matching(
    struct cache *cache, const uint8_t *name, size_t len, shelf_match *is_match)
{
    struct flush_name flush = {.len = len};
    if (!name_is_valid(name, len)) {
        return 0;
    }
    memcpy(flush.name, name, len);
    name_to_lower(flush.name, len);
    size_t removed = 0;
    cache_admin_lock(cache);
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        removed += shard_flush(&cache->shards[i], is_match, &flush);
    }
    cache_admin_unlock(cache);
    return removed;
}

size_t cache_flush_name(struct cache *cache, const uint8_t *name, size_t len)
{
    return flush_matching(cache, name, len, flush_is_name);
}

size_t cache_flush_under(struct cache *cache, const uint8_t *name, size_t len)
{
    return flush_matching(cache, name, len, flush_is_under);
}

size_t cache_flush_all(struct cache *cache)
{
    size_t removed = 0;
    cache_admin_lock(cache);
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        removed += shard_flush_all(&cache->shards[i]);
    }
    cache_admin_unlock(cache);
    return removed;
}
