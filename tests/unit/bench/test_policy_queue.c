/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bench/policy.h"
#include "tests/bench/policy_queue.h"

static void test_order(void **state)
{
    struct policy_link links[4];
    struct policy_queue queue = policy_queue_make(links);
    (void)state;
    for (uint32_t slot = 0; slot < 4; slot++) {
        policy_queue_push(&queue, slot);
    }
    policy_queue_remove(&queue, 1); /* From within, */
    policy_queue_remove(&queue, 0); /* the oldest, */
    policy_queue_remove(&queue, 3); /* the newest, */
    assert_int_equal(queue.oldest, 2);
    assert_int_equal(queue.newest, 2);
    assert_int_equal(queue.count, 1);
    policy_queue_remove(&queue, 2); /* and the last. */
    assert_int_equal(queue.oldest, POLICY_NONE);
    assert_int_equal(queue.newest, POLICY_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
