/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bench/policy.h"
#include "tests/unit/bench/policy_play.h"

static void test_oldest_use_goes(void **state)
{
    const struct policy_room room = {.slots = 3, .names = PLAY_NAMES};
    char came[PLAY_NAMES];
    (void)state;
    play(policy_lru_new(&room), room.slots, "abc a dbc", came);
    assert_string_equal(came, "... + bca");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oldest_use_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
