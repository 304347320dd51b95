/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "daemon/trouble.h"

static void test_set(void **state)
{
    struct trouble trouble = {.exit_code = 0};
    (void)state;
    trouble_set(&trouble, EX_CONFIG, "the %s has %d ends.", "stick", 2);
    assert_int_equal(trouble.exit_code, EX_CONFIG);
    assert_string_equal(trouble.sentence, "the stick has 2 ends.");
}

/* What is too long is cut, and ends where there is room. */
static void test_long_sentence(void **state)
{
    struct {
        struct trouble trouble;
        char behind;
    } room = {.behind = 'x'};
    char words[2 * TROUBLE_SENTENCE_SIZE];
    (void)state;
    memset(words, 'w', sizeof words);
    words[sizeof words - 1] = '\0';
    trouble_set(&room.trouble, EX_OSERR, "%s", words);
    assert_int_equal(strlen(room.trouble.sentence), TROUBLE_SENTENCE_SIZE - 1);
    assert_int_equal(room.trouble.exit_code, EX_OSERR);
    assert_int_equal(room.behind, 'x');
}

/* The remedy names settings that there are. */
static void test_memory(void **state)
{
    struct trouble trouble = {.exit_code = 0};
    (void)state;
    trouble_set_memory(&trouble);
    assert_int_equal(trouble.exit_code, EX_OSERR);
    assert_non_null(strstr(trouble.sentence, "`cache_size`"));
    assert_non_null(strstr(trouble.sentence, "`workers`"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_long_sentence),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
