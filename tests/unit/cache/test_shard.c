/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "cache/shard.h"

#include "tests/unit/cache/fixture.h"

#define BUDGET (512u * 1024)

static struct shard shard;
static uint8_t message[70000];
static uint8_t message_out[70000];

/* The calls of a test keep their keys here. */
static struct cache_key call_key;

static int setup(void **state)
{
    (void)state;
    return shard_init(&shard, BUDGET) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    shard_fini(&shard);
    return 0;
}

static struct shard_call call_for(uint32_t n, int64_t after_s)
{
    struct hash_key secret = FIXTURE_SECRET;
    call_key = fixture_key(n);
    return (struct shard_call){
        .key = &call_key,
        .hash = (uint32_t)cache_key_hash(&call_key, &secret),
        .now = FIXTURE_START + after_s * FIXTURE_S,
        .stale_max_us = 3600 * FIXTURE_S,
    };
}

static enum cache_verdict lookup(uint32_t n, int64_t after_s, struct cache_found *found_out)
{
    struct shard_call call = call_for(n, after_s);
    struct shard_room room = {.bytes = message_out, .size = sizeof message_out};
    return shard_lookup(&shard, &call, &room, found_out);
}

static enum cache_verdict peek(uint32_t n, int64_t after_s, struct cache_found *found_out)
{
    struct shard_call call = call_for(n, after_s);
    struct shard_room room = {.bytes = message_out, .size = sizeof message_out};
    call.is_peek = true;
    return shard_lookup(&shard, &call, &room, found_out);
}

static void store(uint32_t n, int64_t after_s, size_t len, uint32_t ttl_s)
{
    struct shard_call call = call_for(n, after_s);
    struct cache_fill fill = fixture_fill(message, len, ttl_s);
    fixture_message(n, message, len);
    shard_store(&shard, &call, &fill);
}

static void store_failure(uint32_t n, int64_t after_s, int ede)
{
    struct shard_call call = call_for(n, after_s);
    shard_store_failure(&shard, &call, ede);
}

static struct cache_metrics metrics(void)
{
    struct cache_metrics sum = {0};
    shard_add_metrics(&shard, &sum);
    return sum;
}

static void test_least_recently_used_goes_first(void **state)
{
    (void)state;
    struct cache_found found;
    uint32_t stored = 0;
    while (metrics().cache_evictions == 0) {
        store(stored++, 0, 200, 60);
        if (stored == 300) {
            assert_int_equal(lookup(0, 0, &found), CACHE_FRESH);
        }
    }
    assert_true(stored > 1000);
    assert_int_equal(peek(0, 0, &found), CACHE_FRESH);
    assert_int_equal(peek(1, 0, &found), CACHE_MISS);
    uint32_t evicted = (uint32_t)metrics().cache_evictions;
    for (uint32_t n = 1; n < stored; n++) {
        assert_int_equal(peek(n, 0, &found), n <= evicted ? CACHE_MISS : CACHE_FRESH);
    }
}

/* A peek keeps nothing alive. */
static void test_peek_leaves_no_trace(void **state)
{
    (void)state;
    struct cache_found found;
    for (uint32_t n = 0; metrics().cache_evictions == 0; n++) {
        store(n, 0, 200, 60);
        (void)peek(0, 0, &found);
    }
    assert_int_equal(peek(0, 0, &found), CACHE_MISS);
    assert_int_equal(metrics().cache_hits, 0);
    assert_int_equal(metrics().cache_misses, 0);
    store(5000, 0, 100, 10);
    assert_int_equal(peek(5000, 0, &found), CACHE_FRESH);
    assert_int_equal(found.hits, 0);
    assert_int_equal(lookup(5000, 0, &found), CACHE_FRESH);
    assert_int_equal(found.hits, 1);
    uint64_t entries = metrics().cache_entries;
    assert_int_equal(peek(5000, 100000, &found), CACHE_MISS);
    assert_int_equal(metrics().cache_entries, entries);
}

static void test_replacement(void **state)
{
    (void)state;
    struct cache_found found;
    static const size_t lens[] = {100, 100, 1500, 30, 0, 20000, 101};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        store(1, (int64_t)i, lens[i], 60);
        assert_int_equal(lookup(1, (int64_t)i, &found), CACHE_FRESH);
        assert_int_equal(found.len, lens[i]);
        assert_int_equal(found.hits, 1);
        assert_int_equal(found.age_s, 0);
        assert_memory_equal(message_out, message, lens[i]);
        assert_int_equal(metrics().cache_entries, 1);
    }
    assert_int_equal(metrics().cache_evictions, 0);
    assert_int_equal(metrics().cache_stores, 7);
}

static void test_ttl_zero(void **state)
{
    (void)state;
    struct cache_found found;
    store(1, 0, 100, 0);
    assert_int_equal(lookup(1, 0, &found), CACHE_MISS);
    assert_int_equal(metrics().cache_entries, 0);
    store(1, 0, 100, 10);
    store(1, 5, 50, 0);
    assert_int_equal(lookup(1, 5, &found), CACHE_FRESH);
    assert_int_equal(found.len, 100);
    assert_int_equal(lookup(1, 11, &found), CACHE_STALE);
    store(1, 11, 50, 0);
    assert_int_equal(lookup(1, 11, &found), CACHE_MISS);
    store_failure(1, 20, 0);
    assert_int_equal(lookup(1, 20, &found), CACHE_FRESH);
    store(1, 20, 50, 0);
    assert_int_equal(lookup(1, 20, &found), CACHE_MISS);
}

static void test_failure_times_grow(void **state)
{
    (void)state;
    static const int64_t kept_s[] = {1, 2, 4, 5, 5};
    struct cache_found found;
    int64_t now_s = 0;
    for (int i = 0; i < 5; i++) {
        store_failure(1, now_s, 20 + i);
        /* Others that fail at the same moment add nothing. */
        store_failure(1, now_s, 99);
        assert_int_equal(lookup(1, now_s + kept_s[i] - 1, &found), CACHE_FRESH);
        assert_int_equal(found.kind, CACHE_KIND_FAILURE);
        assert_int_equal(found.len, 0);
        assert_int_equal(found.ede, 20 + i);
        assert_int_equal(found.ttl_left_s, 1);
        assert_false(found.is_refresh_due);
        assert_int_equal(lookup(1, now_s + kept_s[i], &found), CACHE_MISS);
        now_s += kept_s[i];
    }
    assert_int_equal(metrics().cache_failures, 5);
    assert_int_equal(metrics().cache_entries, 1);
}

/* After an answer, or a long time, the row begins anew. */
static void test_failure_row_ends(void **state)
{
    (void)state;
    struct cache_found found;
    store_failure(1, 0, 0);
    store_failure(1, 10, 0);
    assert_int_equal(lookup(1, 11, &found), CACHE_FRESH);
    store(1, 11, 100, 1);
    assert_int_equal(lookup(1, 11, &found), CACHE_FRESH);
    assert_int_equal(found.kind, CACHE_KIND_ANSWER);
    store_failure(2, 0, 0);
    store_failure(2, 100, 0);
    assert_int_equal(lookup(2, 100, &found), CACHE_FRESH);
    assert_int_equal(lookup(2, 101, &found), CACHE_MISS);
}

static void test_failure_hides_no_answer(void **state)
{
    (void)state;
    struct cache_found found;
    store(1, 0, 100, 10);
    store_failure(1, 5, 22);
    assert_int_equal(lookup(1, 5, &found), CACHE_FRESH);
    assert_int_equal(found.kind, CACHE_KIND_ANSWER);
    assert_false(found.is_failing);
    assert_int_equal(lookup(1, 12, &found), CACHE_STALE);
    assert_false(found.is_failing);
    store_failure(1, 12, 22);
    assert_int_equal(lookup(1, 12, &found), CACHE_STALE);
    assert_true(found.is_failing);
    assert_int_equal(found.len, 100);
    assert_int_equal(found.ttl_left_s, 0);
    assert_int_equal(lookup(1, 41, &found), CACHE_STALE);
    assert_true(found.is_failing);
    assert_int_equal(lookup(1, 42, &found), CACHE_STALE);
    assert_false(found.is_failing);
    /* Where the answer is past all use, the failure stands alone. */
    store_failure(1, 4000, 22);
    assert_int_equal(lookup(1, 4000, &found), CACHE_FRESH);
    assert_int_equal(found.kind, CACHE_KIND_FAILURE);
}

static void test_expired_is_dropped_on_sight(void **state)
{
    (void)state;
    struct cache_found found;
    store(1, 0, 100, 10);
    assert_int_equal(lookup(1, 10, &found), CACHE_STALE);
    assert_int_equal(lookup(1, 3609, &found), CACHE_STALE);
    assert_int_equal(metrics().cache_entries, 1);
    assert_int_equal(lookup(1, 3610, &found), CACHE_MISS);
    assert_int_equal(metrics().cache_entries, 0);
    assert_int_equal(metrics().cache_expirations, 1);
    assert_int_equal(metrics().cache_stale_hits, 2);
}

static void test_refresh_is_told_once(void **state)
{
    (void)state;
    struct cache_found found;
    store(1, 0, 100, 1000);
    assert_int_equal(lookup(1, 950, &found), CACHE_FRESH);
    assert_false(found.is_refresh_due); /* Nobody had asked for it before. */
    assert_int_equal(lookup(1, 950, &found), CACHE_FRESH);
    assert_true(found.is_refresh_due);
    assert_int_equal(lookup(1, 951, &found), CACHE_FRESH);
    assert_false(found.is_refresh_due);
    assert_int_equal(lookup(1, 959, &found), CACHE_FRESH);
    assert_false(found.is_refresh_due);
    assert_int_equal(lookup(1, 960, &found), CACHE_FRESH);
    assert_true(found.is_refresh_due);
    assert_int_equal(peek(1, 975, &found), CACHE_FRESH);
    assert_true(found.is_refresh_due);
    assert_int_equal(lookup(1, 975, &found), CACHE_FRESH);
    assert_true(found.is_refresh_due);
    /* Being told is not having failed. */
    assert_int_equal(lookup(1, 1001, &found), CACHE_STALE);
    assert_false(found.is_failing);
    assert_false(found.is_refresh_due);
    store(1, 1001, 100, 1000);
    assert_int_equal(lookup(1, 1500, &found), CACHE_FRESH);
    assert_int_equal(lookup(1, 1900, &found), CACHE_FRESH);
    assert_false(found.is_refresh_due);
    assert_int_equal(lookup(1, 1902, &found), CACHE_FRESH);
    assert_true(found.is_refresh_due);
}

static void test_too_large(void **state)
{
    (void)state;
    struct cache_found found;
    store(1, 0, 100, 60);
    store(1, 0, CACHE_MESSAGE_MAX + 1, 60);
    assert_int_equal(metrics().cache_too_large, 1);
    assert_int_equal(lookup(1, 0, &found), CACHE_FRESH);
    assert_int_equal(found.len, 100);
    store(1, 0, CACHE_MESSAGE_MAX, 60);
    assert_int_equal(lookup(1, 0, &found), CACHE_FRESH);
    assert_int_equal(found.len, CACHE_MESSAGE_MAX);
    fixture_message(1, message, CACHE_MESSAGE_MAX);
    assert_memory_equal(message_out, message, CACHE_MESSAGE_MAX);
    struct shard_call call = call_for(1, 0);
    struct shard_room room = {.bytes = message_out, .size = CACHE_MESSAGE_MAX - 1};
    assert_int_equal(shard_lookup(&shard, &call, &room, &found), CACHE_MISS);
    shard_set_max(&shard, 64 * 1024);
    store(2, 0, CACHE_MESSAGE_MAX, 60);
    assert_int_equal(metrics().cache_too_large, 2);
    assert_int_equal(lookup(2, 0, &found), CACHE_MISS);
}

static void test_shrinking_keeps_the_newest(void **state)
{
    (void)state;
    struct cache_found found;
    shard_set_max(&shard, 8u * 1024 * 1024);
    for (uint32_t n = 0; n < 4000; n++) {
        store(n, 0, 100 + n % 700, 60);
    }
    assert_int_equal(metrics().cache_evictions, 0);
    shard_set_max(&shard, BUDGET);
    struct cache_metrics after = metrics();
    assert_true(after.cache_bytes <= BUDGET);
    assert_true(after.cache_entries > 200);
    for (uint32_t n = 0; n < 4000; n++) {
        bool is_kept = n >= 4000 - after.cache_entries;
        assert_int_equal(peek(n, 0, &found), is_kept ? CACHE_FRESH : CACHE_MISS);
    }
    store(9000, 0, 300, 60);
    assert_int_equal(lookup(9000, 0, &found), CACHE_FRESH);
    assert_true(metrics().cache_bytes <= BUDGET);
    /* A budget that holds nothing at all is survived, and outgrown again. */
    shard_set_max(&shard, 4096);
    store(1, 0, 300, 60);
    store_failure(2, 0, 0);
    assert_int_equal(metrics().cache_entries, 0);
    shard_set_max(&shard, BUDGET);
    store(1, 0, 300, 60);
    assert_int_equal(lookup(1, 0, &found), CACHE_FRESH);
}

/* The system has no memory left: what is stored stays correct, and nothing crashes. */
static void test_system_out_of_memory(void **state)
{
    (void)state;
    struct cache_found found;
    struct rlimit before;
    struct rlimit none;
    for (uint32_t n = 0; n < 50; n++) {
        store(n, 0, 100, 60);
    }
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    none = before;
    none.rlim_cur = 1;
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    store(60, 0, 40000, 60);
    store(61, 0, 300, 60);
    store(62, 0, 300, 60);
    struct shard other;
    bool is_other_ready = shard_init(&other, BUDGET);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_false(is_other_ready);
    assert_int_equal(lookup(60, 0, &found), CACHE_MISS);
    assert_int_equal(metrics().cache_too_large, 1);
    store(63, 0, 40000, 60);
    assert_int_equal(lookup(63, 0, &found), CACHE_FRESH);
    assert_memory_equal(message_out, message, 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_least_recently_used_goes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peek_leaves_no_trace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replacement, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ttl_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failure_times_grow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failure_row_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failure_hides_no_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expired_is_dropped_on_sight, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refresh_is_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shrinking_keeps_the_newest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_system_out_of_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
