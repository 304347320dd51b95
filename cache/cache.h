/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/metrics.h"
#include "cache/birth.h"
#include "cache/key.h"
#include "cache/lifetime.h"

/*
 * The memory of answers. It judges, it never asks: a lookup says FRESH, STALE or MISS and copies
 * the stored message out, so nobody ever holds a pointer into it. Least recently used entries make
 * room within a byte budget that counts index and slack. Shards with a lock each: every function
 * here may be called from any thread. Time is handed in (base/clock.h).
 */
struct cache;

struct cache_options {
    uint64_t budget_bytes; /* At least CACHE_BUDGET_MIN. */
    uint32_t shard_count;  /* A power of two, 1 to 256. Fewer are made when a shard would have less
                              than CACHE_BUDGET_MIN. */
    int64_t stale_max_us;  /* 0: never stale. */
    unsigned list_share;   /* Of a full cache, answers of DNS lists take at most this share, in per
                              cent, 1 to 100; 0 is 100. */
    struct hash_key secret;
};

#define CACHE_BUDGET_MIN (UINT64_C(1) << 20)

/* A single message larger than this is not stored. */
#define CACHE_MESSAGE_MAX 65535

/* NULL when memory is short. The budget is taken from the system as it fills, never exceeded. */
struct cache *cache_new(const struct cache_options *options);
void cache_free(struct cache **cache);

enum cache_verdict {
    CACHE_FRESH, /* Give it. */
    CACHE_STALE, /* Ask upstream; give this one when that takes too long or fails. */
    CACHE_MISS,
};

/* Where an entry stands, which decides how soon it makes room (cache/shelf.h). */
enum cache_segment {
    CACHE_SEGMENT_PROBATION, /* Not asked again since it was stored. */
    CACHE_SEGMENT_PROTECTED, /* Asked again. */
    CACHE_SEGMENT_LIST,      /* Of a DNS list: these make room among themselves. */
};
#define CACHE_SEGMENTS 3

/* What stands in the entry that was found; valid with FRESH and STALE. */
struct cache_found {
    enum cache_kind kind;
    size_t len;          /* Of the message copied out. */
    uint32_t age_s;      /* Whole seconds since it was stored: what to take off each TTL. */
    uint32_t ttl_left_s; /* Until expiry, 0 when stale. */
    bool is_ad;
    bool is_list;
    bool is_refresh_due; /* FRESH: in the last tenth of its life, and hit before. One caller is told
                            so; the next one only after a store or REFRESH_AGAIN_US. */
    bool is_failing;     /* STALE: a refresh failed moments ago; do not ask, give it at once. */
    uint32_t hits;       /* Since it was stored, this one included. */
    uint16_t origin;     /* As given to cache_store(): which upstream it came from. */
    int ede;             /* Of a FAILURE: enum ede as given. */
    uint32_t ttl_s;      /* As it was stored with. */
    int64_t expired_us;  /* STALE: for how long. */
    uint8_t ahead;       /* As given to cache_store(), for the first hit only; then 0. */
    enum cache_segment segment;
};

/* A refresh told of is not told again for this long (it may have been lost). */
#define CACHE_REFRESH_AGAIN_US (INT64_C(10) * 1000000)

/*
 * Looks the key up at `now`. The stored message (wire/normalise.h; its id is 0) is copied to
 * message_out, which has room for `size` bytes; a message that does not fit counts as MISS. A hit
 * makes the entry the most recently used.
 */
enum cache_verdict cache_lookup(struct cache *cache, const struct cache_key *key, int64_t now,
    uint8_t *message_out, size_t size, struct cache_found *found_out);

/* The same without counting a hit, telling of a refresh or touching the order: for
 * `mxcache lookup`. */
enum cache_verdict cache_peek(struct cache *cache, const struct cache_key *key, int64_t now,
    uint8_t *message_out, size_t size, struct cache_found *found_out);

/* What to remember. */
struct cache_fill {
    enum cache_kind kind;   /* Not FAILURE. */
    const uint8_t *message; /* The stored form; copied. */
    size_t len;
    uint32_t ttl_s; /* 0: not stored. */
    bool is_ad;
    bool is_list;
    bool is_any_type; /* NXDOMAIN: it answers questions of every type for this name. */
    uint8_t ahead;    /* The step that foresaw the question, 1 to CACHE_AHEAD_MAX; else 0. */
    uint16_t origin;
    uint64_t mark; /* Of when it was asked for (cache/mark.h); flushed since, it is not stored. */
    struct cache_birth birth;
};

/* Remembers an answer, in place of what stood there. Evicts as needed; if it does not fit at all it
 * is not stored, and counted. With ttl_s 0 a fresh answer stays as it is, while a stale one or a
 * failure goes: upstream has just shown that it is out of date. */
void cache_store(
    struct cache *cache, const struct cache_key *key, const struct cache_fill *fill, int64_t now);

/*
 * Remembers that asking failed (RFC 9520). Never replaces or hides an answer: where a stale one
 * stands, it is kept and marked as failing for LIFETIME_STALE_RECHECK_US; where a fresh one stands,
 * nothing changes; otherwise lookups find kind FAILURE, FRESH with an empty message, for
 * lifetime_failure_us().
 */
void cache_store_failure(struct cache *cache, const struct cache_key *key, int ede, int64_t now);

/* The same for an answer that was none (a DNS list refuses to answer us), kept for `keep_s`. */
void cache_store_refusal(
    struct cache *cache, const struct cache_key *key, int ede, uint32_t keep_s, int64_t now);

/* Forgetting. All return the number of entries removed. The name is in wire form, any case. */
size_t cache_flush_name(struct cache *cache, const uint8_t *name, size_t len);
size_t cache_flush_under(struct cache *cache, const uint8_t *name, size_t len);
size_t cache_flush_all(struct cache *cache);

/* Takes effect for lookups from now on. */
void cache_set_stale_max(struct cache *cache, int64_t stale_max_us);

/* In per cent, 1 to 100. Takes effect as answers come. */
void cache_set_list_share(struct cache *cache, unsigned list_share);

/* Changes the budget; when it shrinks, the least recently used entries go at once. */
void cache_set_budget(struct cache *cache, uint64_t budget_bytes);

/* Counters of cache/metrics.def, summed over the shards. */
struct cache_metrics {
#define METRIC_COUNTER(name, sentence) uint64_t name;
#define METRIC_GAUGE(name, sentence)   uint64_t name;
#include "cache/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
};

extern const struct metric_row cache_metric_rows[];
extern const size_t cache_metric_row_count;

void cache_read_metrics(struct cache *cache, struct cache_metrics *metrics_out);
