/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "doctor/capture_ladder.h"

static void add(
    struct capture_ladder *ladder, int64_t at_us, enum capture_side side, const char *words)
{
    const struct capture_stroke stroke = {at_us, side, CAPTURE_SERVER};
    capture_ladder_add(ladder, &stroke, words, strlen(words));
}

static void draw(const struct capture_ladder *ladder, char *lines, size_t size)
{
    static const char *const names[CAPTURE_SIDES] = {"client a", "server b"};
    struct text text;
    text_init(&text, lines, size);
    capture_ladder_draw(ladder, names, &text);
    assert_false(text.is_cut);
}

static void test_drawing(void **state)
{
    char lines[2000];
    struct capture_ladder ladder = {0};
    const struct capture_stroke stroke = {7500000, CAPTURE_CLIENT, CAPTURE_CLIENT};
    (void)state;
    add(&ladder, 5000000, CAPTURE_CLIENT, "SYN");
    add(&ladder, 5100000, CAPTURE_CLIENT, "SYN");
    add(&ladder, 7400000, CAPTURE_SERVER, "220 a greeting that is longer than its column");
    capture_ladder_add_bytes(&ladder, &stroke, "message", 1000);
    capture_ladder_add_bytes(&ladder, &stroke, "message", 234);
    draw(&ladder, lines, sizeof lines);
    assert_string_equal(lines,
        " seconds client a                           server b\n"
        "   0.000 SYN, 2 times                   -->\n"
        "                        : 2.3 s, the server's turn\n"
        "   2.400                                <-- 220 a greeting that is longer \n"
        "                                            than its column\n"
        "   2.500 message, 1234 bytes            -->\n");
}

/* The first and the last are kept. */
static void test_many(void **state)
{
    char lines[16000];
    char words[16];
    struct capture_ladder ladder = {0};
    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(words, sizeof words, "line %d", i);
        add(&ladder, i * 10, CAPTURE_CLIENT, words);
    }
    draw(&ladder, lines, sizeof lines);
    assert_non_null(strstr(lines, "line 0 "));
    assert_non_null(strstr(lines, "line 27 "));
    assert_null(strstr(lines, "line 28 "));
    assert_non_null(strstr(lines, "(48 lines left out)"));
    assert_null(strstr(lines, "line 75 "));
    assert_non_null(strstr(lines, "line 76 "));
    assert_non_null(strstr(lines, "line 99 "));
}

struct redaction {
    const char *from;
    const char *to;
};

static void test_redaction(void **state)
{
    static const struct redaction cases[] = {
        {"MAIL FROM:<anna@example.net>", "MAIL FROM:<...@example.net>"},
        {"RCPT TO:<\"a b\"@example.org>", "RCPT TO:<...@example.org>"},
        {"450 bert@example.org: no", "450 ...@example.org: no"},
        {"@example.org", "...@example.org"},
        {"a@b c@d", "...@b ...@d"},
        {"\"@x", "...@x"},
        {"\x1b[31m\xff", "?[31m?"},
        {"RCPT TO:<ann", "RCPT TO:<..."},
        {"MAIL FROM:<>", "MAIL FROM:<>"},
        {"354 End data with <CR><LF>.<CR><LF>", "354 End data with <CR><LF>.<CR><LF>"},
        {"", ""},
    };
    char shown[CAPTURE_LINE_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        capture_redact(cases[i].from, strlen(cases[i].from), shown, sizeof shown);
        assert_string_equal(shown, cases[i].to);
    }
    /* A person that fills the room leaves no trace of itself. */
    char room[12];
    capture_redact("verylongname@example", 20, room, sizeof room);
    assert_string_equal(room, "...");
    capture_redact("a <verylongname@example", 23, room, sizeof room);
    assert_string_equal(room, "a <...");
    capture_redact("no person here", 14, room, sizeof room);
    assert_string_equal(room, "no person h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drawing),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_redaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
