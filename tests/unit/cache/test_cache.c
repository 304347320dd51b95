/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cache/cache.h"
#include "cache/entry.h"

#include "tests/unit/cache/fixture.h"

#define MODEL_KEYS   3000
#define MODEL_STEPS  60000
#define THREADS      4
#define THREAD_KEYS  600
#define THREAD_STEPS 8000

static struct cache *cache_of(uint64_t budget_bytes, uint32_t shard_count)
{
    struct cache_options options = {
        .budget_bytes = budget_bytes,
        .shard_count = shard_count,
        .stale_max_us = 3600 * FIXTURE_S,
        .secret = FIXTURE_SECRET,
    };
    struct cache *cache = cache_new(&options);
    assert_non_null(cache);
    return cache;
}

/* What was last stored under a key. */
struct model_row {
    bool is_stored;
    int64_t stored_at;
    uint32_t ttl_s;
    uint32_t seed;
    size_t len;
};

struct model {
    struct model_row rows[MODEL_KEYS];
    int64_t now;
    uint64_t random;
    unsigned found;
    unsigned lost;
};

static void model_store(struct model *model, struct cache *cache, uint32_t n)
{
    static uint8_t message[8000];
    struct cache_key key = fixture_key(n);
    struct model_row *row = &model->rows[n];
    bool is_big = fixture_random(&model->random, 100) == 0;
    *row = (struct model_row){
        .is_stored = true,
        .stored_at = model->now,
        .ttl_s = 1 + fixture_random(&model->random, 600),
        .seed = fixture_random(&model->random, UINT32_MAX),
        .len = 1 + fixture_random(&model->random, is_big ? 8000 : 700),
    };
    struct cache_fill fill = fixture_fill(message, row->len, row->ttl_s);
    fill.origin = (uint16_t)n;
    fixture_message(row->seed, message, row->len);
    cache_store(cache, &key, &fill, model->now);
}

/* Whatever is found is exactly what was stored, and judged by its age. */
static void model_lookup(struct model *model, struct cache *cache, uint32_t n)
{
    static uint8_t expected[8000];
    static uint8_t message[8000];
    struct cache_key key = fixture_key(n);
    const struct model_row *row = &model->rows[n];
    struct cache_found found;
    enum cache_verdict verdict =
        cache_lookup(cache, &key, model->now, message, sizeof message, &found);
    int64_t age_us = model->now - row->stored_at;
    int64_t life_us = row->ttl_s * FIXTURE_S;
    bool is_servable = row->is_stored && age_us < life_us + 3600 * FIXTURE_S;
    if (verdict == CACHE_MISS) {
        model->lost += is_servable ? 1 : 0;
        return;
    }
    model->found++;
    assert_true(is_servable);
    assert_int_equal(verdict, age_us < life_us ? CACHE_FRESH : CACHE_STALE);
    assert_int_equal(found.len, row->len);
    assert_int_equal(found.age_s, age_us / FIXTURE_S);
    assert_int_equal(
        found.ttl_left_s, age_us < life_us ? row->ttl_s - (uint32_t)(age_us / FIXTURE_S) : 0);
    assert_int_equal(found.origin, n);
    fixture_message(row->seed, expected, row->len);
    assert_memory_equal(message, expected, row->len);
}

static void model_run(struct model *model, struct cache *cache)
{
    struct cache_metrics metrics;
    memset(model, 0, sizeof *model);
    model->now = FIXTURE_START;
    model->random = 4711;
    for (unsigned i = 0; i < MODEL_STEPS; i++) {
        uint32_t n = fixture_random(&model->random, MODEL_KEYS);
        n = fixture_random(&model->random, 2) == 0 ? n % 300 : n;
        model->now += ENTRY_TICK_US * (int64_t)fixture_random(&model->random, 13);
        if (fixture_random(&model->random, 100) < 40) {
            model_store(model, cache, n);
        } else {
            model_lookup(model, cache, n);
        }
        cache_read_metrics(cache, &metrics);
        assert_true(metrics.cache_bytes <= metrics.cache_bytes_max);
    }
    assert_int_equal(metrics.cache_too_large, 0);
}

/* The smallest budget: much is evicted, nothing is ever wrong. */
static void test_small_budget_against_model(void **state)
{
    (void)state;
    static struct model model;
    static const uint32_t shard_counts[] = {1, 4, 256};
    for (size_t i = 0; i < 3; i++) {
        struct cache *cache = cache_of(CACHE_BUDGET_MIN, shard_counts[i]);
        model_run(&model, cache);
        assert_true(model.found > 1000);
        assert_true(model.lost > 100);
        cache_free(&cache);
        assert_null(cache);
        cache_free(&cache);
    }
}

/* With room for everything nothing is lost. */
static void test_large_budget_against_model(void **state)
{
    (void)state;
    static struct model model;
    struct cache *cache = cache_of(32 * CACHE_BUDGET_MIN, 8);
    model_run(&model, cache);
    assert_true(model.found > 10000);
    assert_int_equal(model.lost, 0);
    cache_free(&cache);
}

static void test_fields_come_back(void **state)
{
    (void)state;
    struct cache *cache = cache_of(CACHE_BUDGET_MIN, 1);
    struct cache_key key = fixture_key(1);
    uint8_t message[50] = {1, 2, 3};
    uint8_t message_out[50];
    struct cache_found found;
    struct cache_fill fill = {.kind = CACHE_KIND_NXDOMAIN,
        .message = message,
        .len = sizeof message,
        .ttl_s = 60,
        .is_ad = true,
        .is_list = true,
        .origin = 513};
    cache_store(cache, &key, &fill, FIXTURE_START);
    int64_t now = FIXTURE_START + 7 * FIXTURE_S / 2;
    assert_int_equal(
        cache_lookup(cache, &key, now, message_out, sizeof message_out, &found), CACHE_FRESH);
    assert_int_equal(found.kind, CACHE_KIND_NXDOMAIN);
    assert_int_equal(found.len, sizeof message);
    assert_int_equal(found.age_s, 3);
    assert_int_equal(found.ttl_left_s, 57);
    assert_true(found.is_ad);
    assert_true(found.is_list);
    assert_false(found.is_refresh_due);
    assert_false(found.is_failing);
    assert_int_equal(found.hits, 1);
    assert_int_equal(found.origin, 513);
    assert_memory_equal(message_out, message, sizeof message);
    key.wants_dnssec = true;
    assert_int_equal(
        cache_lookup(cache, &key, now, message_out, sizeof message_out, &found), CACHE_MISS);
    cache_free(&cache);
}

/* Key, kind and stale_max decide together; a new stale_max counts at once. */
static void test_stale_max_takes_effect(void **state)
{
    (void)state;
    struct cache *cache = cache_of(CACHE_BUDGET_MIN, 1);
    struct cache_key key = fixture_key(1);
    uint8_t message[50] = {0};
    struct cache_found found;
    struct cache_fill fill = fixture_fill(message, sizeof message, 10);
    cache_store(cache, &key, &fill, FIXTURE_START);
    int64_t now = FIXTURE_START + 20 * FIXTURE_S;
    assert_int_equal(cache_peek(cache, &key, now, message, sizeof message, &found), CACHE_STALE);
    cache_set_stale_max(cache, 0);
    assert_int_equal(cache_peek(cache, &key, now, message, sizeof message, &found), CACHE_MISS);
    cache_set_stale_max(cache, 60 * FIXTURE_S);
    assert_int_equal(cache_lookup(cache, &key, now, message, sizeof message, &found), CACHE_STALE);
    cache_set_stale_max(cache, 0);
    assert_int_equal(cache_lookup(cache, &key, now, message, sizeof message, &found), CACHE_MISS);
    cache_set_stale_max(cache, 60 * FIXTURE_S);
    assert_int_equal(cache_lookup(cache, &key, now, message, sizeof message, &found), CACHE_MISS);
    cache_free(&cache);
}

/* Only what stands there can tell how it came to be; looking counts as no hit. */
static void test_birth(void **state)
{
    (void)state;
    struct cache *cache = cache_of(CACHE_BUDGET_MIN, 1);
    struct cache_key key = fixture_key(1);
    uint8_t message[50] = {0};
    struct cache_birth birth = {.cost_us = 7};
    struct cache_found found;
    struct cache_fill fill = fixture_fill(message, sizeof message, 10);
    fill.birth = (struct cache_birth){.reason = CACHE_REASON_REFRESH, .cost_us = 20000};
    assert_false(cache_read_birth(cache, &key, FIXTURE_START, &birth));
    assert_int_equal(birth.cost_us, 7);
    cache_store(cache, &key, &fill, FIXTURE_START);
    assert_true(cache_read_birth(cache, &key, FIXTURE_START, &birth));
    assert_int_equal(birth.reason, CACHE_REASON_REFRESH);
    assert_int_equal(birth.cost_us, 20000);
    (void)cache_lookup(cache, &key, FIXTURE_START, message, sizeof message, &found);
    assert_int_equal(found.hits, 1);
    cache_free(&cache);
}

/* Names of every length and content, also such as no resolver would hand in. */
static void test_hostile_keys(void **state)
{
    (void)state;
    struct cache *cache = cache_of(CACHE_BUDGET_MIN, 2);
    struct cache_found found;
    uint8_t message[300];
    uint8_t message_out[300];
    for (unsigned len = 0; len <= 255; len++) {
        struct cache_key key = {.name_len = (uint8_t)len, .type = 65535, .class = 255};
        memset(key.name, 0xff, len);
        fixture_message(len, message, sizeof message);
        struct cache_fill fill = fixture_fill(message, sizeof message, UINT32_MAX);
        cache_store(cache, &key, &fill, FIXTURE_START);
        key.type = 1;
        cache_store_failure(cache, &key, 23, FIXTURE_START);
    }
    for (unsigned len = 0; len <= 255; len++) {
        struct cache_key key = {.name_len = (uint8_t)len, .type = 65535, .class = 255};
        memset(key.name, 0xff, len);
        fixture_message(len, message, sizeof message);
        assert_int_equal(
            cache_lookup(cache, &key, FIXTURE_START, message_out, 300, &found), CACHE_FRESH);
        assert_memory_equal(message_out, message, sizeof message);
    }
    uint8_t root[] = {0};
    assert_int_equal(cache_flush_under(cache, root, 1), 0);
    assert_int_equal(cache_flush_all(cache), 512);
    cache_free(&cache);
}

/* Of a full cache, lists keep their share; while there is room they take it. */
static void test_list_share(void **state)
{
    (void)state;
    struct cache *cache = cache_of(2 * CACHE_BUDGET_MIN, 1);
    struct cache_metrics metrics;
    uint8_t message[100] = {0};
    cache_set_list_share(cache, 10);
    for (uint32_t n = 0; n < 60000; n++) {
        struct cache_key key = fixture_key(n);
        struct cache_fill fill = fixture_fill(message, sizeof message, 600);
        fill.is_list = n < 30000 || n % 2 == 0;
        cache_store(cache, &key, &fill, FIXTURE_START);
        if (n == 29999) {
            cache_read_metrics(cache, &metrics);
            assert_true(metrics.cache_bytes_list > CACHE_BUDGET_MIN);
            assert_int_equal(metrics.cache_entries_list, metrics.cache_entries);
        }
    }
    cache_read_metrics(cache, &metrics);
    assert_in_range(metrics.cache_bytes_list, CACHE_BUDGET_MIN / 10, CACHE_BUDGET_MIN / 4);
    assert_true(metrics.cache_entries_probation > 4 * metrics.cache_entries_list);
    assert_int_equal(
        metrics.cache_evictions, metrics.cache_evictions_list + metrics.cache_evictions_probation);
    cache_free(&cache);
}

/* What is asked again is protected, and stays so when it is renewed; lists apart. */
static void test_segments(void **state)
{
    (void)state;
    struct cache *cache = cache_of(CACHE_BUDGET_MIN, 1);
    struct cache_key key = fixture_key(1);
    uint8_t message[100] = {0};
    struct cache_found found;
    struct cache_metrics metrics;
    struct cache_fill fill = fixture_fill(message, sizeof message, 60);
    static const enum cache_segment segments[] = {CACHE_SEGMENT_PROBATION, CACHE_SEGMENT_PROTECTED,
        CACHE_SEGMENT_PROTECTED, CACHE_SEGMENT_PROTECTED};
    for (size_t i = 0; i < 4; i++) {
        if (i % 2 == 0) {
            cache_store(cache, &key, &fill, FIXTURE_START);
        } else {
            (void)cache_lookup(cache, &key, FIXTURE_START, message, sizeof message, &found);
        }
        assert_int_equal(
            cache_peek(cache, &key, FIXTURE_START, message, sizeof message, &found), CACHE_FRESH);
        assert_int_equal(found.segment, segments[i]);
    }
    fill.is_list = true;
    cache_store(cache, &key, &fill, FIXTURE_START);
    (void)cache_peek(cache, &key, FIXTURE_START, message, sizeof message, &found);
    assert_int_equal(found.segment, CACHE_SEGMENT_LIST);
    cache_read_metrics(cache, &metrics);
    assert_int_equal(metrics.cache_entries, 1);
    assert_int_equal(metrics.cache_entries_list, 1);
    assert_int_equal(metrics.cache_entries_protected, 0);
    cache_free(&cache);
}

static void test_metric_rows(void **state)
{
    (void)state;
    struct cache *cache = cache_of(CACHE_BUDGET_MIN, 4);
    struct cache_metrics metrics;
    assert_int_equal(cache_metric_row_count * sizeof(uint64_t), sizeof metrics);
    for (size_t i = 0; i < cache_metric_row_count; i++) {
        assert_true(strncmp(cache_metric_rows[i].name, "cache_", 6) == 0);
        assert_true(strlen(cache_metric_rows[i].sentence) > 10);
    }
    assert_string_equal(cache_metric_rows[0].name, "cache_bytes");
    assert_int_equal(cache_metric_rows[0].kind, METRIC_KIND_GAUGE);
    cache_read_metrics(cache, &metrics);
    assert_int_equal(metrics.cache_bytes_max, CACHE_BUDGET_MIN);
    assert_true(metrics.cache_bytes > 0);
    assert_int_equal(metrics.cache_entries, 0);
    cache_set_budget(cache, 4 * CACHE_BUDGET_MIN);
    cache_read_metrics(cache, &metrics);
    assert_int_equal(metrics.cache_bytes_max, 4 * CACHE_BUDGET_MIN);
    cache_free(&cache);
}

static uint64_t resident_bytes(void)
{
    unsigned long pages_all = 0;
    unsigned long pages_resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &pages_all, &pages_resident), 2);
    (void)fclose(file);
    return (uint64_t)pages_resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What touching `bytes` of plain memory costs: more than that under a sanitizer with shadow memory.
 */
static uint64_t resident_cost(size_t bytes)
{
    uint64_t before = resident_bytes();
    void *plain = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(plain != MAP_FAILED);
    memset(plain, 1, bytes);
    uint64_t cost = resident_bytes() - before;
    assert_int_equal(munmap(plain, bytes), 0);
    return cost;
}

static void store_many(struct cache *cache, uint32_t count)
{
    static uint8_t message[2000];
    uint64_t random = 99;
    for (uint32_t n = 0; n < count; n++) {
        struct cache_key key = fixture_key(n);
        struct cache_fill fill = fixture_fill(message, 40 + fixture_random(&random, 500), 600);
        cache_store(cache, &key, &fill, FIXTURE_START);
    }
}

/* The budget is resident memory: a full cache takes about that, and gives it back. A sanitizer's
 * stacks grow with the first calls, so these are made before. */
static void test_budget_is_resident_memory(void **state)
{
    (void)state;
    uint64_t budget = 24 * CACHE_BUDGET_MIN;
    struct cache *cache = cache_of(CACHE_BUDGET_MIN, 1);
    store_many(cache, 10000);
    cache_free(&cache);
    uint64_t cost = resident_cost(budget);
    uint64_t before = resident_bytes();
    cache = cache_of(budget, 4);
    store_many(cache, 200000);
    uint64_t taken = resident_bytes() - before;
    struct cache_metrics metrics;
    cache_read_metrics(cache, &metrics);
    assert_true(metrics.cache_evictions > 1000);
    assert_in_range(taken, cost - cost * 3 / 100, cost + cost * 3 / 100);
    assert_in_range(metrics.cache_bytes, budget - budget * 3 / 100, budget);
    (void)cache_flush_all(cache);
    assert_true(resident_bytes() < before + cost / 4);
    cache_free(&cache);
}

struct hammer {
    struct cache *cache;
    uint64_t random;
    unsigned wrong;
    unsigned found;
};

/* The first byte of a message is the seed of the rest, so a torn copy shows. */
static void hammer_store(struct hammer *hammer, const struct cache_key *key, int64_t now)
{
    uint8_t message[900];
    size_t len = 1 + fixture_random(&hammer->random, sizeof message);
    message[0] = (uint8_t)fixture_random(&hammer->random, 256);
    memset(message + 1, message[0] ^ 0x5a, len - 1);
    struct cache_fill fill = fixture_fill(message, len, 1 + message[0]);
    cache_store(hammer->cache, key, &fill, now);
}

static void hammer_lookup(struct hammer *hammer, const struct cache_key *key, int64_t now)
{
    uint8_t message[900];
    struct cache_found found;
    if (cache_lookup(hammer->cache, key, now, message, sizeof message, &found) == CACHE_MISS ||
        found.kind == CACHE_KIND_FAILURE) {
        return;
    }
    hammer->found++;
    for (size_t i = 1; i < found.len; i++) {
        hammer->wrong += message[i] != (message[0] ^ 0x5a) ? 1 : 0;
    }
}

static void hammer_admin(struct hammer *hammer, const struct cache_key *key)
{
    struct cache_metrics metrics;
    uint32_t budget = fixture_random(&hammer->random, 3);
    (void)cache_flush_name(hammer->cache, key->name, key->name_len);
    cache_set_budget(hammer->cache, CACHE_BUDGET_MIN << budget);
    cache_set_stale_max(hammer->cache, fixture_random(&hammer->random, 100) * FIXTURE_S);
    cache_read_metrics(hammer->cache, &metrics);
    if (fixture_random(&hammer->random, 4) == 0) {
        (void)cache_flush_all(hammer->cache);
    }
}

static void *hammer_run(void *context)
{
    struct hammer *hammer = context;
    int64_t now = FIXTURE_START;
    for (unsigned i = 0; i < THREAD_STEPS; i++) {
        struct cache_key key = fixture_key(fixture_random(&hammer->random, THREAD_KEYS));
        uint32_t what = fixture_random(&hammer->random, 1000);
        now += 10000;
        if (what < 400) {
            hammer_store(hammer, &key, now);
        } else if (what < 450) {
            cache_store_failure(hammer->cache, &key, 22, now);
        } else if (what < 998) {
            hammer_lookup(hammer, &key, now);
        } else {
            hammer_admin(hammer, &key);
        }
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct cache *cache = cache_of(CACHE_BUDGET_MIN, 1);
    struct hammer hammers[THREADS];
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        hammers[i] = (struct hammer){.cache = cache, .random = i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, hammer_run, &hammers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(hammers[i].wrong, 0);
        assert_true(hammers[i].found > 0);
    }
    cache_free(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget_is_resident_memory),
        cmocka_unit_test(test_small_budget_against_model),
        cmocka_unit_test(test_large_budget_against_model),
        cmocka_unit_test(test_fields_come_back),
        cmocka_unit_test(test_stale_max_takes_effect),
        cmocka_unit_test(test_birth),
        cmocka_unit_test(test_hostile_keys),
        cmocka_unit_test(test_list_share),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_metric_rows),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
