/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cache/shard.h"

#include "tests/unit/cache/fixture.h"

#define BUDGET (4u * 1024 * 1024)
#define COUNT  3000

static struct shard shard;
static uint8_t message[512];

static int setup(void **state)
{
    struct hash_key secret = FIXTURE_SECRET;
    (void)state;
    return shard_init(&shard, BUDGET, &secret) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    shard_fini(&shard);
    return 0;
}

static void store(uint32_t n, bool is_list)
{
    struct hash_key secret = FIXTURE_SECRET;
    struct cache_key key = fixture_key(n);
    const struct shard_call call = {
        .key = &key, .hash = (uint32_t)cache_key_place(&key, &secret), .now = FIXTURE_START};
    struct cache_fill fill = fixture_fill(message, 200, 60);
    fill.is_list = is_list;
    fixture_message(n, message, 200);
    shard_store(&shard, &call, &fill);
}

static void store_many(uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        store(n, false);
    }
}

static struct cache_metrics metrics(void)
{
    struct cache_metrics sum = {0};
    shard_add_metrics(&shard, &sum);
    return sum;
}

/* Fixture keys are <n in eight hexadecimal digits>.test. */
static uint32_t number_of(const struct entry *entry)
{
    uint32_t number = 0;
    for (unsigned i = 1; i <= 8; i++) {
        uint8_t digit = entry->data[i];
        number = number << 4 | (uint32_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    return number;
}

struct walk {
    uint8_t seen[COUNT];
    unsigned shown;
    unsigned room; /* So many, and the next one is refused. */
};

static bool visit(void *context, const struct shard *owner, const struct entry *entry)
{
    struct walk *walk = context;
    assert_ptr_equal(owner, &shard);
    if (walk->room == 0) {
        return false;
    }
    walk->room--;
    walk->shown++;
    walk->seen[number_of(entry)]++;
    return true;
}

static void assert_each_once(const struct walk *walk)
{
    assert_int_equal(walk->shown, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(walk->seen[i], 1);
    }
}

/* Each entry once, in bounded pieces, however little room there is at a time. */
static void test_walk(void **state)
{
    static const unsigned rooms[] = {1, 7, 1000000};
    (void)state;
    store_many(COUNT);
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        static struct walk walk;
        uint64_t place = 0;
        unsigned pieces = 0;
        memset(&walk, 0, sizeof walk);
        do {
            walk.room = rooms[i];
            place = shard_walk(&shard, place, visit, &walk);
            assert_true(place >> SHARD_PLACE_BITS == 0);
            assert_true(pieces++ < 100000);
        } while (place != 0);
        assert_each_once(&walk);
        assert_true(pieces > 3);
    }
}

/* A place stays good when the index grows or shrinks between two pieces. */
static void test_walk_and_resize(void **state)
{
    static struct walk walk;
    uint64_t place = 0;
    unsigned pieces = 0;
    (void)state;
    store_many(COUNT);
    memset(&walk, 0, sizeof walk);
    do {
        walk.room = 50;
        place = shard_walk(&shard, place, visit, &walk);
        shard_set_max(&shard, ++pieces % 2 == 1 ? 16 * BUDGET : BUDGET);
    } while (place != 0);
    assert_each_once(&walk);
    assert_int_equal(metrics().cache_evictions, 0);
}

static void test_walk_nothing(void **state)
{
    static struct walk walk;
    uint64_t place = 0;
    (void)state;
    walk.room = 1;
    do {
        place = shard_walk(&shard, place, visit, &walk);
    } while (place != 0);
    assert_int_equal(walk.shown, 0);
}

static bool is_multiple(const struct entry *entry, const void *context)
{
    return number_of(entry) % *(const uint32_t *)context == 0;
}

/* Only what matches goes, all over the shard, and it is counted. */
static void test_flush(void **state)
{
    static const struct {
        uint32_t divisor;
        size_t removed;
    } cases[] = {{3, COUNT / 3}, {3, 0}, {2, COUNT / 3}, {1, COUNT / 3}, {1, 0}};
    uint64_t left = COUNT;
    (void)state;
    store_many(COUNT);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(shard_flush(&shard, is_multiple, &cases[i].divisor), cases[i].removed);
        left -= cases[i].removed;
        assert_int_equal(metrics().cache_entries, left);
        assert_int_equal(metrics().cache_flushed, COUNT - left);
    }
}

static void test_flush_all(void **state)
{
    (void)state;
    assert_int_equal(shard_flush_all(&shard), 0);
    store_many(COUNT);
    assert_int_equal(shard_flush_all(&shard), COUNT);
    assert_int_equal(metrics().cache_flushed, COUNT);
    assert_int_equal(metrics().cache_entries, 0);
    store(1, false);
    assert_int_equal(metrics().cache_entries, 1);
}

/* Smaller by more than one step under the lock can remove: down to the limit all the same. */
static void test_shrink(void **state)
{
    static const uint64_t limits[] = {BUDGET / 8, BUDGET / 16, 1};
    (void)state;
    store_many(COUNT);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        shard_set_max(&shard, limits[i]);
        struct cache_metrics after = metrics();
        assert_true(after.cache_entries == 0 || after.cache_bytes <= limits[i]);
        assert_int_equal(after.cache_entries + after.cache_evictions, COUNT);
    }
    assert_int_equal(metrics().cache_entries, 0);
}

/* How long the buckets are while it goes on, and that somebody is called at all. */
struct looks {
    unsigned count;
    uint64_t longest; /* Entries for each bucket, in the mean. */
};

static void look(void *world)
{
    struct looks *looks = world;
    struct cache_metrics now = metrics(); /* Takes the lock: nobody holds it. */
    uint64_t mean = now.cache_entries / shard.shelf.index.count;
    looks->count++;
    looks->longest = mean > looks->longest ? mean : looks->longest;
}

/* To a sixty-fourth: no bucket is ever as long as the old entries in the new buckets would be. */
static void test_shrink_by_halves(void **state)
{
    struct looks looks = {0};
    (void)state;
    for (uint32_t n = 0; metrics().cache_evictions == 0; n++) {
        store(n, false);
    }
    shard.pace = look;
    shard.pace_world = &looks;
    shard_set_max(&shard, BUDGET / 64);
    shard.pace = NULL;
    assert_true(metrics().cache_bytes <= BUDGET / 64);
    assert_true(looks.count > 10);
    assert_true(looks.longest <= 2);
}

static void test_flush_is_paced(void **state)
{
    static const uint32_t divisor = 1;
    struct looks looks = {0};
    (void)state;
    store_many(COUNT);
    shard.pace = look;
    shard.pace_world = &looks;
    assert_int_equal(shard_flush(&shard, is_multiple, &divisor), COUNT);
    shard.pace = NULL;
    assert_true(looks.count > 10);
}

/* Answers of lists make room among themselves, and the gauges tell them apart. */
static void test_list_share(void **state)
{
    (void)state;
    shard_set_max(&shard, BUDGET / 4);
    shard_set_list_share(&shard, 10);
    store_many(500);
    for (uint32_t n = 10000; n < 20000; n++) {
        store(n, true);
    }
    struct cache_metrics after = metrics();
    assert_int_equal(after.cache_entries_probation + after.cache_entries_protected, 500);
    assert_int_equal(after.cache_entries, 500 + after.cache_entries_list);
    assert_true(after.cache_entries_list > 0);
    shard_set_list_share(&shard, 100);
    uint64_t bytes = after.cache_bytes_list;
    for (uint32_t n = 20000; n < 30000; n++) {
        store(n, true);
    }
    assert_true(metrics().cache_bytes_list > bytes);
}

/* A sum goes on where another shard's ended. */
static void test_metrics_add_up(void **state)
{
    struct cache_metrics sum = {0};
    (void)state;
    store_many(10);
    shard_add_metrics(&shard, &sum);
    shard_add_metrics(&shard, &sum);
    assert_int_equal(sum.cache_entries, 20);
    assert_int_equal(sum.cache_bytes, 2 * metrics().cache_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_walk_and_resize, setup, teardown),
        cmocka_unit_test_setup_teardown(test_walk_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flush, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flush_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shrink, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shrink_by_halves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flush_is_paced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_share, setup, teardown),
        cmocka_unit_test_setup_teardown(test_metrics_add_up, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
