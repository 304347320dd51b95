/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cache/record.h"

#include "tests/unit/cache/fixture.h"

#define RECORDS 3000

static struct cache *cache;

/* What a walk has shown, by the number in the key's name. */
struct seen {
    unsigned times[RECORDS];
    unsigned in_step;
    struct cache *copy_to;
    int64_t now;
};

static struct cache *cache_of(uint64_t budget_bytes, uint32_t shard_count)
{
    struct cache_options options = {
        .budget_bytes = budget_bytes,
        .shard_count = shard_count,
        .stale_max_us = 3600 * FIXTURE_S,
        .list_share = 100,
        .secret = FIXTURE_SECRET,
    };
    struct cache *made = cache_new(&options);
    assert_non_null(made);
    return made;
}

static int setup(void **state)
{
    (void)state;
    cache = cache_of(16 * CACHE_BUDGET_MIN, 4);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cache_free(&cache);
    return 0;
}

static size_t record_len(uint32_t n)
{
    return n % 500 == 7 ? CACHE_MESSAGE_MAX : 20 + n % 300;
}

static void store(uint32_t n, int64_t now)
{
    static uint8_t message[CACHE_MESSAGE_MAX];
    struct cache_key key = fixture_key(n);
    fixture_message(n, message, record_len(n));
    struct cache_fill fill = fixture_fill(message, record_len(n), 100 + n);
    fill.origin = (uint16_t)(n * 3);
    fill.is_list = n % 2 == 0;
    fill.is_ad = n % 3 == 0;
    fill.ahead = (uint8_t)(n % 16);
    cache_store(cache, &key, &fill, now);
}

static uint32_t number_of(const struct cache_key *key)
{
    uint32_t n = 0;
    for (size_t i = 1; i <= 8; i++) {
        uint8_t digit = key->name[i];
        n = n * 16 + (uint32_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    return n;
}

static void see(void *context, const struct cache_record *record)
{
    static uint8_t expected[CACHE_MESSAGE_MAX];
    struct seen *seen = context;
    uint32_t n = number_of(&record->key);
    struct cache_key key = fixture_key(n);
    assert_true(n < RECORDS);
    assert_true(cache_key_equal(&record->key, &key));
    assert_int_equal(record->fill.kind, CACHE_KIND_ANSWER);
    assert_int_equal(record->fill.len, record_len(n));
    assert_int_equal(record->fill.ttl_s, 100 + n);
    assert_int_equal(record->fill.origin, n * 3);
    assert_int_equal(record->fill.is_list, n % 2 == 0);
    assert_int_equal(record->fill.is_ad, n % 3 == 0);
    assert_int_equal(record->stored_at, FIXTURE_START + n * INT64_C(15625));
    fixture_message(n, expected, record_len(n));
    assert_memory_equal(record->fill.message, expected, record_len(n));
    seen->times[n]++;
    seen->in_step++;
    if (seen->copy_to != NULL) {
        assert_true(cache_restore(seen->copy_to, record, seen->now));
    }
}

static void walk_all(struct seen *seen)
{
    uint64_t cursor = 0;
    bool has_more = true;
    while (has_more) {
        seen->in_step = 0;
        has_more = cache_walk(cache, &cursor, see, seen);
        assert_true(seen->in_step <= CACHE_WALK_STEP);
    }
}

static void store_all(void)
{
    for (uint32_t n = 0; n < RECORDS; n++) {
        store(n, FIXTURE_START + n * INT64_C(15625));
    }
}

/* Every answer once, the largest too; failures never; and the cache is left as it was. */
static void test_walk_shows_all(void **state)
{
    (void)state;
    static struct seen seen;
    struct cache_metrics before;
    struct cache_metrics after;
    store_all();
    for (uint32_t n = RECORDS; n < RECORDS + 100; n++) {
        struct cache_key key = fixture_key(n);
        cache_store_failure(cache, &key, 23, FIXTURE_START);
    }
    cache_read_metrics(cache, &before);
    memset(&seen, 0, sizeof seen);
    walk_all(&seen);
    for (uint32_t n = 0; n < RECORDS; n++) {
        assert_int_equal(seen.times[n], 1);
    }
    cache_read_metrics(cache, &after);
    assert_memory_equal(&before, &after, sizeof before);
}

/* What has expired for good and only waits to be overwritten is nothing to remember. */
static void test_walk_shows_no_dead(void **state)
{
    (void)state;
    static struct seen seen;
    static uint8_t message[CACHE_MESSAGE_MAX];
    bool is_there[RECORDS];
    unsigned dead = 0;
    int64_t now = FIXTURE_START + 900 * FIXTURE_S;
    store_all();
    for (uint32_t n = 0; n < RECORDS; n++) {
        struct cache_key key = fixture_key(n);
        struct cache_found found;
        is_there[n] = cache_peek(cache, &key, now, message, sizeof message, &found) != CACHE_MISS;
        dead += is_there[n] ? 0 : 1;
    }
    assert_in_range(dead, 1, RECORDS - 1);
    memset(&seen, 0, sizeof seen);
    walk_all(&seen);
    for (uint32_t n = 0; n < RECORDS; n++) {
        assert_int_equal(seen.times[n], is_there[n]);
    }
}

static void test_walk_of_nothing(void **state)
{
    (void)state;
    static struct seen seen;
    uint64_t beyond = UINT64_MAX;
    memset(&seen, 0, sizeof seen);
    walk_all(&seen);
    assert_false(cache_walk(cache, &beyond, see, &seen));
    assert_int_equal(seen.in_step, 0);
}

/* What is not touched meanwhile is shown, also when the number of buckets changes on the way. */
static void test_walk_while_the_budget_changes(void **state)
{
    (void)state;
    static struct seen seen;
    uint64_t cursor = 0;
    store_all();
    memset(&seen, 0, sizeof seen);
    for (unsigned step = 0; cache_walk(cache, &cursor, see, &seen); step++) {
        cache_set_budget(cache, (step % 2 == 0 ? 24 : 16) * CACHE_BUDGET_MIN);
    }
    for (uint32_t n = 0; n < RECORDS; n++) {
        assert_true(seen.times[n] >= 1);
    }
}

/* Walked out of one cache and put into another, all is as it was. */
static void test_restore_gives_the_same(void **state)
{
    (void)state;
    static struct seen seen;
    static uint8_t message[2][CACHE_MESSAGE_MAX];
    struct cache_found found[2];
    struct cache *copy = cache_of(16 * CACHE_BUDGET_MIN, 2);
    int64_t now = FIXTURE_START + 95 * FIXTURE_S;
    store_all();
    for (uint32_t n = 0; n < RECORDS; n += 2) {
        struct cache_key key = fixture_key(n);
        (void)cache_lookup(cache, &key, now, message[0], sizeof message[0], &found[0]);
    }
    memset(&seen, 0, sizeof seen);
    seen.copy_to = copy;
    seen.now = now;
    walk_all(&seen);
    for (uint32_t n = 0; n < RECORDS; n++) {
        struct cache_key key = fixture_key(n);
        enum cache_verdict verdict =
            cache_peek(cache, &key, now, message[0], sizeof message[0], &found[0]);
        assert_int_equal(
            cache_peek(copy, &key, now, message[1], sizeof message[1], &found[1]), verdict);
        assert_true(verdict != CACHE_MISS);
        assert_int_equal(found[1].len, found[0].len);
        assert_int_equal(found[1].age_s, found[0].age_s);
        assert_int_equal(found[1].ttl_s, found[0].ttl_s);
        assert_int_equal(found[1].hits, found[0].hits);
        assert_int_equal(found[1].ahead, found[0].ahead);
        assert_int_equal(found[1].is_list, found[0].is_list);
        assert_int_equal(found[1].is_ad, found[0].is_ad);
        assert_int_equal(found[1].origin, found[0].origin);
        assert_memory_equal(message[1], message[0], found[0].len);
    }
    cache_free(&copy);
}

struct restore_case {
    enum cache_kind kind;
    int64_t age_s;
    uint32_t ttl_s;
    int64_t there_age_s; /* What stands there already; -1: nothing. */
    bool is_restored;
};

/* With a stale_max of an hour. */
static const struct restore_case restore_cases[] = {
    {CACHE_KIND_ANSWER, 10, 60, -1, true},
    {CACHE_KIND_ANSWER, 60, 60, -1, true},
    {CACHE_KIND_ANSWER, 3659, 60, -1, true},
    {CACHE_KIND_ANSWER, 3660, 60, -1, false},
    {CACHE_KIND_NXDOMAIN, 359, 60, -1, true},
    {CACHE_KIND_NXDOMAIN, 360, 60, -1, false},
    {CACHE_KIND_FAILURE, 0, 60, -1, false},
    {CACHE_KIND_ANSWER, 0, 0, -1, false},
    {CACHE_KIND_ANSWER, 10, 60, 5, false},
    {CACHE_KIND_ANSWER, 10, 60, 10, false},
    {CACHE_KIND_ANSWER, 10, 60, 11, true},
    {CACHE_KIND_ANSWER, -50, 60, -1, true},
    {CACHE_KIND_ANSWER, INT64_C(80) * 366 * 86400, UINT32_MAX, -1, false},
};

static void test_restore_by_case(void **state)
{
    (void)state;
    uint8_t message[40] = {7};
    uint8_t there[20] = {8};
    uint8_t message_out[100];
    int64_t now = FIXTURE_START + 10000 * FIXTURE_S;
    for (size_t i = 0; i < sizeof restore_cases / sizeof restore_cases[0]; i++) {
        const struct restore_case *c = &restore_cases[i];
        struct cache_found found;
        struct cache_record record = {
            .key = fixture_key((uint32_t)i),
            .fill = fixture_fill(message, sizeof message, c->ttl_s),
            .stored_at = now - c->age_s * FIXTURE_S,
            .hits = 4,
        };
        record.fill.kind = c->kind;
        if (c->there_age_s >= 0) {
            struct cache_fill fill = fixture_fill(there, sizeof there, 60);
            cache_store(cache, &record.key, &fill, now - c->there_age_s * FIXTURE_S);
        }
        assert_int_equal(cache_restore(cache, &record, now), c->is_restored);
        enum cache_verdict verdict =
            cache_peek(cache, &record.key, now, message_out, sizeof message_out, &found);
        if (c->is_restored) {
            assert_int_equal(found.len, sizeof message);
            assert_int_equal(found.hits, 4);
            assert_int_equal(found.age_s, c->age_s > 0 ? c->age_s : 0);
        } else if (c->there_age_s >= 0) {
            assert_int_equal(found.len, sizeof there);
        } else {
            assert_int_equal(verdict, CACHE_MISS);
        }
    }
}

/* A full cache takes nothing back, and loses nothing by trying. */
static void test_restore_evicts_nothing(void **state)
{
    (void)state;
    uint8_t message[200] = {1};
    struct cache *small = cache_of(CACHE_BUDGET_MIN, 1);
    struct cache_metrics metrics;
    struct cache_record record = {.fill = fixture_fill(message, sizeof message, 60)};
    uint32_t restored = 0;
    record.stored_at = FIXTURE_START;
    for (uint32_t n = 0; n < 20000; n++) {
        record.key = fixture_key(n);
        restored += cache_restore(small, &record, FIXTURE_START) ? 1 : 0;
    }
    cache_read_metrics(small, &metrics);
    assert_in_range(restored, 2000, 10000);
    assert_int_equal(metrics.cache_entries, restored);
    assert_int_equal(metrics.cache_evictions, 0);
    cache_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_walk_shows_no_dead, setup, teardown),
        cmocka_unit_test_setup_teardown(test_walk_shows_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_walk_of_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_walk_while_the_budget_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restore_gives_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restore_by_case, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restore_evicts_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
