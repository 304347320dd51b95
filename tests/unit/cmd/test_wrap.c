/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cmd/wrap.h"

static char data[1024];

static const char *wrap(const char *words, unsigned column, unsigned indent)
{
    struct text text;
    text_init(&text, data, sizeof data);
    wrap_add(&text, words, column, indent);
    return data;
}

static void test_short(void **state)
{
    (void)state;
    assert_string_equal(wrap("two words", 0, 4), "two words\n");
    assert_string_equal(wrap("", 0, 4), "\n");
    assert_string_equal(wrap("  many   blanks ", 0, 4), "many blanks\n");
}

/* The last column may be filled; one more begins a line. */
static void test_edge(void **state)
{
    (void)state;
    assert_string_equal(wrap("aaaa bbbb", 71, 2), "aaaa bbbb\n");
    assert_string_equal(wrap("aaaa bbbb", 72, 2), "aaaa\n  bbbb\n");
    assert_string_equal(wrap("aaaa bbbb cccc", 72, 2), "aaaa\n  bbbb cccc\n");
}

/* What fits nowhere stands in a line of its own. */
static void test_long_word(void **state)
{
    char words[128];
    (void)state;
    memset(words, 'x', 100);
    memcpy(words + 100, " y", 3);
    const char *wrapped = wrap(words, 0, 3);
    assert_int_equal(strcspn(wrapped, "\n"), 100);
    assert_string_equal(wrapped + 100, "\n   y\n");
}

/* Characters are counted, not bytes; and lines may be given. */
static void test_characters_and_lines(void **state)
{
    (void)state;
    assert_string_equal(wrap("\xc3\xa4\xc3\xa4 bbbb", 73, 2), "\xc3\xa4\xc3\xa4 bbbb\n");
    assert_string_equal(wrap("one\ntwo three", 0, 3), "one\n   two three\n");
    assert_string_equal(wrap("one \n\ntwo", 0, 1), "one\n \n two\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_edge),
        cmocka_unit_test(test_long_word),
        cmocka_unit_test(test_characters_and_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
