/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/warm.h"

#include "fixture.h"

#include "base/clock.h"
#include "resolver/resolver_private.h"

static const char trusting[] = "[upstream default]\nservers = 192.0.2.1\ntrust_ad = insecurely\n";
static const char distrusting[] = "[upstream default]\nservers = 192.0.2.1\n";

#define SECONDS(count) ((int64_t)(count)*CLOCK_US_PER_S)

static struct cache_key root_key(void)
{
    struct cache_key key = key_of(".", TYPE_NS);
    key.wants_dnssec = true;
    return key;
}

/* As if upstream, or another worker, had brought the answer. */
static void store_root(struct fixture *fixture, uint32_t ttl_s, bool is_ad, int64_t now)
{
    uint8_t bytes[512];
    struct cache_key key = root_key();
    struct cache_fill fill = {.kind = CACHE_KIND_ANSWER,
        .message = bytes,
        .len = query_of(".", TYPE_NS, bytes),
        .ttl_s = ttl_s,
        .is_ad = is_ad};
    cache_store(fixture->cache, &key, &fill, now);
}

static uint64_t started(const struct fixture *fixture)
{
    return COUNTER(fixture, fetches);
}

static void test_without_trust_nothing(void **state)
{
    struct fixture *fixture = fixture_new(distrusting);
    (void)state;
    assert_true(resolver_next_deadline(fixture->resolver) == INT64_MAX);
    fixture_pass(fixture, SECONDS(3600));
    assert_int_equal(started(fixture), 0);
    assert_int_equal(fixture->probe_count, 0);
    fixture_free(fixture);
}

static void test_asked_at_the_start(void **state)
{
    struct fixture *fixture = fixture_new(trusting);
    (void)state;
    fixture_pass(fixture, 0);
    assert_int_equal(started(fixture), 1);
    assert_int_equal(COUNTER(fixture, fetches_refresh), 1);
    assert_int_equal(fixture->probe_count, 1);
    struct cache_key key = root_key();
    assert_true(inflight_find(&fixture->resolver->inflight, &key) != POOL_NONE);
    fixture_free(fixture);
}

static void test_again_in_the_last_tenth(void **state)
{
    struct fixture *fixture = fixture_new(trusting);
    (void)state;
    store_root(fixture, 100, true, 0);
    fixture_pass(fixture, SECONDS(89));
    assert_int_equal(started(fixture), 0);
    fixture_pass(fixture, SECONDS(90));
    assert_int_equal(started(fixture), 1);
    fixture_free(fixture);
}

/* However long it would live, it is looked at again: it may have been flushed or evicted. */
static void test_found_missing(void **state)
{
    struct fixture *fixture = fixture_new(trusting);
    (void)state;
    store_root(fixture, 86400, true, 0);
    fixture_pass(fixture, SECONDS(1));
    cache_flush_all(fixture->cache);
    fixture_pass(fixture, SECONDS(59));
    assert_int_equal(started(fixture), 0);
    fixture_pass(fixture, SECONDS(60));
    assert_int_equal(started(fixture), 1);
    fixture_free(fixture);
}

static void test_failing_upstream_is_spared(void **state)
{
    struct fixture *fixture = fixture_new(trusting);
    (void)state;
    fixture_pass(fixture, SECONDS(29));
    assert_int_equal(started(fixture), 1);
    fixture_pass(fixture, SECONDS(30));
    assert_int_equal(started(fixture), 2);
    fixture_pass(fixture, SECONDS(59));
    assert_int_equal(started(fixture), 2);
    fixture_pass(fixture, SECONDS(299));
    assert_int_equal(started(fixture), 10);
    fixture_free(fixture);
}

/* No room for the work is a failure like another. */
static void test_no_room(void **state)
{
    struct fixture *fixture = fixture_new(trusting);
    uint64_t ids[2];
    (void)state;
    struct pool *fetches = &fixture->resolver->fetches;
    struct pool full = *fetches;
    struct pool none = {0};
    assert_true(pool_init(&none, sizeof(struct warm), 1));
    assert_non_null(pool_take(&none, &ids[0]));
    *fetches = none;
    fixture_pass(fixture, SECONDS(29));
    assert_int_equal(started(fixture), 0);
    *fetches = full;
    pool_fini(&none);
    fixture_pass(fixture, SECONDS(30));
    assert_int_equal(started(fixture), 1);
    fixture_free(fixture);
}

/* A client's fetch for the same answer does for both. */
static void test_one_at_a_time(void **state)
{
    struct fixture *fixture = fixture_new(trusting);
    uint8_t bytes[512];
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 4, 208, 0, 0, 128, 0, 0, 0};
    (void)state;
    size_t len = query_of(".", TYPE_NS, bytes);
    memcpy(bytes + len, opt, sizeof opt);
    bytes_put_u16(bytes + 10, 1);
    assert_int_equal(fixture_ask_bytes(fixture, bytes, len + sizeof opt, 0), ASK_PARKED);
    fixture_pass(fixture, 0);
    assert_int_equal(started(fixture), 1);
    assert_int_equal(COUNTER(fixture, fetches_refresh), 0);
    fixture_free(fixture);
}

/* What was kept without AD was kept under other settings, once; upstream has the last word. */
static void test_reload(void **state)
{
    struct fixture *fixture = fixture_new(distrusting);
    struct settings *settings = settings_of(trusting);
    (void)state;
    store_root(fixture, 600, false, 0);
    assert_true(resolver_set_settings(fixture->resolver, settings, SECONDS(1)));
    fixture_pass(fixture, SECONDS(1));
    assert_int_equal(started(fixture), 1);
    store_root(fixture, 600, false, SECONDS(1) + 1);
    fixture_pass(fixture, SECONDS(500));
    assert_int_equal(started(fixture), 1);
    assert_true(resolver_set_settings(fixture->resolver, fixture->settings, SECONDS(500)));
    fixture_pass(fixture, SECONDS(3600));
    assert_int_equal(started(fixture), 1);
    free(settings);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_trust_nothing),
        cmocka_unit_test(test_asked_at_the_start),
        cmocka_unit_test(test_again_in_the_last_tenth),
        cmocka_unit_test(test_found_missing),
        cmocka_unit_test(test_failing_upstream_is_spared),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
