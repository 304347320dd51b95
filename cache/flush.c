/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/flush.h"

#include <string.h>

#include "cache/cache_private.h"
#include "cache/mark.h"

bool flush_scope_covers(const struct flush_scope *scope, const uint8_t *name, size_t len)
{
    if (scope->is_under) {
        return len >= scope->name_len && name_is_under(name, len, scope->name, scope->name_len);
    }
    return len == scope->name_len && memcmp(name, scope->name, len) == 0;
}

bool flush_scope_outdates(
    const struct flush_scope *last, uint64_t mark, const uint8_t *name, size_t len)
{
    if (mark == CACHE_MARK_OUTDATED) {
        return true;
    }
    if (mark == CACHE_MARK_NEW || mark >= last->number) {
        return false;
    }
    return mark + 1 < last->number || flush_scope_covers(last, name, len);
}

static bool flush_is_covered(const struct entry *entry, const void *context)
{
    const struct flush_scope *scope = context;
    return name_is_valid(entry_name(entry), entry->name_len) &&
           flush_scope_covers(scope, entry_name(entry), entry->name_len);
}

static bool flush_scope_set(
    struct flush_scope *scope, const uint8_t *name, size_t len, bool is_under)
{
    if (!name_is_valid(name, len)) {
        return false;
    }
    *scope = (struct flush_scope){.is_under = is_under, .name_len = (uint8_t)len};
    memcpy(scope->name, name, len);
    name_to_lower(scope->name, len);
    return true;
}

/* From here on what is asked is newer than this flush. A shard learns of it before any of its
 * entries goes, under its lock: so what comes in with an older mark is either still removed, or not
 * stored. */
static void flush_begin(struct cache *cache, struct flush_scope *scope)
{
    cache_admin_lock(cache);
    scope->number = atomic_fetch_add_explicit(&cache->mark, 1, memory_order_acq_rel) + 1;
}

/* A name stands under any type, class and flags, so the whole cache is walked. */
static size_t flush_matching(struct cache *cache, const uint8_t *name, size_t len, bool is_under)
{
    struct flush_scope scope;
    size_t removed = 0;
    if (!flush_scope_set(&scope, name, len, is_under)) {
        return 0;
    }
    flush_begin(cache, &scope);
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        shard_note_flush(&cache->shards[i], &scope);
        removed += shard_flush(&cache->shards[i], flush_is_covered, &scope);
    }
    cache_admin_unlock(cache);
    return removed;
}

size_t cache_flush_name(struct cache *cache, const uint8_t *name, size_t len)
{
    return flush_matching(cache, name, len, false);
}

size_t cache_flush_under(struct cache *cache, const uint8_t *name, size_t len)
{
    return flush_matching(cache, name, len, true);
}

size_t cache_flush_all(struct cache *cache)
{
    static const uint8_t root[1] = {0};
    struct flush_scope scope;
    size_t removed = 0;
    (void)flush_scope_set(&scope, root, sizeof root, true);
    flush_begin(cache, &scope);
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        shard_note_flush(&cache->shards[i], &scope);
        removed += shard_flush_all(&cache->shards[i]);
    }
    cache_admin_unlock(cache);
    return removed;
}

uint64_t cache_mark(const struct cache *cache)
{
    return atomic_load_explicit(&cache->mark, memory_order_acquire);
}

bool cache_is_flushed(struct cache *cache, const struct cache_key *key, uint64_t mark)
{
    struct shard_call call;
    if (mark == cache_mark(cache)) {
        return false;
    }
    struct shard *shard = cache_shard_for(cache, key, 0, &call);
    return shard_is_flushed(shard, &call, mark);
}
