/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cache/entry.h"
#include "cache/packed.h"

#include "tests/unit/cache/fixture.h"

union entry_room {
    struct entry entry;
    uint8_t bytes[1024];
};

static void fill_room(
    union entry_room *room, const struct cache_key *key, const struct cache_fill *fill, int64_t now)
{
    struct packed packed;
    packed_fold(key, fill, &packed);
    assert_true(entry_bytes(key, &packed) <= sizeof *room);
    entry_fill(&room->entry, key, fill, &packed, now);
}

static void test_parts(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 12, 26, 27, 100};
    static const uint16_t classes[] = {1, 3, 255};
    for (size_t i = 0; i < 18; i++) {
        struct cache_key key = fixture_key(2);
        uint8_t message[100];
        size_t len = lens[i % 6];
        fixture_message(9, message, sizeof message);
        key.class = classes[i / 6];
        struct cache_fill fill = fixture_fill(message, len, 60);
        struct packed packed;
        union entry_room room;
        packed_fold(&key, &fill, &packed);
        entry_fill(&room.entry, &key, &fill, &packed, FIXTURE_START);
        assert_int_equal(entry_bytes(&key, &packed),
            offsetof(struct entry, data) + (key.class == 1 ? 0 : 2) + key.name_len + len);
        assert_int_equal(entry_class(&room.entry), key.class);
        assert_memory_equal(entry_name(&room.entry), key.name, key.name_len);
        assert_memory_equal(entry_body(&room.entry), message, len);
    }
}

/* How it came to be: kept beside all other flags, and what it cost until a refresh is told of. */
static void test_birth(void **state)
{
    struct cache_key key = fixture_key(3);
    (void)state;
    key.wants_dnssec = true;
    for (unsigned reason = 0; reason < CACHE_REASONS; reason++) {
        struct cache_fill fill = fixture_fill(NULL, 0, 100);
        fill.is_list = true;
        fill.birth = (struct cache_birth){.reason = (enum cache_reason)reason, .cost_us = 43210};
        union entry_room room;
        fill_room(&room, &key, &fill, FIXTURE_START);
        struct cache_birth birth = entry_birth(&room.entry);
        assert_int_equal(birth.reason, reason);
        assert_int_equal(birth.cost_us, 43210);
        assert_true(entry_has_place(&room.entry, &key));
        assert_true((room.entry.flags & ENTRY_IS_LIST) != 0);
        entry_note_hit(&room.entry);
        assert_false(entry_is_failing(&room.entry, FIXTURE_START));
        assert_true(entry_is_refresh_due(&room.entry, FIXTURE_START + 95 * FIXTURE_S));
        entry_note_asked(&room.entry, ENTRY_WAS_TOLD, FIXTURE_START + 95 * FIXTURE_S);
        birth = entry_birth(&room.entry);
        assert_int_equal(birth.reason, reason);
        assert_int_equal(birth.cost_us, 0);
    }
}

static void test_has_place(void **state)
{
    (void)state;
    struct cache_key key = fixture_key(3);
    key.checking_disabled = true;
    struct cache_fill fill = fixture_fill(NULL, 0, 60);
    union entry_room room;
    fill_room(&room, &key, &fill, FIXTURE_START);
    assert_true(entry_has_place(&room.entry, &key));
    struct cache_key others[5] = {key, key, key, key, key};
    others[0].name[1] = 'x';
    others[1].name_len--;
    others[2].class ++;
    others[3].wants_dnssec = true;
    others[4].checking_disabled = false;
    for (size_t i = 0; i < 5; i++) {
        assert_false(entry_has_place(&room.entry, &others[i]));
    }
    struct cache_key other_type = key;
    other_type.type++;
    assert_true(entry_has_place(&room.entry, &other_type));
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
        fill_room(&room, &key, &fill, FIXTURE_START);
        assert_int_equal(entry_state_at(&room.entry, FIXTURE_START + c->after_us, 3600 * FIXTURE_S),
            c->expected);
    }
}

/* Times are kept in ticks: an entry may seem up to a tick older than it is, never younger, over
 * more than a year, and whatever the clock's own value. */
static void test_age(void **state)
{
    (void)state;
    static const int64_t starts[] = {
        0, FIXTURE_START, FIXTURE_START + 1, INT64_C(0xffffffff) * ENTRY_TICK_US, INT64_C(1) << 60};
    static const int64_t ages[] = {0, 1, ENTRY_TICK_US, FIXTURE_S, 400 * INT64_C(86400) * FIXTURE_S,
        700 * INT64_C(86400) * FIXTURE_S};
    struct cache_key key = fixture_key(5);
    struct cache_fill fill = fixture_fill(NULL, 0, 10);
    for (size_t i = 0; i < 30; i++) {
        int64_t start = starts[i % 5];
        int64_t age = ages[i / 5];
        union entry_room room;
        fill_room(&room, &key, &fill, start);
        assert_in_range(entry_age_us(&room.entry, start + age) - age, 0, start % ENTRY_TICK_US + 1);
        assert_in_range(entry_age_s(&room.entry, start + age), age / FIXTURE_S,
            (age + ENTRY_TICK_US) / FIXTURE_S);
    }
    union entry_room room;
    fill_room(&room, &key, &fill, FIXTURE_START);
    assert_int_equal(entry_age_us(&room.entry, FIXTURE_START - 70), -70);
    assert_int_equal(entry_age_us(&room.entry, FIXTURE_START - 60 * FIXTURE_S), -60 * FIXTURE_S);
    assert_int_equal(entry_age_s(&room.entry, FIXTURE_START - 1), 0);
    assert_int_equal(entry_age_s(&room.entry, FIXTURE_START + FIXTURE_S - 1), 0);
    assert_int_equal(entry_age_s(&room.entry, FIXTURE_START + FIXTURE_S), 1);
}

static void test_hits_stay_at_their_greatest(void **state)
{
    (void)state;
    struct cache_key key = fixture_key(6);
    struct cache_fill fill = fixture_fill(NULL, 0, 10);
    union entry_room room;
    fill.ahead = CACHE_AHEAD_MAX;
    fill_room(&room, &key, &fill, FIXTURE_START);
    assert_int_equal(room.entry.ahead, CACHE_AHEAD_MAX);
    for (unsigned i = 1; i <= 70000; i++) {
        entry_note_hit(&room.entry);
        assert_int_equal(room.entry.hits, i < UINT16_MAX ? i : UINT16_MAX);
        assert_int_equal(room.entry.ahead, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_birth),
        cmocka_unit_test(test_has_place),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_hits_stay_at_their_greatest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
