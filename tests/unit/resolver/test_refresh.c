/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/refresh.h"

#include "fixture.h"

#include "base/clock.h"
#include "resolver/resolver_private.h"

#define SECONDS(count) ((int64_t)(count)*CLOCK_US_PER_S)

#define HOUSE "upstreams = 192.0.2.1\nlist_route = upstream\nlist_tests = no\nahead = no\n"

static const char conf[] = HOUSE;
static const char name[] = "mail.example.org";

/* The last question that was sent is answered with one A record that lives so long: a listing, if
 * the question was one to a list. */
static void reply_last(struct fixture *fixture, const char *asked, uint32_t ttl_s, int64_t now)
{
    bool is_list = strstr(asked, "spamhaus") != NULL || strstr(asked, "msbl") != NULL;
    const struct sent *sent = &fixture->sent[fixture->sent_count - 1];
    uint8_t bytes[512];
    size_t len = reply_of(sent, 0, bytes);
    bytes_put_u32(bytes + len - 10, ttl_s);
    memcpy(bytes + len - 4, is_list ? "\177\0\0\2" : "\300\0\2\31", 4);
    resolver_on_reply(fixture->resolver, sent->exchange, bytes, len, now);
}

/* Asked for once, and then found in the cache so often. */
static void ask_often(
    struct fixture *fixture, const char *asked, uint32_t ttl_s, unsigned hits, int64_t now)
{
    assert_int_equal(fixture_ask(fixture, asked, TYPE_A, now), ASK_PARKED);
    reply_last(fixture, asked, ttl_s, now);
    for (unsigned i = 0; i < hits; i++) {
        assert_int_equal(fixture_ask(fixture, asked, TYPE_A, now), ASK_ANSWERED);
    }
}

static unsigned places(const struct fixture *fixture)
{
    unsigned count = 0;
    for (size_t i = 0; i < REFRESH_PLACES; i++) {
        count += fixture->resolver->refresh.places[i].key.name_len > 0 ? 1 : 0;
    }
    return count;
}

/* What is worth a place. */
static void test_places(void **state)
{
    static const struct {
        const char *conf;
        const char *name;
        uint32_t ttl_s;
        unsigned hits;
        unsigned places;
    } cases[] = {
        {HOUSE, "mail.example.org", 300, 0, 0},
        {HOUSE, "mail.example.org", 300, 1, 0},
        {HOUSE, "mail.example.org", 300, 2, 1},
        {HOUSE, "mail.example.org", 300, 9, 1},
        {HOUSE, "mail.example.org", 10, 2, 1},
        {HOUSE, "mail.example.org", 9, 2, 0},
        {HOUSE "refresh_rate = 0\n", "mail.example.org", 300, 9, 0},
        {HOUSE, "2.0.0.127.zen.spamhaus.org", 300, 2, 1},
        /* Hashes are asked once and never again, whatever it looks like. */
        {HOUSE, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.ebl.msbl.org", 300, 9, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(cases[i].conf);
        ask_often(fixture, cases[i].name, cases[i].ttl_s, cases[i].hits, 0);
        assert_int_equal(places(fixture), cases[i].places);
        fixture_free(fixture);
    }
}

/* Asked in the last tenth, as often as it was paid for; then it may end. */
static void test_credits(void **state)
{
    (void)state;
    for (unsigned hits = 2; hits <= 5; hits++) {
        struct fixture *fixture = fixture_new(conf);
        int64_t now = 0;
        ask_often(fixture, name, 300, hits, now);
        for (unsigned i = 0; i < REFRESH_CREDITS_MAX; i++) {
            fixture_pass(fixture, now + SECONDS(270) - 1);
            assert_int_equal(fixture->sent_count, 1 + i);
            now += SECONDS(270);
            fixture_pass(fixture, now);
            assert_int_equal(fixture->sent_count, 2 + i);
            reply_last(fixture, name, 300, now);
        }
        assert_int_equal(places(fixture), 1);
        fixture_pass(fixture, now + SECONDS(3600));
        assert_int_equal(fixture->sent_count, 1 + REFRESH_CREDITS_MAX);
        assert_int_equal(places(fixture), 0);
        assert_int_equal(COUNTER(fixture, fetches_refresh), REFRESH_CREDITS_MAX);
        assert_int_equal(COUNTER(fixture, refreshes_in_vain), 0);
        fixture_check_quiet(fixture);
        fixture_free(fixture);
    }
}

/* No more in a second than `refresh_rate`; the others end as if nobody had asked. */
static void test_rate(void **state)
{
    struct fixture *fixture = fixture_new(HOUSE "refresh_rate = 2\n");
    char text[32];
    (void)state;
    ask_often(fixture, name, 300, 2, 0);
    for (unsigned i = 0; i < 5; i++) {
        (void)snprintf(text, sizeof text, "n%u.example.org", i);
        ask_often(fixture, text, 300, 2, SECONDS(10));
    }
    fixture_pass(fixture, SECONDS(270));
    assert_int_equal(COUNTER(fixture, fetches_refresh), 1);
    reply_last(fixture, name, 300, SECONDS(270));
    fixture_pass(fixture, SECONDS(280)); /* What was not spent before is not saved up. */
    assert_int_equal(COUNTER(fixture, fetches_refresh), 3);
    assert_int_equal(COUNTER(fixture, refreshes_unaffordable), 3);
    assert_int_equal(places(fixture), 3);
    fixture_free(fixture);
}

/* An answer that is not to be kept: looked at again a second later, and then given up. */
static void test_tries(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    ask_often(fixture, name, 300, 2, 0);
    for (unsigned i = 0; i < REFRESH_TRIES_MAX; i++) {
        fixture_pass(fixture, SECONDS(270 + i));
        assert_int_equal(fixture->sent_count, 2 + i);
        reply_last(fixture, name, 0, SECONDS(270 + i));
    }
    assert_int_equal(places(fixture), 1);
    fixture_pass(fixture, SECONDS(280));
    assert_int_equal(fixture->sent_count, 1 + REFRESH_TRIES_MAX);
    assert_int_equal(places(fixture), 0);
    fixture_free(fixture);
}

/* Upstream is away: one try, and the place is free. */
static void test_failure(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    ask_often(fixture, name, 300, 2, 0);
    fixture_pass(fixture, SECONDS(290));
    assert_int_equal(COUNTER(fixture, fetches_refresh), 1);
    fixture_pass(fixture, SECONDS(320));
    assert_int_equal(COUNTER(fixture, fetches_refresh), 1);
    assert_int_equal(places(fixture), 0);
    fixture_free(fixture);
}

/* Another worker has brought a new answer, or somebody has emptied the cache. */
static void test_found_otherwise(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct cache_key key = key_of(name, TYPE_A);
    uint8_t bytes[512];
    (void)state;
    ask_often(fixture, name, 300, 2, 0);
    const struct cache_fill fill = {.kind = CACHE_KIND_ANSWER,
        .message = bytes,
        .len = query_of(name, TYPE_A, bytes),
        .ttl_s = 300};
    cache_store(fixture->cache, &key, &fill, SECONDS(200));
    fixture_pass(fixture, SECONDS(469));
    assert_int_equal(fixture->sent_count, 1);
    fixture_pass(fixture, SECONDS(470));
    assert_int_equal(fixture->sent_count, 2);
    reply_last(fixture, name, 300, SECONDS(470));
    cache_flush_all(fixture->cache);
    fixture_pass(fixture, SECONDS(740));
    assert_int_equal(fixture->sent_count, 2);
    assert_int_equal(places(fixture), 0);
    fixture_free(fixture);
}

/* Upstream has a cache: four early ones in vain, and the next name is asked when it has ended. */
static void learn_late(struct fixture *fixture)
{
    for (unsigned i = 0; i < 4; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "learn%u.example.org", i);
        ask_often(fixture, text, 300, 2, SECONDS(0));
    }
    fixture_pass(fixture, SECONDS(270));
    assert_int_equal(fixture->sent_count, 8);
    for (size_t i = 4; i < 8; i++) {
        uint8_t bytes[512];
        size_t len = reply_of(&fixture->sent[i], 0, bytes);
        bytes_put_u32(bytes + len - 10, 30);
        resolver_on_reply(fixture->resolver, fixture->sent[i].exchange, bytes, len, SECONDS(270));
    }
    assert_int_equal(COUNTER(fixture, refreshes_in_vain), 4);
    /* These four places are looked at when the answers end, and then again in a moment. */
    cache_flush_all(fixture->cache);
    fixture_pass(fixture, SECONDS(400));
    assert_int_equal(fixture->sent_count, 8);
    assert_int_equal(places(fixture), 0);
}

static void test_late(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    learn_late(fixture);
    ask_often(fixture, name, 100, 2, SECONDS(400));
    fixture_pass(fixture, SECONDS(500) - 1);
    assert_int_equal(fixture->sent_count, 9);
    fixture_pass(fixture, SECONDS(500));
    assert_int_equal(fixture->sent_count, 10);
    fixture_free(fixture);
}

/* Groups have other numbers after a reload, so nothing is known of them. */
static void test_reload_forgets(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    learn_late(fixture);
    assert_true(resolver_set_settings(fixture->resolver, fixture->settings, SECONDS(400)));
    ask_often(fixture, name, 100, 2, SECONDS(400));
    fixture_pass(fixture, SECONDS(490));
    assert_int_equal(fixture->sent_count, 10);
    fixture_free(fixture);
}

/* Who comes while the new answer is under way. */
static void test_bridge(void **state)
{
    static const struct {
        const char *name;
        int64_t after_us; /* The end of the answer. */
        enum ask_verdict verdict;
    } cases[] = {
        {"mail.example.org", 1, ASK_ANSWERED},
        {"mail.example.org", REFRESH_BRIDGE_US, ASK_ANSWERED},
        {"mail.example.org", REFRESH_BRIDGE_US + 1, ASK_PARKED},
        /* A listing rejects mail: never given a moment too long. */
        {"2.0.0.127.zen.spamhaus.org", 1, ASK_PARKED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        int64_t now = SECONDS(500) + cases[i].after_us;
        learn_late(fixture);
        assert_int_equal(fixture_ask(fixture, cases[i].name, TYPE_A, SECONDS(400)), ASK_PARKED);
        reply_last(fixture, cases[i].name, 100, SECONDS(400));
        fixture_ask(fixture, cases[i].name, TYPE_A, SECONDS(400));
        fixture_ask(fixture, cases[i].name, TYPE_A, SECONDS(400));
        fixture_pass(fixture, now - 1);
        bool is_bridged = cases[i].verdict == ASK_ANSWERED;
        assert_int_equal(fixture_ask(fixture, cases[i].name, TYPE_A, now), cases[i].verdict);
        assert_int_equal(COUNTER(fixture, answers_bridged), is_bridged ? 1 : 0);
        if (is_bridged) {
            assert_int_equal(bytes_get_u32(fixture->answer + fixture->answer_len - 10), 1);
        }
        fixture_free(fixture);
    }
}

/* Nobody has a right to the old answer of a name that is not refreshed. */
static void test_no_bridge_without_a_place(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    (void)state;
    ask_often(fixture, name, 300, 1, 0);
    assert_int_equal(fixture_ask(fixture, name, TYPE_A, SECONDS(300) + 1), ASK_PARKED);
    assert_int_equal(COUNTER(fixture, answers_bridged), 0);
    fixture_free(fixture);
}

/* All places of the row have credit: no room. One without gives way. */
static void test_row_is_full(void **state)
{
    (void)state;
    for (uint8_t credits = 0; credits < 2; credits++) {
        struct fixture *fixture = fixture_new(conf);
        struct refresh *refresh = &fixture->resolver->refresh;
        for (size_t i = 0; i < REFRESH_PLACES; i++) {
            refresh->places[i].key = key_of("other.example.org", TYPE_A);
            refresh->places[i].credits = credits;
        }
        ask_often(fixture, name, 300, 2, 0);
        fixture_pass(fixture, SECONDS(270));
        assert_int_equal(COUNTER(fixture, fetches_refresh), credits == 0 ? 1 : 0);
        fixture_free(fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_credits),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_tries),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_found_otherwise),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_reload_forgets),
        cmocka_unit_test(test_bridge),
        cmocka_unit_test(test_no_bridge_without_a_place),
        cmocka_unit_test(test_row_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
