/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct item {
    int number;
    struct list link;
};

static int number_of(struct list *link)
{
    return list_entry(link, struct item, link)->number;
}

static void list_keeps_the_order(void **state)
{
    (void)state;
    struct list head;
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    list_init(&head);
    assert_true(list_is_empty(&head));
    assert_null(list_take_first(&head));
    list_append(&head, &items[1].link);
    list_append(&head, &items[2].link);
    list_prepend(&head, &items[0].link);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(number_of(list_take_first(&head)), i);
    }
    assert_true(list_is_empty(&head));
}

static void list_remove_is_harmless_twice(void **state)
{
    (void)state;
    struct list head;
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    list_init(&head);
    assert_false(list_is_linked(&items[0].link)); /* Zeroed. */
    list_remove(&items[0].link);
    for (int i = 0; i < 3; i++) {
        list_append(&head, &items[i].link);
    }
    assert_true(list_is_linked(&items[1].link));
    list_remove(&items[1].link);
    list_remove(&items[1].link);
    assert_false(list_is_linked(&items[1].link));
    assert_int_equal(number_of(list_take_first(&head)), 1);
    assert_int_equal(number_of(list_take_first(&head)), 3);
    assert_true(list_is_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_keeps_the_order),
        cmocka_unit_test(list_remove_is_harmless_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
