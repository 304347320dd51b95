/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/bench/policy.h"
#include "tests/unit/bench/policy_play.h"

static struct policy *capped_new(uint32_t slots, unsigned percent)
{
    const struct policy_room room = {.slots = slots, .names = PLAY_NAMES};
    const struct policy_cap cap = {policy_lru_new, policy_lru_new, percent};
    return policy_capped_new(&room, &cap);
}

/* Lists had what nobody wanted, and give it back until one is left; then each side makes room for
 * its own. */
static void test_cap_holds_when_room_is_short(void **state)
{
    char came[PLAY_NAMES];
    (void)state;
    play(capped_new(4, 25), 4, "ABCd ef g H e i", came);
    assert_string_equal(came, ".... AB d C + f");
}

static void test_lists_alone(void **state)
{
    char came[PLAY_NAMES];
    (void)state;
    play(capped_new(4, 100), 4, "ABCD Ee", came);
    assert_string_equal(came, ".... AB");
}

/* A share below one entry leaves the lists nothing but idle room. */
static void test_no_share(void **state)
{
    char came[PLAY_NAMES];
    (void)state;
    play(capped_new(3, 10), 3, "abA c D E f", came);
    assert_string_equal(came, "... A a D E");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cap_holds_when_room_is_short),
        cmocka_unit_test(test_lists_alone),
        cmocka_unit_test(test_no_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
