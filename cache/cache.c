/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

#include "cache/cache_private.h"
#include "cache/mark.h"
#include "cache/pace.h"

#define CACHE_SHARDS_MAX 256u

const struct metric_row cache_metric_rows[] = {
#define METRIC_COUNTER(name, sentence) {#name, METRIC_KIND_COUNTER, sentence},
#define METRIC_GAUGE(name, sentence)   {#name, METRIC_KIND_GAUGE, sentence},
#include "cache/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
};

const size_t cache_metric_row_count = sizeof cache_metric_rows / sizeof cache_metric_rows[0];

static size_t cache_struct_bytes(uint32_t shard_count)
{
    return sizeof(struct cache) + (size_t)shard_count * sizeof(struct shard);
}

/* What a shard may take beside its own struct. */
static uint64_t cache_shard_max(uint64_t budget_bytes, uint32_t shard_count)
{
    uint64_t structs = slab_pages_round(cache_struct_bytes(shard_count));
    return budget_bytes > structs ? (budget_bytes - structs) / shard_count : 0;
}

static uint32_t cache_shard_count_for(const struct cache_options *options)
{
    uint32_t count = options->shard_count;
    while (count > 1 && options->budget_bytes / count < CACHE_BUDGET_MIN) {
        count /= 2;
    }
    return count;
}

static void cache_fini(struct cache *cache, uint32_t shards_ready)
{
    for (uint32_t i = 0; i < shards_ready; i++) {
        shard_fini(&cache->shards[i]);
    }
    must(pthread_mutex_destroy(&cache->admin_lock) == 0);
    slab_pages_unmap(cache, slab_pages_round(cache_struct_bytes(cache->shard_count)));
}

struct cache *cache_new(const struct cache_options *options)
{
    must(options->budget_bytes >= CACHE_BUDGET_MIN);
    must(options->shard_count > 0 && options->shard_count <= CACHE_SHARDS_MAX);
    must((options->shard_count & (options->shard_count - 1)) == 0);
    uint32_t shard_count = cache_shard_count_for(options);
    struct cache *cache = slab_pages_map(slab_pages_round(cache_struct_bytes(shard_count)));
    if (cache == NULL) {
        return NULL;
    }
    cache->secret = options->secret;
    cache->shard_count = shard_count;
    atomic_init(&cache->stale_max_us, options->stale_max_us);
    atomic_init(&cache->budget_bytes, options->budget_bytes);
    atomic_init(&cache->mark, CACHE_MARK_START);
    must(pthread_mutex_init(&cache->admin_lock, NULL) == 0);
    uint64_t shard_max = cache_shard_max(options->budget_bytes, shard_count);
    for (uint32_t i = 0; i < shard_count; i++) {
        if (!shard_init(&cache->shards[i], shard_max, &cache->secret)) {
            cache_fini(cache, i);
            return NULL;
        }
        shard_set_list_share(
            &cache->shards[i], options->list_share == 0 ? 100 : options->list_share);
    }
    return cache;
}

void cache_free(struct cache **cache)
{
    if (*cache != NULL) {
        cache_fini(*cache, (*cache)->shard_count);
        *cache = NULL;
    }
}

void cache_admin_lock(struct cache *cache)
{
    must(pthread_mutex_lock(&cache->admin_lock) == 0);
}

void cache_admin_unlock(struct cache *cache)
{
    must(pthread_mutex_unlock(&cache->admin_lock) == 0);
}

/* The shelf uses the lower half of the hash, the choice of shard the uppermost bits. */
struct shard *cache_shard_for(
    struct cache *cache, const struct cache_key *key, int64_t now, struct shard_call *call_out)
{
    uint64_t hash = cache_key_place(key, &cache->secret);
    *call_out = (struct shard_call){
        .key = key,
        .hash = (uint32_t)hash,
        .now = now,
        .stale_max_us = atomic_load_explicit(&cache->stale_max_us, memory_order_relaxed),
    };
    return &cache->shards[(hash >> 56) & (cache->shard_count - 1)];
}

enum cache_verdict cache_lookup(struct cache *cache, const struct cache_key *key, int64_t now,
    uint8_t *message_out, size_t size, struct cache_found *found_out)
{
    struct shard_call call;
    struct shard *shard = cache_shard_for(cache, key, now, &call);
    struct shard_room room = {.bytes = message_out, .size = size};
    return shard_lookup(shard, &call, &room, found_out);
}

enum cache_verdict cache_peek(struct cache *cache, const struct cache_key *key, int64_t now,
    uint8_t *message_out, size_t size, struct cache_found *found_out)
{
    struct shard_call call;
    struct shard *shard = cache_shard_for(cache, key, now, &call);
    struct shard_room room = {.bytes = message_out, .size = size};
    call.is_peek = true;
    return shard_lookup(shard, &call, &room, found_out);
}

bool cache_read_birth(
    struct cache *cache, const struct cache_key *key, int64_t now, struct cache_birth *birth_out)
{
    struct shard_call call;
    struct shard *shard = cache_shard_for(cache, key, now, &call);
    call.is_peek = true;
    return shard_read_birth(shard, &call, birth_out);
}

void cache_store(
    struct cache *cache, const struct cache_key *key, const struct cache_fill *fill, int64_t now)
{
    struct shard_call call;
    struct shard *shard = cache_shard_for(cache, key, now, &call);
    shard_store(shard, &call, fill);
}

void cache_store_failure(struct cache *cache, const struct cache_key *key, int ede, int64_t now)
{
    struct shard_call call;
    struct shard *shard = cache_shard_for(cache, key, now, &call);
    shard_store_failure(shard, &call, ede);
}

void cache_store_refusal(
    struct cache *cache, const struct cache_key *key, int ede, uint32_t keep_s, int64_t now)
{
    struct shard_call call;
    struct shard *shard = cache_shard_for(cache, key, now, &call);
    call.keep_s = keep_s;
    shard_store_failure(shard, &call, ede);
}

void cache_set_pace(struct cache *cache, cache_pace *pace, void *world)
{
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        cache->shards[i].pace = pace;
        cache->shards[i].pace_world = world;
    }
}

void cache_set_stale_max(struct cache *cache, int64_t stale_max_us)
{
    atomic_store_explicit(&cache->stale_max_us, stale_max_us, memory_order_relaxed);
}

void cache_set_list_share(struct cache *cache, unsigned list_share)
{
    must(list_share >= 1 && list_share <= 100);
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        shard_set_list_share(&cache->shards[i], list_share);
    }
}

void cache_set_budget(struct cache *cache, uint64_t budget_bytes)
{
    must(budget_bytes >= CACHE_BUDGET_MIN);
    cache_admin_lock(cache);
    uint64_t shard_max = cache_shard_max(budget_bytes, cache->shard_count);
    if (budget_bytes > atomic_load_explicit(&cache->budget_bytes, memory_order_relaxed)) {
        /* First, so that nobody reads more bytes than the budget. */
        atomic_store_explicit(&cache->budget_bytes, budget_bytes, memory_order_relaxed);
    }
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        shard_set_max(&cache->shards[i], shard_max);
    }
    atomic_store_explicit(&cache->budget_bytes, budget_bytes, memory_order_relaxed);
    cache_admin_unlock(cache);
}

void cache_read_metrics(struct cache *cache, struct cache_metrics *metrics_out)
{
    memset(metrics_out, 0, sizeof *metrics_out);
    for (uint32_t i = 0; i < cache->shard_count; i++) {
        shard_add_metrics(&cache->shards[i], metrics_out);
    }
    metrics_out->cache_bytes += slab_pages_round(cache_struct_bytes(cache->shard_count));
    metrics_out->cache_bytes_max = atomic_load_explicit(&cache->budget_bytes, memory_order_relaxed);
}
