/* SPDX-License-Identifier: BSD-2-Clause */
#include "habits.h"

#include "mail/habit_save.h"

static uint8_t bytes[HABIT_SAVE_MAX];
static uint8_t again[HABIT_SAVE_MAX];

static struct habit *habit_trained(void)
{
    struct habit *habit = habit_new(50);
    for (unsigned number = 0; number < 100; number++) {
        session(habit, number, 100, number * SECOND / 4);
    }
    (void)visit(habit, "s1._domainkey.example.com", TYPE_TXT, 60 * SECOND);
    return habit;
}

static void test_a_restart_keeps_habits(void **state)
{
    struct habit *before = habit_trained();
    struct habit *after = habit_new(40);
    struct asked asked;
    struct sequel_next next;
    (void)state;
    size_t len = habit_save(before, bytes, sizeof bytes);
    assert_true(len > 0);
    assert_true(habit_load(after, bytes, len));
    assert_int_equal(after->worth, 40);
    struct habit_visit seen = visit(after, "9.9.0.192.zen.spamhaus.org", TYPE_A, 0);
    assert_true(wants(after, &seen, SEQUEL_ASPECT_PTR));
    ask(&asked, "example.com", TYPE_MX);
    assert_true(habit_compose(after, &asked.subject, SEQUEL_ASPECT_DKIM, 0, &next));
    free(before);
    free(after);
}

/* What is saved and loaded is saved as the same bytes. */
static void test_same_again(void **state)
{
    struct habit *before = habit_trained();
    struct habit *after = habit_new(50);
    (void)state;
    size_t len = habit_save(before, bytes, sizeof bytes);
    assert_true(habit_load(after, bytes, len));
    assert_int_equal(habit_save(after, again, sizeof again), len);
    assert_memory_equal(bytes, again, len);
    free(before);
    free(after);
}

static void test_too_small(void **state)
{
    struct habit *habit = habit_trained();
    (void)state;
    size_t len = habit_save(habit, bytes, sizeof bytes);
    for (size_t size = 0; size < len; size += 7) {
        size_t saved = habit_save(habit, again, size);
        assert_true(saved <= size);
        assert_true(saved == 0 || habit_load(habit, again, saved));
    }
    assert_int_equal(habit_save(habit, again, 100), 0);
    free(habit);
}

/* All tables full: there is room for half of the selectors at least. */
static void test_largest(void **state)
{
    struct habit *habit = habit_new(50);
    (void)state;
    for (unsigned i = 0; i < HABIT_ZONES; i++) {
        memset(habit->zones[i].name, 1, HABIT_ZONE_SIZE);
        habit->zones[i].len = HABIT_ZONE_SIZE;
    }
    for (unsigned i = 0; i < HABIT_ROWS; i++) {
        habit->rows[i].matured = 1;
    }
    for (unsigned i = 0; i < HABIT_SELECTORS; i++) {
        habit->selectors[i].tag = 1;
        habit->selectors[i].label[0] = HABIT_LABEL_SIZE - 1;
    }
    assert_true(habit_save(habit, bytes, sizeof bytes) > 0);
    free(habit);
}

/* Cut short, with a byte more, or with any byte changed: refused, or something that can be saved
 * again; and a refusal changes nothing. */
static void test_damaged(void **state)
{
    struct habit *habit = habit_trained();
    struct habit *other = habit_new(50);
    (void)state;
    size_t len = habit_save(habit, bytes, sizeof bytes);
    memcpy(again, bytes, len);
    again[len] = 0;
    for (size_t cut = 0; cut < len; cut += 5) {
        assert_false(habit_load(other, again, cut));
    }
    assert_false(habit_load(other, again, len + 1));
    assert_int_equal(other->rows[SEQUEL_ASPECT_LIST].matured, 0);
    for (size_t at = 0; at < len; at += 3) {
        again[at] ^= 0xff;
        if (habit_load(other, again, len)) {
            (void)visit(other, "9.9.0.192.zen.spamhaus.org", TYPE_A, 0);
            assert_true(habit_save(other, bytes, sizeof bytes) > 0);
        }
        again[at] ^= 0xff;
    }
    again[5] ^= 0xff; /* The version. */
    assert_false(habit_load(other, again, len));
    free(habit);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_restart_keeps_habits),
        cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
