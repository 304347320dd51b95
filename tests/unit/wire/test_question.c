/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/question.h"

static const uint8_t question_bytes[] = "\2Mx\2aT\0\0\17\0\1";

static void test_read_and_write(void **state)
{
    struct reader reader = reader_of(question_bytes, sizeof(question_bytes) - 1);
    struct question question;
    uint8_t bytes[32];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    (void)state;
    assert_true(question_read(&reader, &question));
    assert_int_equal(question.name_len, 7);
    assert_int_equal(question.type, 15);
    assert_int_equal(question.class, 1);
    assert_int_equal(reader_left(&reader), 0);
    question_write(&writer, &question);
    assert_false(writer.is_cut);
    assert_int_equal(writer.len, sizeof(question_bytes) - 1);
    assert_memory_equal(bytes, question_bytes, writer.len);
}

/* Every shorter form is refused, and the reader stays where it was. */
static void test_cut_short(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(question_bytes) - 1; len++) {
        struct reader reader = reader_of(question_bytes, len);
        struct question question;
        assert_false(question_read(&reader, &question));
        assert_int_equal(reader.at, 0);
    }
}

static void test_no_pointers(void **state)
{
    static const uint8_t bytes[] = "\0\0\0\0\0\0\0\0\0\0\0\0\1a\0\1b\xc0\14\0\1\0\1";
    struct reader reader = reader_of(bytes, sizeof(bytes) - 1);
    struct question question;
    (void)state;
    reader.at = 15;
    assert_false(question_read(&reader, &question));
    assert_int_equal(reader.at, 15);
}

static void test_equal(void **state)
{
    const struct question asked = {.name = "\2mx\2at", .name_len = 7, .type = 15, .class = 1};
    const struct question same = {.name = "\2MX\2At", .name_len = 7, .type = 15, .class = 1};
    const struct question name = {.name = "\2my\2at", .name_len = 7, .type = 15, .class = 1};
    const struct question longer = {.name = "\3mxx\2at", .name_len = 8, .type = 15, .class = 1};
    const struct question type = {.name = "\2mx\2at", .name_len = 7, .type = 1, .class = 1};
    const struct question class = {.name = "\2mx\2at", .name_len = 7, .type = 15, .class = 3};
    (void)state;
    assert_true(question_equal(&asked, &same));
    assert_false(question_equal(&asked, &name));
    assert_false(question_equal(&asked, &longer));
    assert_false(question_equal(&asked, &type));
    assert_false(question_equal(&asked, &class));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_and_write),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_no_pointers),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
