/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/name.h"

#include "packet.h"

static void test_both_ways(void **state)
{
    static const struct {
        const char *text;
        const char *written; /* As it comes back. */
        size_t len;
    } cases[] = {
        {".", ".", 1},
        {"com", "com.", 5},
        {"mx.Example.com.", "mx.Example.com.", 16},
        {"a\\.b.c.", "a\\.b.c.", 7},
        {"a\\\\b.", "a\\\\b.", 5},
        {"\\000\\255.", "\\000\\255.", 4},
        {"\\097.", "a.", 3},
        {"\\a.", "a.", 3},
        {"a b.", "a\\032b.", 5},
        {"*._tcp.x", "*._tcp.x.", 10},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t name[NAME_SIZE_MAX];
        char text[NAME_TEXT_SIZE];
        size_t len = packet_name(cases[i].text, name);
        assert_int_equal(len, cases[i].len);
        assert_true(name_is_valid(name, len));
        assert_int_equal(name_to_text(name, len, text, sizeof(text)), strlen(cases[i].written));
        assert_string_equal(text, cases[i].written);
    }
}

static void test_not_names(void **state)
{
    static const char *const cases[] = {
        "",
        "..",
        ".com",
        "a..b",
        "a.b..",
        "a\\",
        "a\\1",
        "a\\12x",
        "a\\256",
        "1234567890123456789012345678901234567890123456789012345678901234.",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t name[NAME_SIZE_MAX];
        size_t len = 4711;
        packet_expect(!name_from_text(cases[i], strlen(cases[i]), name, &len), cases[i]);
        assert_int_equal(len, 4711);
    }
}

/* 127 labels of one byte make the longest name; its text with escapes is the longest text. */
static void test_longest(void **state)
{
    char text[NAME_TEXT_SIZE];
    char back[NAME_TEXT_SIZE];
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    (void)state;
    for (size_t i = 0; i < NAME_LABELS_MAX + 1; i++) {
        memcpy(text + 5 * i, "\\001.", 6);
    }
    assert_false(name_from_text(text, 5 * (NAME_LABELS_MAX + 1), name, &len));
    assert_true(name_from_text(text, 5 * NAME_LABELS_MAX, name, &len));
    assert_int_equal(len, NAME_SIZE_MAX);
    assert_int_equal(name_to_text(name, len, back, sizeof(back)), 5 * NAME_LABELS_MAX);

    uint8_t wide[NAME_SIZE_MAX] = {0};
    memset(wide, 0xff, sizeof(wide));
    wide[0] = wide[64] = wide[128] = 63;
    wide[192] = 61;
    wide[254] = 0;
    assert_true(name_is_valid(wide, sizeof(wide)));
    assert_true(name_to_text(wide, sizeof(wide), back, sizeof(back)) < NAME_TEXT_SIZE);
    assert_true(name_from_text(back, strlen(back), name, &len));
    assert_int_equal(len, sizeof(wide));
    assert_memory_equal(name, wide, len);
}

static void test_cut(void **state)
{
    static const struct {
        size_t size;
        const char *text;
    } cases[] = {
        {13, "example.com."},
        {12, "example...."},
        {8, "exam..."},
        {5, "e..."},
        {4, "..."},
        {3, ".."},
        {1, ""},
    };
    uint8_t name[NAME_SIZE_MAX];
    size_t len = packet_name("example.com.", name);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[20];
        memset(text, 'x', sizeof(text));
        assert_int_equal(name_to_text(name, len, text, cases[i].size), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
    assert_int_equal(name_to_text(name, len, NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_not_names),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
