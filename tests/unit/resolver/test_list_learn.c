/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/list_learn.h"

static struct list_learn learn;

static bool note(unsigned number, const char *zone, enum list_verdict verdict, int64_t now)
{
    char text[128];
    uint8_t name[NAME_SIZE_MAX];
    (void)snprintf(text, sizeof text, "%u.2.0.192.%s", number, zone);
    size_t len = name_of(text, name);
    size_t zone_at = len;
    uint8_t bare[NAME_SIZE_MAX];
    zone_at -= name_of(zone, bare);
    const struct list_learn_case seen = {name, len, zone_at, verdict};
    return list_learn_note(&learn, &seen, now);
}

/* How many different questions it takes; 0: it is not learned from 40. */
static unsigned questions_until_learned(
    const char *zone, enum list_verdict first, enum list_verdict others)
{
    memset(&learn, 0, sizeof learn);
    for (unsigned i = 0; i < 40; i++) {
        if (note(i, zone, i == 0 ? first : others, (int64_t)i)) {
            return i + 1;
        }
    }
    return 0;
}

static void test_what_is_a_list(void **state)
{
    (void)state;
    unsigned needed =
        questions_until_learned("bl.example.org", LIST_VERDICT_LISTED, LIST_VERDICT_NOT_LISTED);
    assert_in_range(needed, LIST_LEARN_SUBJECTS, LIST_LEARN_SUBJECTS + 4);
    assert_int_equal(
        questions_until_learned("dynamic.isp.example", LIST_VERDICT_PARKED, LIST_VERDICT_PARKED),
        0);
    assert_int_equal(
        questions_until_learned("dynamic.isp.example", LIST_VERDICT_PARKED, LIST_VERDICT_LISTED),
        0);
    assert_int_equal(questions_until_learned(
                         "none.isp.example", LIST_VERDICT_NOT_LISTED, LIST_VERDICT_NOT_LISTED),
        0);
}

static void test_one_question_is_one(void **state)
{
    (void)state;
    memset(&learn, 0, sizeof learn);
    for (unsigned i = 0; i < 100; i++) {
        assert_false(note(7, "bl.example.org", LIST_VERDICT_LISTED, (int64_t)i));
    }
}

/* More candidates than there is room: those that are still asked stay. */
static void test_the_oldest_makes_room(void **state)
{
    (void)state;
    memset(&learn, 0, sizeof learn);
    int64_t now = 0;
    bool is_learned = false;
    for (unsigned round = 0; round < 40; round++) {
        is_learned |= note(round, "bl.example.org", LIST_VERDICT_LISTED, now++);
        for (unsigned other = 0; other < LIST_LEARN_CANDIDATES / 2; other++) {
            char zone[64];
            (void)snprintf(zone, sizeof zone, "z%u-%u.example.net", round, other);
            assert_false(note(1, zone, LIST_VERDICT_LISTED, now++));
        }
    }
    assert_true(is_learned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_a_list),
        cmocka_unit_test(test_one_question_is_one),
        cmocka_unit_test(test_the_oldest_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
