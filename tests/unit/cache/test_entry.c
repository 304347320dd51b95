/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/header.h"

#include "cache/entry.h"

#include "tests/unit/cache/fixture.h"

union entry_room {
    struct entry entry;
    uint8_t bytes[1024];
};

static void test_name_is_stored_once(void **state)
{
    (void)state;
    struct cache_key key = fixture_key(1);
    uint8_t message[HEADER_SIZE + 40] = {0};
    memcpy(message + HEADER_SIZE, key.name, key.name_len);
    struct cache_fill fill = fixture_fill(message, sizeof message, 60);
    union entry_room room;
    entry_fill(&room.entry, &key, &fill, FIXTURE_START);
    assert_int_equal(
        entry_bytes(&key, message, sizeof message), offsetof(struct entry, data) + sizeof message);
    assert_memory_equal(entry_message(&room.entry), message, sizeof message);
    assert_memory_equal(entry_name(&room.entry), key.name, key.name_len);
    assert_true(entry_has_key(&room.entry, &key));
}

static void test_name_beside_message(void **state)
{
    (void)state;
    /* Too short for a question, or with another name in it. */
    static const size_t lens[] = {0, 1, 12, 26, 27, 100};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct cache_key key = fixture_key(2);
        uint8_t message[100];
        fixture_message(9, message, sizeof message);
        struct cache_fill fill = fixture_fill(message, lens[i], 60);
        union entry_room room;
        entry_fill(&room.entry, &key, &fill, FIXTURE_START);
        assert_int_equal(entry_bytes(&key, message, lens[i]),
            offsetof(struct entry, data) + key.name_len + lens[i]);
        assert_memory_equal(entry_message(&room.entry), message, lens[i]);
        assert_memory_equal(entry_name(&room.entry), key.name, key.name_len);
    }
}

static void test_has_key(void **state)
{
    (void)state;
    struct cache_key key = fixture_key(3);
    key.checking_disabled = true;
    struct cache_fill fill = fixture_fill(NULL, 0, 60);
    union entry_room room;
    entry_fill(&room.entry, &key, &fill, FIXTURE_START);
    assert_true(entry_has_key(&room.entry, &key));
    struct cache_key others[5] = {key, key, key, key, key};
    others[0].name[1] = 'x';
    others[1].type++;
    others[2].class ++;
    others[3].wants_dnssec = true;
    others[4].checking_disabled = false;
    for (size_t i = 0; i < 5; i++) {
        assert_false(entry_has_key(&room.entry, &others[i]));
    }
}

struct state_case {
    enum cache_kind kind;
    int64_t after_us;
    enum entry_state expected;
};

/* All with a TTL of 10 s and stale_max of one hour. */
static const struct state_case state_cases[] = {
    {CACHE_KIND_ANSWER, 0, ENTRY_FRESH},
    {CACHE_KIND_ANSWER, -5, ENTRY_FRESH},
    {CACHE_KIND_ANSWER, 10 * FIXTURE_S - 1, ENTRY_FRESH},
    {CACHE_KIND_ANSWER, 10 * FIXTURE_S, ENTRY_STALE},
    {CACHE_KIND_ANSWER, 3610 * FIXTURE_S - 1, ENTRY_STALE},
    {CACHE_KIND_ANSWER, 3610 * FIXTURE_S, ENTRY_DEAD},
    {CACHE_KIND_NXDOMAIN, 310 * FIXTURE_S - 1, ENTRY_STALE},
    {CACHE_KIND_NXDOMAIN, 310 * FIXTURE_S, ENTRY_DEAD},
    {CACHE_KIND_FAILURE, 10 * FIXTURE_S - 1, ENTRY_FRESH},
    {CACHE_KIND_FAILURE, 10 * FIXTURE_S, ENTRY_SPENT},
    {CACHE_KIND_FAILURE, 70 * FIXTURE_S - 1, ENTRY_SPENT},
    {CACHE_KIND_FAILURE, 70 * FIXTURE_S, ENTRY_DEAD},
};

static void test_states(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof state_cases / sizeof state_cases[0]; i++) {
        const struct state_case *c = &state_cases[i];
        struct cache_key key = fixture_key(4);
        struct cache_fill fill = fixture_fill(NULL, 0, 10);
        fill.kind = c->kind;
        union entry_room room;
        entry_fill(&room.entry, &key, &fill, FIXTURE_START);
        assert_int_equal(entry_state_at(&room.entry, FIXTURE_START + c->after_us, 3600 * FIXTURE_S),
            c->expected);
    }
}

static void test_age(void **state)
{
    (void)state;
    struct cache_key key = fixture_key(5);
    struct cache_fill fill = fixture_fill(NULL, 0, 10);
    union entry_room room;
    entry_fill(&room.entry, &key, &fill, FIXTURE_START);
    assert_int_equal(entry_age_s(&room.entry, FIXTURE_START - 1), 0);
    assert_int_equal(entry_age_s(&room.entry, FIXTURE_START + FIXTURE_S - 1), 0);
    assert_int_equal(entry_age_s(&room.entry, FIXTURE_START + FIXTURE_S), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_name_is_stored_once),
        cmocka_unit_test(test_name_beside_message),
        cmocka_unit_test(test_has_key),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
