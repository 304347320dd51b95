/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/deadline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define COUNT 200

static void deadlines_fall_due_in_order(void **state)
{
    (void)state;
    struct deadlines deadlines;
    struct deadline items[COUNT] = {{.at = 0}};
    assert_true(deadlines_init(&deadlines, COUNT));
    assert_true(deadlines_next(&deadlines) == INT64_MAX);
    uint32_t dice = 5;
    for (int i = 0; i < COUNT; i++) {
        dice = dice * 1664525u + 1013904223u;
        items[i].id = (uint64_t)i;
        deadlines_set(&deadlines, &items[i], (int64_t)(dice >> 26)); /* 64 times: many ties. */
    }
    const struct deadline *before = NULL;
    for (int i = 0; i < COUNT; i++) {
        int64_t next = deadlines_next(&deadlines);
        assert_null(deadlines_take_due(&deadlines, next - 1));
        struct deadline *due = deadlines_take_due(&deadlines, next);
        assert_non_null(due);
        assert_true(due->at == next);
        assert_int_equal(due->position, 0);
        if (before != NULL) {
            assert_true(before->at <= due->at);
            assert_true(before->at < due->at || before->id < due->id); /* Ties: first set first. */
        }
        before = due;
    }
    assert_null(deadlines_take_due(&deadlines, INT64_MAX));
    assert_true(deadlines_next(&deadlines) == INT64_MAX);
    deadlines_fini(&deadlines);
}

static void deadlines_move_and_clear(void **state)
{
    (void)state;
    struct deadlines deadlines;
    struct deadline a = {.kind = 1};
    struct deadline b = {.kind = 2};
    struct deadline c = {.kind = 3};
    assert_true(deadlines_init(&deadlines, 3));
    deadlines_clear(&deadlines, &a); /* Not set: harmless. */
    deadlines_set(&deadlines, &a, 10);
    deadlines_set(&deadlines, &b, 20);
    deadlines_set(&deadlines, &c, 30);
    deadlines_set(&deadlines, &a, 40); /* Later. */
    deadlines_set(&deadlines, &c, 5);  /* Earlier. */
    assert_int_equal(deadlines.count, 3);
    assert_true(deadlines_next(&deadlines) == 5);
    deadlines_clear(&deadlines, &c);
    deadlines_clear(&deadlines, &c);
    assert_int_equal(deadlines_take_due(&deadlines, 100)->kind, 2);
    assert_int_equal(deadlines_take_due(&deadlines, 100)->kind, 1);
    assert_null(deadlines_take_due(&deadlines, 100));

    /* A move to the same time counts as set last. */
    deadlines_set(&deadlines, &a, 7);
    deadlines_set(&deadlines, &b, 7);
    deadlines_set(&deadlines, &a, 7);
    assert_ptr_equal(deadlines_take_due(&deadlines, 7), &b);
    assert_ptr_equal(deadlines_take_due(&deadlines, 7), &a);
    deadlines_fini(&deadlines);
}

/* The heap agrees with a plain search at each step of a long run of sets, moves and clears. */
static void deadlines_agree_with_a_search(void **state)
{
    (void)state;
    struct deadlines deadlines;
    struct deadline items[COUNT] = {{.at = 0}};
    assert_true(deadlines_init(&deadlines, COUNT));
    uint32_t dice = 11;
    for (int i = 0; i < 5000; i++) {
        dice = dice * 1664525u + 1013904223u;
        struct deadline *item = &items[(dice >> 8) % COUNT];
        if ((dice >> 30) == 0) {
            deadlines_clear(&deadlines, item);
        } else {
            deadlines_set(&deadlines, item, (int64_t)(dice >> 16 & 1023));
        }
        int64_t earliest = INT64_MAX;
        uint32_t count = 0;
        for (int j = 0; j < COUNT; j++) {
            count += items[j].position != 0 ? 1 : 0;
            if (items[j].position != 0 && items[j].at < earliest) {
                earliest = items[j].at;
            }
        }
        assert_int_equal(deadlines.count, count);
        assert_true(deadlines_next(&deadlines) == earliest);
    }
    deadlines_fini(&deadlines);
}

static void deadlines_fini_takes_anything(void **state)
{
    (void)state;
    struct deadlines zeroed = {.count = 0};
    deadlines_fini(&zeroed);
    deadlines_fini(NULL);
    assert_null(deadlines_take_due(&zeroed, INT64_MAX));
    assert_true(deadlines_init(&zeroed, 0));
    assert_true(deadlines_next(&zeroed) == INT64_MAX);
    deadlines_fini(&zeroed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_fall_due_in_order),
        cmocka_unit_test(deadlines_move_and_clear),
        cmocka_unit_test(deadlines_agree_with_a_search),
        cmocka_unit_test(deadlines_fini_takes_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
