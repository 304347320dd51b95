/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/reply.h"

struct first_line_case {
    const char *text;
    bool is_whole;
    bool is_open;
    bool is_refused;
    const char *sentence;
};

static void test_the_first_line_decides(void **state)
{
    static const struct first_line_case cases[] = {
        {"ok\n.\n", true, true, false, ""},
        {"ok\nmore\n.\n", true, true, false, ""},
        {"error no room\nmore\n.\n", true, true, true, "no room"},
        {"error \n.\n", true, true, true, ""},
        {"okay\n.\n", true, false, false, ""},
        {"error\n.\n", true, false, false, ""},
        {"HTTP/1.1 400\n.\n", true, false, false, ""},
        {"\n.\n", true, false, false, ""},
        {"", false, false, false, ""},
        {".\n", false, false, false, ""},
        {"ok\n", false, false, false, ""},
        {"ok\n.", false, false, false, ""},
        {"ok\n.\nok\n", false, false, false, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reply reply = {.bytes = NULL};
        assert_true(reply_add(&reply, cases[i].text, strlen(cases[i].text)));
        assert_int_equal(reply_is_whole(&reply), cases[i].is_whole);
        if (cases[i].is_whole) {
            assert_int_equal(reply_open(&reply), cases[i].is_open);
            assert_int_equal(reply.is_refused, cases[i].is_refused);
            assert_string_equal(reply.sentence, cases[i].sentence);
        }
        reply_fini(&reply);
        assert_null(reply.bytes);
    }
}

static void test_lines_follow_up_to_the_dot(void **state)
{
    static const char text[] = "ok\nfirst line\n\n. no end\n.\n";
    struct reply reply = {.bytes = NULL};
    (void)state;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_false(reply_is_whole(&reply));
        assert_true(reply_add(&reply, text + i, 1));
    }
    assert_true(reply_is_whole(&reply));
    assert_true(reply_open(&reply));
    assert_string_equal(reply_next(&reply), "first line");
    assert_string_equal(reply_next(&reply), "");
    assert_string_equal(reply_next(&reply), ". no end");
    assert_null(reply_next(&reply));
    assert_null(reply_next(&reply));
    reply_fini(&reply);
}

static void test_nothing_unprintable_comes_through(void **state)
{
    static const char text[] = "ok\n\033[2J\0a\tb\xff\x7f~\n.\n";
    struct reply reply = {.bytes = NULL};
    (void)state;
    assert_true(reply_add(&reply, text, sizeof text - 1));
    assert_true(reply_open(&reply));
    assert_string_equal(reply_next(&reply), "?[2J?a?b??~");
    reply_fini(&reply);
}

static void test_an_endless_reply_is_refused(void **state)
{
    char *bytes = malloc(REPLY_SIZE_MAX);
    struct reply reply = {.bytes = NULL};
    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'x', REPLY_SIZE_MAX);
    assert_true(reply_add(&reply, bytes, REPLY_SIZE_MAX - 1));
    assert_true(reply_add(&reply, bytes, 1));
    assert_false(reply_add(&reply, bytes, 1));
    assert_false(reply_is_whole(&reply));
    assert_null(reply_next(&reply));
    reply_fini(&reply);
    free(bytes);
}

static void test_words(void **state)
{
    char line[] = "  one two   three four ";
    char empty[] = "   ";
    char *words[3];
    (void)state;
    assert_int_equal(reply_words(line, words, 3), 3);
    assert_string_equal(words[0], "one");
    assert_string_equal(words[1], "two");
    assert_string_equal(words[2], "three");
    assert_int_equal(reply_words(empty, words, 3), 0);
}

static void test_numbers_and_copies(void **state)
{
    uint64_t number = 0;
    char copy[4];
    (void)state;
    assert_true(reply_number("255", 255, &number));
    assert_int_equal(number, 255);
    assert_false(reply_number("256", 255, &number));
    assert_false(reply_number("-1", 255, &number));
    assert_false(reply_number("", 255, &number));
    assert_false(reply_number("1x", 255, &number));
    assert_true(reply_word_copy("abc", copy, sizeof copy));
    assert_string_equal(copy, "abc");
    assert_false(reply_word_copy("abcd", copy, sizeof copy));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_line_decides),
        cmocka_unit_test(test_lines_follow_up_to_the_dot),
        cmocka_unit_test(test_nothing_unprintable_comes_through),
        cmocka_unit_test(test_an_endless_reply_is_refused),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_numbers_and_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
