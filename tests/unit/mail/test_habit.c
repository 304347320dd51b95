/* SPDX-License-Identifier: BSD-2-Clause */
#include "habits.h"

#define LIST_FIRST SEQUEL_ASPECT_LIST

static const char stranger[] = "9.9.0.192.zen.spamhaus.org";

static void test_once_is_no_habit(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    session(habit, 0, 100, 0);
    struct habit_visit seen = visit(habit, stranger, TYPE_A, 0);
    assert_true(seen.is_first);
    assert_int_equal(habit_wanted(habit, seen.subject), 0);
    free(habit);
}

static void test_twice_is(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    session(habit, 0, 100, 0);
    session(habit, 1, 100, 0);
    struct habit_visit seen = visit(habit, stranger, TYPE_A, 0);
    assert_true(wants(habit, &seen, SEQUEL_ASPECT_PTR));
    assert_false(wants(habit, &seen, SEQUEL_ASPECT_MX));
    assert_false(wants(habit, &seen, LIST_FIRST)); /* It has just been asked. */
    free(habit);
}

static void test_second_question_is_not_first(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    (void)visit(habit, stranger, TYPE_A, 0);
    assert_false(visit(habit, "9.9.0.192.in-addr.arpa", TYPE_PTR, SECOND).is_first);
    assert_false(visit(habit, stranger, TYPE_A, HABIT_LIFE_US - 1).is_first);
    assert_true(visit(habit, stranger, TYPE_A, HABIT_LIFE_US).is_first);
    free(habit);
}

/* What is asked of one subject in three is no habit at 50 per cent, and one at 30. */
static void test_worth_is_a_share(void **state)
{
    static const struct {
        unsigned percent;
        unsigned worth;
        bool is_wanted;
    } rows[] = {{33, 50, false}, {33, 30, true}, {60, 50, true}, {90, 95, false}, {100, 100, true}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct habit *habit = habit_new(rows[i].worth);
        for (unsigned number = 0; number < 200; number++) {
            session(habit, number, rows[i].percent, number * SECOND / 4);
        }
        struct habit_visit seen = visit(habit, stranger, TYPE_A, 60 * SECOND);
        assert_int_equal(wants(habit, &seen, SEQUEL_ASPECT_PTR), rows[i].is_wanted);
        free(habit);
    }
}

/* How a subject is met tells what will be asked about it: a relay is asked about at other lists. */
static void test_contexts_are_apart(void **state)
{
    struct habit *habit = habit_new(50);
    char name[64];
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        session(habit, i, 100, 0);
        (void)snprintf(name, sizeof name, "%u.1.0.203.psbl.surriel.com", i);
        (void)visit(habit, name, TYPE_A, 0);
        (void)snprintf(name, sizeof name, "%u.1.0.203.bl.mailspike.net", i);
        (void)visit(habit, name, TYPE_A, 0);
    }
    struct habit_visit client = visit(habit, stranger, TYPE_A, 0);
    assert_true(wants(habit, &client, SEQUEL_ASPECT_PTR));
    assert_false(wants(habit, &client, LIST_FIRST + 1));
    assert_false(wants(habit, &client, LIST_FIRST + 2));
    struct habit_visit relay = visit(habit, "9.9.0.192.psbl.surriel.com", TYPE_A, HABIT_LIFE_US);
    assert_true(relay.is_first);
    assert_false(wants(habit, &relay, SEQUEL_ASPECT_PTR));
    assert_false(wants(habit, &relay, LIST_FIRST));
    assert_true(wants(habit, &relay, LIST_FIRST + 2));
    free(habit);
}

/* Many sessions begin in one instant: that they have not got far yet is no evidence. */
static void test_young_sessions_do_not_count_against(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    for (unsigned number = 0; number < 100; number++) {
        session(habit, number, 30, 0);
    }
    struct habit_visit seen = visit(habit, stranger, TYPE_A, SECOND);
    assert_true(wants(habit, &seen, SEQUEL_ASPECT_PTR));
    for (unsigned i = 0; i < 40; i++) {
        seen = visit(habit, stranger, TYPE_A, HABIT_MATURE_US + SECOND);
    }
    assert_false(wants(habit, &seen, SEQUEL_ASPECT_PTR));
    free(habit);
}

static void test_old_habits_fade(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    for (unsigned number = 0; number < 2000; number++) {
        session(habit, number, number < 600 ? 100 : 0, number * SECOND / 10);
    }
    struct habit_visit seen = visit(habit, stranger, TYPE_A, 400 * SECOND);
    assert_false(wants(habit, &seen, SEQUEL_ASPECT_PTR));
    free(habit);
}

static void test_dnssec_as_last_asked(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    (void)visit(habit, "a.example", TYPE_MX, 0);
    (void)visit(habit, "+a.example", TYPE_A, 0);
    (void)visit(habit, "a.example", TYPE_AAAA, 0);
    struct habit_visit seen = visit(habit, "b.example", TYPE_MX, 0);
    assert_true(habit_wants_dnssec(habit, seen.subject, SEQUEL_ASPECT_A));
    assert_false(habit_wants_dnssec(habit, seen.subject, SEQUEL_ASPECT_AAAA));
    free(habit);
}

static void test_compose(void **state)
{
    struct habit *habit = habit_new(50);
    struct asked asked;
    struct sequel_next next;
    (void)state;
    (void)visit(habit, "8.8.0.192.bl.own.example", TYPE_A, 0);
    (void)visit(habit, "s1._domainkey.example.com", TYPE_TXT, 0);
    (void)visit(habit, "s2._domainkey.example.com", TYPE_TXT, 0);
    ask(&asked, stranger, TYPE_A);
    assert_true(habit_compose(habit, &asked.subject, LIST_FIRST, 0, &next));
    assert_next(&next, SEQUEL_CLIENT_LIST, "9.9.0.192.bl.own.example.", TYPE_A);
    assert_false(habit_compose(habit, &asked.subject, LIST_FIRST, 1, &next));
    assert_false(habit_compose(habit, &asked.subject, LIST_FIRST + 1, 0, &next));
    assert_true(habit_compose(habit, &asked.subject, SEQUEL_ASPECT_PTR, 0, &next));
    assert_next(&next, SEQUEL_CLIENT_PTR, "9.9.0.192.in-addr.arpa.", TYPE_PTR);
    assert_false(habit_compose(habit, &asked.subject, SEQUEL_ASPECT_MX, 0, &next));
    ask(&asked, "example.com", TYPE_MX);
    assert_true(habit_compose(habit, &asked.subject, SEQUEL_ASPECT_DKIM, 0, &next));
    assert_true(habit_compose(habit, &asked.subject, SEQUEL_ASPECT_DKIM, 1, &next));
    assert_false(habit_compose(habit, &asked.subject, SEQUEL_ASPECT_DKIM, 2, &next));
    ask(&asked, "example.net", TYPE_MX);
    assert_false(habit_compose(habit, &asked.subject, SEQUEL_ASPECT_DKIM, 0, &next));
    free(habit);
}

/* ---- What answers foretell ---- */

static struct habit_record *foretell(
    struct habit *habit, const char *name, int64_t now, bool *is_wanted_out)
{
    struct sequel_next next = {.step = SEQUEL_MX_A, .type = TYPE_A};
    size_t len = 0;
    assert_true(name_from_text(name, strlen(name), next.name, &len));
    next.name_len = (uint8_t)len;
    return habit_foretell(habit, &next, now, is_wanted_out);
}

static void test_foretold_by_evidence(void **state)
{
    struct habit *habit = habit_new(50);
    bool is_wanted;
    (void)state;
    (void)foretell(habit, "mx1.example", 0, &is_wanted);
    assert_false(is_wanted);
    assert_non_null(visit(habit, "mx1.example", TYPE_A, 0).question);
    assert_null(visit(habit, "mx1.example", TYPE_AAAA, 0).question);
    (void)foretell(habit, "mx2.example", 0, &is_wanted);
    assert_false(is_wanted);
    (void)visit(habit, "mx2.example", TYPE_A, 0);
    struct habit_record *record = foretell(habit, "mx3.example", 0, &is_wanted);
    assert_true(is_wanted);
    habit_on_asked(record, 0);
    (void)foretell(habit, "mx3.example", SECOND, &is_wanted);
    assert_false(is_wanted);
    free(habit);
}

static void test_followed_once(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    struct habit_visit seen = visit(habit, "a.example", TYPE_MX, 0);
    assert_true(habit_may_follow(seen.subject, SEQUEL_ASPECT_MX));
    assert_false(habit_may_follow(seen.subject, SEQUEL_ASPECT_MX));
    assert_true(habit_may_follow(seen.subject, SEQUEL_ASPECT_TXT));
    assert_false(habit_may_follow(seen.subject, SEQUEL_ASPECT_A));
    free(habit);
}

/* ---- Worth ---- */

/* Asks `count` hosts ahead, of which a client finds `used`, and lets their time pass. */
static unsigned play_hosts(
    struct habit *habit, unsigned count, unsigned used, unsigned first, int64_t now)
{
    unsigned asked = 0;
    for (unsigned i = 0; i < count; i++) {
        char name[32];
        bool is_wanted;
        (void)snprintf(name, sizeof name, "mx%u.example", first + i);
        struct habit_record *record = foretell(habit, name, now, &is_wanted);
        if (is_wanted) {
            habit_on_asked(record, 0);
            asked++;
        }
        struct habit_visit seen = visit(habit, name, TYPE_A, now);
        if (i < used) {
            habit_on_used(&seen);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        (void)visit(habit, "b.example", TYPE_MX, now + HABIT_LIFE_US + SECOND);
    }
    return asked;
}

/* The host asks them all; but what was asked ahead is not what it finds. */
static void test_switched_off_below_worth(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    assert_true(habit_step_is_on(habit, SEQUEL_MX_A));
    assert_int_equal(play_hosts(habit, 102, 40, 0, 0), 100);
    assert_false(habit_step_is_on(habit, SEQUEL_MX_A));
    assert_true(habit_step_is_on(habit, SEQUEL_MX_AAAA));
    /* Now only one in thirty-two is tried; when these are used, it is on again. */
    assert_int_equal(play_hosts(habit, 96, 96, 200, 60 * SECOND), 3);
    for (unsigned i = 0; i < 40; i++) {
        (void)play_hosts(habit, 96, 96, 400 + 100 * i, (100 + 40 * (int64_t)i) * SECOND);
    }
    assert_true(habit_step_is_on(habit, SEQUEL_MX_A));
    free(habit);
}

/* More subjects than the ring has room for, in one instant: the oldest give way, and count. */
static void test_ring_overflows(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    for (unsigned number = 0; number < 3 * HABIT_RECORDS; number++) {
        char name[32];
        (void)snprintf(name, sizeof name, "d%u.example", number);
        (void)visit(habit, name, TYPE_MX, 0);
    }
    assert_true(visit(habit, "d0.example", TYPE_MX, 0).is_first);
    assert_false(visit(habit, "d49151.example", TYPE_MX, 0).is_first);
    (void)visit(habit, "e.example", TYPE_MX, 3 * HABIT_LIFE_US);
    free(habit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once_is_no_habit),
        cmocka_unit_test(test_twice_is),
        cmocka_unit_test(test_second_question_is_not_first),
        cmocka_unit_test(test_worth_is_a_share),
        cmocka_unit_test(test_contexts_are_apart),
        cmocka_unit_test(test_young_sessions_do_not_count_against),
        cmocka_unit_test(test_old_habits_fade),
        cmocka_unit_test(test_dnssec_as_last_asked),
        cmocka_unit_test(test_compose),
        cmocka_unit_test(test_foretold_by_evidence),
        cmocka_unit_test(test_followed_once),
        cmocka_unit_test(test_switched_off_below_worth),
        cmocka_unit_test(test_ring_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
