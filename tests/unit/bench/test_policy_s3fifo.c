/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bench/policy.h"
#include "tests/unit/bench/policy_play.h"

/* Small, main and the hits, step by step:
 *   e: a goes on to main, b leaves small and is remembered. b: c leaves; b is known, so main.
 *   f: d leaves. c: e leaves; three have left since c, it is forgotten, so small. g: f leaves.
 *   h: c leaves. i: g and h go on to main, where a was never hit and leaves.
 *   j: i goes on, b has a second chance, g leaves main. */
static void test_three_queues(void **state)
{
    const struct policy_room room = {.slots = 4, .names = PLAY_NAMES};
    char came[PLAY_NAMES];
    (void)state;
    play(policy_s3fifo_new(&room), room.slots, "abcd a e b f c g h gh i b i j", came);
    assert_string_equal(came, ".... + b c d e f c ++ a + + g");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_queues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
