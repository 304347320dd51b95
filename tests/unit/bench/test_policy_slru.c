/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bench/policy.h"
#include "tests/unit/bench/policy_play.h"

/* Protected by its hit, a stays while b, c and others make room; with d, g and h protected too
 * there is room for one on probation; when that one is hit, a falls back and is alone there. */
static void test_hits_protect_until_four_fifths(void **state)
{
    const struct policy_room room = {.slots = 5, .names = PLAY_NAMES};
    char came[PLAY_NAMES];
    (void)state;
    play(policy_slru_new(&room), room.slots, "abcde a fg d hi gh kl l j", came);
    assert_string_equal(came, "..... + bc + ef ++ ik + a");
}

/* With nothing on probation the oldest of the protected goes. */
static void test_all_protected(void **state)
{
    const struct policy_room room = {.slots = 5, .names = PLAY_NAMES};
    char came[PLAY_NAMES];
    (void)state;
    play(policy_slru_new(&room), room.slots, "abcde abcde f fg", came);
    assert_string_equal(came, "..... +++++ a +b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hits_protect_until_four_fifths),
        cmocka_unit_test(test_all_protected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
