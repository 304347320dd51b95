/* SPDX-License-Identifier: BSD-2-Clause */
#include "habits.h"

#include "mail/habit_private.h"

static uint8_t target_of(struct habit *habit, const char *zone)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    assert_true(name_from_text(zone, strlen(zone), name, &len));
    return habit_zone_target(habit, name, len);
}

static void test_zones(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    uint8_t first = target_of(habit, "zen.spamhaus.org");
    uint8_t second = target_of(habit, "bl.spamcop.net");
    assert_int_equal(first, SEQUEL_ASPECT_LIST);
    assert_int_equal(second, SEQUEL_ASPECT_LIST + 1);
    assert_int_equal(target_of(habit, "zen.spamhaus.org"), first);
    free(habit);
}

static void fill(struct habit *habit, unsigned uses)
{
    for (unsigned i = 0; i < HABIT_ZONES * uses; i++) {
        char zone[32];
        (void)snprintf(zone, sizeof zone, "list%u.example", i % HABIT_ZONES);
        assert_int_not_equal(target_of(habit, zone), HABIT_TARGET_NONE);
    }
}

/* Hosts of dial-up providers look like list questions, each of them once: they drive no list that
 * is in use out of its place. */
static void test_strangers_drive_nobody_out(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    fill(habit, 20);
    for (unsigned i = 0; i < 20; i++) {
        char zone[32];
        (void)snprintf(zone, sizeof zone, "dyn%u.isp.example", i);
        assert_int_equal(target_of(habit, zone), HABIT_TARGET_NONE);
    }
    assert_int_equal(target_of(habit, "list0.example"), SEQUEL_ASPECT_LIST);
    free(habit);
}

/* A new list that is asked often gets its place, and nothing of what was learned about the last one
 * that had it. */
static void test_new_list_gets_a_place(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    fill(habit, 2);
    habit->rows[3].asked[SEQUEL_ASPECT_LIST] = 7;
    habit->rows[SEQUEL_ASPECT_LIST].opened = 7;
    uint8_t target = HABIT_TARGET_NONE;
    for (unsigned i = 0; i < 200 && target == HABIT_TARGET_NONE; i++) {
        target = target_of(habit, "new.example");
    }
    assert_int_equal(target, SEQUEL_ASPECT_LIST);
    assert_int_equal(habit->rows[3].asked[target], 0);
    assert_int_equal(habit->rows[target].opened, 0);
    free(habit);
}

static void test_long_zone(void **state)
{
    struct habit *habit = habit_new(50);
    char zone[120];
    (void)state;
    memset(zone, 'a', sizeof zone);
    zone[50] = '.';
    zone[100] = '\0';
    assert_int_equal(target_of(habit, zone), HABIT_TARGET_NONE);
    free(habit);
}

static void test_uses_are_halved(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        (void)target_of(habit, "zen.spamhaus.org");
    }
    assert_true(habit->zones[0].uses > 100 && habit->zones[0].uses < 2000);
    free(habit);
}

static void test_selectors(void **state)
{
    struct habit *habit = habit_new(50);
    static const uint8_t labels[5][4] = {"\2s1", "\2s2", "\2s3", "\2s4", "\2s5"};
    (void)state;
    assert_null(habit_selector_at(habit, 1, 0));
    for (unsigned i = 0; i < 4; i++) {
        habit_selector_note(habit, 1, labels[i]);
        habit_selector_note(habit, 1, labels[i]);
    }
    assert_non_null(habit_selector_at(habit, 1, 3));
    assert_null(habit_selector_at(habit, 1, 4));
    assert_null(habit_selector_at(habit, 2, 0));
    /* The fifth takes the place of the one seen longest ago. */
    habit_selector_note(habit, 1, labels[0]);
    habit_selector_note(habit, 1, labels[4]);
    assert_memory_equal(habit_selector_at(habit, 1, 0), labels[0], 3);
    assert_memory_equal(habit_selector_at(habit, 1, 1), labels[4], 3);
    free(habit);
}

static void test_long_selector(void **state)
{
    struct habit *habit = habit_new(50);
    uint8_t label[64];
    (void)state;
    memset(label, 'a', sizeof label);
    label[0] = HABIT_LABEL_SIZE;
    habit_selector_note(habit, 1, label);
    assert_null(habit_selector_at(habit, 1, 0));
    label[0] = HABIT_LABEL_SIZE - 1;
    habit_selector_note(habit, 1, label);
    assert_non_null(habit_selector_at(habit, 1, 0));
    free(habit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_strangers_drive_nobody_out),
        cmocka_unit_test(test_new_list_gets_a_place),
        cmocka_unit_test(test_long_zone),
        cmocka_unit_test(test_uses_are_halved),
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_long_selector),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
