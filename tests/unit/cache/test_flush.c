/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/name.h"

#include "cache/cache.h"
#include "cache/mark.h"
#include "cache/record.h"

#include "tests/unit/cache/fixture.h"

static struct cache *cache;

/* Under each name stand an answer, one for DNSSEC, one of another class, and a failure. */
static const char *const names[] = {
    "example.com",
    "mail.example.com",
    "a.b.mail.example.com",
    "notexample.com",
    "com",
    "example.net",
    ".",
};

#define NAME_COUNT   (sizeof names / sizeof names[0])
#define NAME_ENTRIES 4

static struct cache_key key_of(const char *text)
{
    struct cache_key key = {.type = 15, .class = 1};
    size_t len = 0;
    assert_true(name_from_text(text, strlen(text), key.name, &len));
    key.name_len = (uint8_t)len;
    return key;
}

static void fill_name(const char *text)
{
    struct cache_key key = key_of(text);
    uint8_t message[64] = {0};
    struct cache_fill fill = fixture_fill(message, sizeof message, 60);
    memcpy(message + 12, key.name, key.name_len);
    cache_store(cache, &key, &fill, FIXTURE_START);
    key.wants_dnssec = true;
    cache_store(cache, &key, &fill, FIXTURE_START);
    key.class = 3;
    cache_store(cache, &key, &fill, FIXTURE_START);
    key.type = 1;
    cache_store_failure(cache, &key, 0, FIXTURE_START);
}

static int setup(void **state)
{
    (void)state;
    struct cache_options options = {
        .budget_bytes = 4 * CACHE_BUDGET_MIN, .shard_count = 4, .secret = FIXTURE_SECRET};
    cache = cache_new(&options);
    for (size_t i = 0; i < NAME_COUNT; i++) {
        fill_name(names[i]);
    }
    return cache == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    cache_free(&cache);
    return 0;
}

static bool is_cached(const char *text)
{
    struct cache_key key = key_of(text);
    uint8_t message[64];
    struct cache_found found;
    return cache_peek(cache, &key, FIXTURE_START, message, sizeof message, &found) == CACHE_FRESH;
}

static uint64_t entries(void)
{
    struct cache_metrics metrics;
    cache_read_metrics(cache, &metrics);
    return metrics.cache_entries;
}

struct flush_case {
    const char *name;
    bool is_under;
    size_t names_removed;
};

static const struct flush_case flush_cases[] = {
    {"example.com", false, 1},
    {"EXAMPLE.Com", false, 1},
    {"mail.example.com", false, 1},
    {"absent.example.com", false, 0},
    {".", false, 1},
    {"example.com", true, 3},
    {"eXaMpLe.COM", true, 3},
    {"mail.example.com", true, 2},
    {"com", true, 5},
    {"net", true, 1},
    {"ample.com", true, 0},
    {"org", true, 0},
    {".", true, 7},
};

static void test_flush_by_name(void **state)
{
    for (size_t i = 0; i < sizeof flush_cases / sizeof flush_cases[0]; i++) {
        const struct flush_case *c = &flush_cases[i];
        struct cache_key key = key_of(c->name);
        assert_int_equal(setup(state), 0);
        size_t removed = c->is_under ? cache_flush_under(cache, key.name, key.name_len)
                                     : cache_flush_name(cache, key.name, key.name_len);
        assert_int_equal(removed, c->names_removed * NAME_ENTRIES);
        assert_int_equal(entries(), (NAME_COUNT - c->names_removed) * NAME_ENTRIES);
        teardown(state);
    }
}

static void test_neighbours_stay(void **state)
{
    (void)state;
    struct cache_key key = key_of("example.com");
    (void)cache_flush_under(cache, key.name, key.name_len);
    assert_false(is_cached("example.com"));
    assert_false(is_cached("mail.example.com"));
    assert_false(is_cached("a.b.mail.example.com"));
    assert_true(is_cached("notexample.com"));
    assert_true(is_cached("com"));
    assert_true(is_cached("example.net"));
    assert_true(is_cached("."));
}

static void test_not_a_name(void **state)
{
    (void)state;
    static const uint8_t bad[] = {5, 'a', 'b', 0};
    uint8_t long_name[300] = {0};
    assert_int_equal(cache_flush_name(cache, bad, sizeof bad), 0);
    assert_int_equal(cache_flush_under(cache, bad, sizeof bad), 0);
    assert_int_equal(cache_flush_under(cache, bad, 0), 0);
    assert_int_equal(cache_flush_name(cache, long_name, sizeof long_name), 0);
    assert_int_equal(entries(), NAME_COUNT * NAME_ENTRIES);
}

static void test_flush_all(void **state)
{
    (void)state;
    struct cache_metrics metrics;
    cache_read_metrics(cache, &metrics);
    uint64_t bytes_before = metrics.cache_bytes;
    assert_int_equal(cache_flush_all(cache), NAME_COUNT * NAME_ENTRIES);
    assert_int_equal(cache_flush_all(cache), 0);
    cache_read_metrics(cache, &metrics);
    assert_int_equal(metrics.cache_entries, 0);
    assert_int_equal(metrics.cache_flushed, NAME_COUNT * NAME_ENTRIES);
    assert_true(metrics.cache_bytes < bytes_before);
    assert_false(is_cached("com"));
    fill_name("com");
    assert_true(is_cached("com"));
}

/* Many entries, so that the walk goes over many steps. */
static void test_large_walk(void **state)
{
    (void)state;
    uint8_t message[64] = {0};
    struct cache_fill fill = fixture_fill(message, sizeof message, 60);
    for (uint32_t n = 0; n < 10000; n++) {
        struct cache_key key = fixture_key(n);
        cache_store(cache, &key, &fill, FIXTURE_START);
    }
    struct cache_key key = key_of("test");
    assert_int_equal(cache_flush_under(cache, key.name, key.name_len), 10000);
    assert_int_equal(entries(), NAME_COUNT * NAME_ENTRIES);
}

/* ---- What comes in after a flush ---- */

static bool is_stored(const char *text)
{
    struct cache_key key = key_of(text);
    struct cache_found found;
    uint8_t message[512];
    return cache_peek(cache, &key, FIXTURE_START, message, sizeof message, &found) != CACHE_MISS;
}

static void store_marked(const char *text, uint64_t mark)
{
    struct cache_key key = key_of(text);
    uint8_t message[64] = {0};
    struct cache_fill fill = fixture_fill(message, sizeof message, 60);
    fill.mark = mark;
    memcpy(message + 12, key.name, key.name_len);
    cache_store(cache, &key, &fill, FIXTURE_START);
}

static void test_marks(void **state)
{
    static const struct {
        const char *flushed;
        bool is_under;
        const char *stored;
        bool is_kept;
    } cases[] = {
        {"mail.example.com", false, "mail.example.com", false},
        {"MAIL.example.com", false, "mail.example.com", false},
        {"mail.example.com", false, "a.b.mail.example.com", true},
        {"mail.example.com", false, "example.com", true},
        {"example.com", true, "a.b.mail.example.com", false},
        {"example.com", true, "example.com", false},
        {"example.com", true, "notexample.com", true},
        {"example.com", true, "com", true},
        {".", true, "example.net", false},
        {".", false, "example.net", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cache_key flushed = key_of(cases[i].flushed);
        struct cache_key stored = key_of(cases[i].stored);
        (void)cache_flush_all(cache);
        uint64_t mark = cache_mark(cache);
        assert_false(cache_is_flushed(cache, &stored, mark));
        (void)(cases[i].is_under ? cache_flush_under(cache, flushed.name, flushed.name_len)
                                 : cache_flush_name(cache, flushed.name, flushed.name_len));
        assert_true(cache_is_flushed(cache, &stored, mark) == !cases[i].is_kept);
        store_marked(cases[i].stored, mark);
        assert_true(is_stored(cases[i].stored) == cases[i].is_kept);
        store_marked(cases[i].stored, cache_mark(cache));
        assert_true(is_stored(cases[i].stored));
    }
}

/* Of what was flushed before the last time nobody knows, so all that is older is taken for it. */
static void test_marks_of_two_flushes(void **state)
{
    struct cache_key key = key_of("example.net");
    uint64_t mark = cache_mark(cache);
    (void)state;
    (void)cache_flush_all(cache);
    (void)cache_flush_name(cache, key.name, key.name_len);
    store_marked("example.com", mark);
    assert_false(is_stored("example.com"));
    store_marked("example.com", CACHE_MARK_OUTDATED);
    assert_false(is_stored("example.com"));
    store_marked("example.com", mark + 1);
    assert_true(is_stored("example.com"));
    store_marked("example.com", CACHE_MARK_OUTDATED); /* And what stands there stays. */
    assert_true(is_stored("example.com"));
}

/* A snapshot is older than all flushes of this run. */
static void test_restoring_after_a_flush(void **state)
{
    struct cache_key flushed = key_of("example.com");
    uint8_t message[64] = {0};
    (void)state;
    (void)cache_flush_all(cache);
    (void)cache_flush_under(cache, flushed.name, flushed.name_len);
    struct cache_record record = {
        .key = key_of("mail.example.com"),
        .fill = fixture_fill(message, sizeof message, 60),
        .stored_at = FIXTURE_START - FIXTURE_S,
    };
    memcpy(message + 12, record.key.name, record.key.name_len);
    assert_false(cache_restore(cache, &record, FIXTURE_START));
    assert_false(is_stored("mail.example.com"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flush_by_name),
        cmocka_unit_test_setup_teardown(test_neighbours_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_a_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flush_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_walk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_marks_of_two_flushes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restoring_after_a_flush, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
