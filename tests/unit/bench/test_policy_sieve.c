/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bench/policy.h"
#include "tests/unit/bench/policy_play.h"

/* The hand clears a and takes b; goes on to c; clears d and takes e; begins anew, clears a and
 * takes d. */
static void test_hand_passes_over_the_hit(void **state)
{
    const struct policy_room room = {.slots = 3, .names = PLAY_NAMES};
    char came[PLAY_NAMES];
    (void)state;
    play(policy_sieve_new(&room), room.slots, "abc ad ae df g", came);
    assert_string_equal(came, "... +b +c +e d");
}

/* All were hit: the hand comes round to where it began. */
static void test_all_hit(void **state)
{
    const struct policy_room room = {.slots = 3, .names = PLAY_NAMES};
    char came[PLAY_NAMES];
    (void)state;
    play(policy_sieve_new(&room), room.slots, "abc abc d e", came);
    assert_string_equal(came, "... +++ a b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hand_passes_over_the_hit),
        cmocka_unit_test(test_all_hit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
