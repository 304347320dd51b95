/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "wire/bytes.h"
#include "wire/header.h"
#include "wire/types.h"

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
    struct hash_key secret = FIXTURE_SECRET;
    return shard_init(&shard, BUDGET, &secret) ? 0 : -1;
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
        .hash = (uint32_t)cache_key_place(&call_key, &secret),
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
    for (uint32_t n = 100; n < 600; n++) {
        store(n, 0, 100, 60);
    }
    uint64_t stored = metrics().cache_entries;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    none = before;
    none.rlim_cur = 1;
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    store(60, 0, 40000, 60);
    uint64_t left = metrics().cache_entries;
    store(61, 0, 300, 60);
    store(62, 0, 300, 60);
    struct shard other;
    struct hash_key secret = FIXTURE_SECRET;
    bool is_other_ready = shard_init(&other, BUDGET, &secret);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_false(is_other_ready);
    /* One large answer is not worth all others. */
    assert_true(left >= stored - stored / 4);
    assert_int_equal(lookup(60, 0, &found), CACHE_MISS);
    assert_int_equal(metrics().cache_too_large, 1);
    store(63, 0, 40000, 60);
    assert_int_equal(lookup(63, 0, &found), CACHE_FRESH);
    assert_memory_equal(message_out, message, 40000);
}

/* ---- Denials of all types ---- */

/* A denial as a resolver stores it, without records. */
static void store_typed(uint16_t type, int64_t after_s, enum cache_kind kind, bool is_any_type)
{
    static uint8_t plain[64];
    const uint16_t counts[4] = {1, 0, 0, 0};
    struct shard_call call = call_for(1, after_s);
    call_key.type = type;
    header_set_flags(
        plain, HEADER_QR | (kind == CACHE_KIND_NXDOMAIN ? RCODE_NXDOMAIN : RCODE_NOERROR));
    header_set_counts(plain, counts);
    memcpy(plain + HEADER_SIZE, call_key.name, call_key.name_len);
    bytes_put_u16(plain + HEADER_SIZE + call_key.name_len, type);
    bytes_put_u16(plain + HEADER_SIZE + call_key.name_len + 2, call_key.class);
    struct cache_fill fill = fixture_fill(plain, HEADER_SIZE + call_key.name_len + 4u, 60);
    fill.kind = kind;
    fill.is_ad = true;
    fill.is_any_type = is_any_type;
    shard_store(&shard, &call, &fill);
}

static enum cache_verdict lookup_typed(uint16_t type, int64_t after_s, struct cache_found *found)
{
    struct shard_call call = call_for(1, after_s);
    struct shard_room room = {.bytes = message_out, .size = sizeof message_out};
    call_key.type = type;
    return shard_lookup(&shard, &call, &room, found);
}

static uint16_t type_of_answer(void)
{
    return bytes_get_u16(message_out + HEADER_SIZE + call_key.name_len);
}

static void test_one_denial_for_all_types(void **state)
{
    (void)state;
    struct cache_found found;
    store_typed(TYPE_A, 0, CACHE_KIND_NXDOMAIN, true);
    static const uint16_t types[] = {TYPE_A, TYPE_TXT, TYPE_MX, 65280};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(lookup_typed(types[i], 5, &found), CACHE_FRESH);
        assert_int_equal(found.kind, CACHE_KIND_NXDOMAIN);
        assert_int_equal(found.age_s, 5);
        assert_int_equal(found.hits, i + 1);
        assert_int_equal(type_of_answer(), types[i]);
        assert_int_equal(found.is_ad, types[i] == TYPE_A);
    }
    static const uint16_t proofs[] = {
        TYPE_TLSA, TYPE_DS, TYPE_DNSKEY, TYPE_RRSIG, TYPE_NSEC, TYPE_NSEC3};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(lookup_typed(proofs[i], 5, &found), CACHE_MISS);
    }
    /* The key of no type. */
    assert_int_equal(lookup_typed(0, 5, &found), CACHE_FRESH);
    assert_int_equal(type_of_answer(), TYPE_A);
    /* Another name, and other flags. */
    assert_int_equal(lookup(2, 5, &found), CACHE_MISS);
    struct shard_call call = call_for(1, 5);
    struct shard_room room = {.bytes = message_out, .size = sizeof message_out};
    call_key.checking_disabled = true;
    assert_int_equal(shard_lookup(&shard, &call, &room, &found), CACHE_MISS);
}

/* A denial that is not of all types answers its own type only. */
static void test_denial_of_one_type(void **state)
{
    (void)state;
    struct cache_found found;
    store_typed(TYPE_A, 0, CACHE_KIND_NXDOMAIN, false);
    assert_int_equal(lookup_typed(TYPE_A, 0, &found), CACHE_FRESH);
    assert_int_equal(lookup_typed(TYPE_TXT, 0, &found), CACHE_MISS);
    assert_int_equal(lookup_typed(0, 0, &found), CACHE_MISS);
}

struct any_case {
    uint16_t type;
    enum cache_kind kind;
    bool is_any_type;
    enum cache_verdict verdict_txt; /* Afterwards. */
    uint64_t entries;
};

/* After a denial of all types that was stored for A. */
static const struct any_case any_cases[] = {
    {TYPE_A, CACHE_KIND_NXDOMAIN, true, CACHE_FRESH, 1},
    {TYPE_MX, CACHE_KIND_NXDOMAIN, true, CACHE_FRESH, 1},
    {TYPE_MX, CACHE_KIND_NXDOMAIN, false, CACHE_FRESH, 2},
    {TYPE_MX, CACHE_KIND_ANSWER, false, CACHE_MISS, 1},
    {TYPE_MX, CACHE_KIND_NODATA, false, CACHE_MISS, 1},
    {TYPE_A, CACHE_KIND_ANSWER, false, CACHE_MISS, 1},
    {TYPE_A, CACHE_KIND_NXDOMAIN, false, CACHE_MISS, 1},
};

static void test_what_ends_a_denial(void **state)
{
    for (size_t i = 0; i < sizeof any_cases / sizeof any_cases[0]; i++) {
        const struct any_case *c = &any_cases[i];
        struct cache_found found;
        store_typed(TYPE_A, 0, CACHE_KIND_NXDOMAIN, true);
        store_typed(c->type, 1, c->kind, c->is_any_type);
        assert_int_equal(metrics().cache_entries, c->entries);
        assert_int_equal(lookup_typed(c->type, 1, &found), CACHE_FRESH);
        assert_int_equal(found.kind, c->kind);
        assert_int_equal(found.age_s, 0);
        assert_int_equal(lookup_typed(TYPE_TXT, 1, &found), c->verdict_txt);
        (void)shard_flush_all(&shard);
    }
    (void)state;
}

/* What is fresh goes before what is stale, and an answer before a remembered failure. */
static void test_which_one_speaks(void **state)
{
    (void)state;
    struct cache_found found;
    store_typed(TYPE_MX, 0, CACHE_KIND_ANSWER, false);
    store_typed(TYPE_A, 50, CACHE_KIND_NXDOMAIN, true);
    assert_int_equal(lookup_typed(TYPE_MX, 55, &found), CACHE_FRESH);
    assert_int_equal(found.kind, CACHE_KIND_ANSWER);
    assert_int_equal(lookup_typed(TYPE_MX, 65, &found), CACHE_FRESH);
    assert_int_equal(found.kind, CACHE_KIND_NXDOMAIN);
    /* Of two that are stale the own one; this one was validated, so it ends with its TTL. */
    assert_int_equal(lookup_typed(TYPE_MX, 115, &found), CACHE_MISS);
    (void)shard_flush_all(&shard);
    struct shard_call call = call_for(1, 0);
    call_key.type = TYPE_TXT;
    shard_store_failure(&shard, &call, 22);
    assert_int_equal(lookup_typed(TYPE_TXT, 0, &found), CACHE_FRESH);
    assert_int_equal(found.kind, CACHE_KIND_FAILURE);
    store_typed(TYPE_A, 0, CACHE_KIND_NXDOMAIN, true);
    assert_int_equal(lookup_typed(TYPE_TXT, 0, &found), CACHE_FRESH);
    assert_int_equal(found.kind, CACHE_KIND_NXDOMAIN);
    /* And a failure does not hide what answers. */
    call = call_for(1, 1);
    call_key.type = TYPE_MX;
    shard_store_failure(&shard, &call, 22);
    assert_int_equal(lookup_typed(TYPE_MX, 1, &found), CACHE_FRESH);
    assert_int_equal(found.kind, CACHE_KIND_NXDOMAIN);
}

/* However many types of one name are asked for, a look at it stays short. */
static void test_types_of_a_name_are_few(void **state)
{
    (void)state;
    struct cache_found found;
    for (uint16_t type = 1000; type < 1200; type++) {
        store_typed(type, 0, CACHE_KIND_ANSWER, false);
        assert_int_equal(lookup_typed(type, 0, &found), CACHE_FRESH);
    }
    assert_int_equal(metrics().cache_entries, SHELF_TYPES_MAX);
    assert_int_equal(lookup_typed(1200 - SHELF_TYPES_MAX, 0, &found), CACHE_FRESH);
    assert_int_equal(lookup_typed(1199 - SHELF_TYPES_MAX, 0, &found), CACHE_MISS);
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
        cmocka_unit_test_setup_teardown(test_one_denial_for_all_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_denial_of_one_type, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_ends_a_denial, setup, teardown),
        cmocka_unit_test_setup_teardown(test_which_one_speaks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_types_of_a_name_are_few, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
