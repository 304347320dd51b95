/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/memory.h"
#include "resolver/server.h"

#define SECOND (1000 * MS)
#define HOUR   (3600 * SECOND)
#define NOW    (50 * HOUR)

static uint8_t bytes[MEMORY_SIZE];

/* 20 ms, one in 25 takes 150 ms; loses some; does without EDNS, capitals and cookies for a while.
 */
static struct server server_tried(void)
{
    struct server server = {.knows_edns = true};
    for (unsigned i = 0; i < 200; i++) {
        server_hear(&server, i % 25 == 0 ? 150 * MS : 20 * MS, true, NOW);
    }
    server_on_timeout(&server);
    server_on_timeout(&server);
    server_on_timeout(&server);
    server.plain_until = NOW + 600 * SECOND;
    server.manners.letters_lost_until = NOW + 1800 * SECOND;
    server.manners.cookieless_until = NOW + 10 * SECOND;
    server.manners.cookie_len = 16;
    return server;
}

static bool server_take(struct server *server, int64_t age_us, int64_t now)
{
    struct server tried = server_tried();
    struct memory memory = {
        .bytes = bytes, .len = memory_of_server(&tried, NOW, bytes), .age_us = age_us};
    assert_true(memory.len > 0);
    return memory_to_server(server, &memory, now);
}

static void test_moments_later(void **state)
{
    struct server tried = server_tried();
    struct server server = {0};
    (void)state;
    /* The host has been started anew: its clock counts from zero again. */
    assert_true(server_take(&server, 20 * SECOND, SECOND));
    assert_int_equal(server.latency_us, tried.latency_us);
    assert_int_equal(server.recent.count, LATENCY_WINDOW);
    assert_in_range(server.loss * 1e6f, tried.loss * 1e6f - 20, tried.loss * 1e6f + 20);
    for (unsigned permille = 10; permille < 1000; permille += 10) {
        assert_int_equal(
            latency_quantile(&server.recent, permille), latency_quantile(&tried.recent, permille));
    }
    assert_true(server.knows_edns);
    assert_true(server_is_resting(&server));
    assert_true(server.heard_at == -19 * SECOND);
    assert_true(server.plain_until == SECOND + 580 * SECOND);
    assert_true(server.manners.letters_lost_until == SECOND + 1780 * SECOND);
    assert_true(server.manners.cookieless_until == 0);
    assert_int_equal(server.manners.cookie_len, 0);
    /* New samples weigh what they would have weighed in the old life. */
    for (unsigned i = 0; i < 100; i++) {
        latency_add(&server.recent, 40 * MS);
        latency_add(&tried.recent, 40 * MS);
    }
    assert_int_equal(latency_quantile(&server.recent, 500), latency_quantile(&tried.recent, 500));
}

static void test_fading(void **state)
{
    static const struct {
        int64_t age_us;
        bool is_taken;
        bool is_resting;
        bool knows_tail;
        bool knows_latency;
    } cases[] = {
        {0, true, true, true, true},
        {MEMORY_REST_US, true, true, true, true},
        {MEMORY_REST_US + SECOND, true, false, true, true},
        {MEMORY_STRONG_US, true, false, true, true},
        {MEMORY_STRONG_US + SECOND, true, false, false, true},
        {MEMORY_WEAK_US, true, false, false, true},
        {MEMORY_WEAK_US + SECOND, false, false, false, false},
        {-1, false, false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct server server = {0};
        assert_int_equal(server_take(&server, cases[i].age_us, NOW), cases[i].is_taken);
        assert_int_equal(server_is_resting(&server), cases[i].is_resting);
        assert_int_equal(latency_quantile(&server.recent, 500) > 0, cases[i].knows_tail);
        assert_int_equal(server.latency_us > 0, cases[i].knows_latency);
    }
}

/* Being saved again and again without a word from the server makes no knowledge young. */
static void test_age_adds_up(void **state)
{
    struct server server = {0};
    struct server next = {0};
    struct memory memory = {.bytes = bytes, .age_us = 30 * 60 * SECOND};
    (void)state;
    assert_true(server_take(&server, 40 * 60 * SECOND, NOW));
    memory.len = memory_of_server(&server, NOW, bytes);
    assert_true(memory_to_server(&next, &memory, NOW));
    assert_int_equal(next.recent.count, 0);
    assert_int_equal(next.latency_us, server.latency_us);
}

static void test_what_was_learned_since_stays(void **state)
{
    struct server server = {0};
    (void)state;
    for (unsigned i = 0; i < LATENCY_KNOWN_MIN; i++) {
        server_on_sent(&server, NOW);
        server_hear(&server, 3 * MS, true, NOW);
    }
    struct server before = server;
    assert_true(server_take(&server, 0, NOW));
    assert_memory_equal(&server, &before, sizeof server);
    /* Asked, and not heard of yet: that it rested is past. */
    struct server asked = {0};
    server_on_sent(&asked, NOW);
    assert_true(server_take(&asked, 0, NOW));
    assert_false(server_is_resting(&asked));
    assert_true(latency_quantile(&asked.recent, 500) > 0);
}

static void test_nothing_to_remember(void **state)
{
    struct server server = {0};
    (void)state;
    assert_int_equal(memory_of_server(&server, NOW, bytes), 0);
    assert_int_equal(memory_weight(&server), 0);
    server = server_tried();
    assert_int_equal(memory_weight(&server), 400);
}

/* Whatever the bytes say, what comes of them is in range. */
static void test_any_bytes(void **state)
{
    struct random random;
    (void)state;
    random_init_seed(&random, 7);
    for (unsigned i = 0; i < 20000; i++) {
        struct server tried = server_tried();
        struct server server = {0};
        struct memory memory = {.bytes = bytes, .len = memory_of_server(&tried, NOW, bytes)};
        for (unsigned j = 0; j < i % 20; j++) {
            bytes[random_below(&random, sizeof bytes)] = (uint8_t)random_u16(&random);
        }
        memory.len -= i % 3 == 0 ? random_below(&random, (uint32_t)memory.len) : 0;
        (void)memory_to_server(&server, &memory, NOW);
        assert_in_range(server.latency_us, 0, 60 * SECOND);
        assert_in_range(server.recent.count, 0, LATENCY_WINDOW);
        assert_true(server.recent.total >= 0.0f && server.recent.total < LATENCY_WINDOW + 1);
        assert_true(server.plain_until <= NOW + SERVER_PLAIN_FOR_US);
        assert_true(server.manners.letters_lost_until <= NOW + MANNERS_FORGET_US);
        assert_in_range(server_hedge_delay(&server, 20), 0, SERVER_HEDGE_MAX_US);
    }
}

static void test_subjects_differ(void **state)
{
    struct settings_server settings = {
        .address = {.family = ADDRESS_IPV4, .bytes = {192, 0, 2, 1}, .port = 53}};
    uint8_t one[MEMORY_SUBJECT_SIZE];
    uint8_t other[MEMORY_SUBJECT_SIZE];
    (void)state;
    size_t len = memory_subject("a", &settings, one);
    assert_true(memory_is_about(one, len, "a", &settings));
    assert_false(memory_is_about(one, len, "b", &settings));
    assert_false(memory_is_about(one, len - 1, "a", &settings));
    assert_false(memory_is_about(one, 3, "a", &settings));
    assert_int_equal(memory_subject("b", &settings, other), len);
    assert_memory_not_equal(one, other, len);
    settings.address.port = 54;
    assert_false(memory_is_about(one, len, "a", &settings));
    assert_int_equal(memory_subject("a", &settings, other), len);
    assert_memory_not_equal(one, other, len);
    settings.address.port = 53;
    memset(settings.tls_name, 'n', sizeof settings.tls_name - 1);
    assert_int_equal(memory_subject("a", &settings, other), len + sizeof settings.tls_name - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments_later),
        cmocka_unit_test(test_fading),
        cmocka_unit_test(test_age_adds_up),
        cmocka_unit_test(test_what_was_learned_since_stays),
        cmocka_unit_test(test_nothing_to_remember),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_subjects_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
