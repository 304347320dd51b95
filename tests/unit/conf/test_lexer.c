/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/lexer.h"

/* What the lexer makes of a text, in one line: statements, then findings as "!LINE:COLUMN". */
struct lexer_case {
    const char *text;
    const char *statements; /* name@line:column=word@line:column ... ; */
    const char *findings;
};

static const struct lexer_case cases[] = {
    {"", "", ""},
    {"\n\n  \n# comment\n   # indented comment\n", "", ""},
    {"a = b\n", "a@1:1=b@1:5;", ""},
    {"a=b", "a@1:1=b@1:3;", ""},
    {"a\t=\tb  \n", "a@1:1=b@1:5;", ""},
    {"a =\n", "a@1:1=;", ""},
    {"a = # nothing\n", "a@1:1=;", ""},
    {"a = b c,d, e\n", "a@1:1=b@1:5 c@1:7 d@1:9 e@1:12;", ""},
    {"a = b#c # d\n", "a@1:1=b#c@1:5;", ""},
    {"a = b = c\n", "a@1:1=b@1:5 =@1:7 c@1:9;", ""},
    {"a = b\r\nc = d\r\n", "a@1:1=b@1:5;c@2:1=d@2:5;", ""},
    {"\xef\xbb\xbf"
     "a = b\n",
        "a@1:1=b@1:5;", ""},
    {"# caf\xc3\xa9\na = /x/\xc3\xa9\n", "a@2:1=/x/\xc3\xa9@2:5;", ""},
    {"a = b\n  c\n\td\n", "a@1:1=b@1:5 c@2:3 d@3:2;", ""},
    {"a = b\n\n# between\n  c\nd = e\n", "a@1:1=b@1:5 c@4:3;d@5:1=e@5:5;", ""},
    {"a = b # one\n  # two\n  c # three\n", "a@1:1=b@1:5 c@3:3;", ""},
    {"a =\n  b\n", "a@1:1=b@2:3;", ""},
    {"[s]\n", "[s@1:2];", ""},
    {"[ s  x ] # comment\na = b\n", "[s@1:3 x@1:6];a@2:1=b@2:5;", ""},
    {"include a/*.conf\n", "<a/*.conf@1:9>;", ""},
    {"include\n", "<>;", ""},
    {"include = x\n", "include@1:1=x@1:11;", ""},
    {"a-B_9 = c\n", "a-B_9@1:1=c@1:9;", ""},
    /* Errors: the line is left out, the rest is read. */
    {"  a = b\nc = d\n", "c@2:1=d@2:5;", "!1:3"},
    {"[s]\n  a = b\n", "[s@1:2];", "!2:3"},
    {"a\nb = c\n", "b@2:1=c@2:5;", "!1:2"},
    {"a b\n", "", "!1:3"},
    {"= b\n", "", "!1:1"},
    {"\xff = b\n", "", "!1:1"},
    {"a = b\n  c = d\n", "", "!2:3"},
    {"a = b\n  c=d\n", "", "!2:3"},
    {"a = b\n  [s]\n", "", "!2:3"},
    {"a\n  b\n  c\nd = e\n", "d@4:1=e@4:5;", "!1:2"},
    {"[s\na = b\n", "[@1:1];a@2:1=b@2:5;", "!1:3"},
    {"[]\n", "[@1:1];", "!1:1"},
    {"[s] x\n", "[@1:1];", "!1:5"},
    {"a = b\x01"
     "c\nd = e\n",
        "d@2:1=e@2:5;", "!1:6"},
    {"a = b\n  \x7f\nd = e\n", "d@3:1=e@3:5;", "!2:3"},
    {"a = b\n# \x1b[2J\nd = e\n", "a@1:1=b@1:5;d@3:1=e@3:5;", "!2:3"},
    {"a = b\rc\n", "", "!1:6"},
    {"[\x02]\n", "[@1:1];", "!1:2"},
};

static void add_word(struct text *text, const struct lexer_word *word)
{
    text_add_bytes(text, word->bytes, word->len);
    text_addf(text, "@%u:%u", word->place.line, word->place.column);
}

static void add_words(struct text *text, const struct lexer_statement *statement, const char *gap)
{
    for (size_t i = 0; i < statement->word_count; i++) {
        text_add(text, i == 0 ? gap : " ");
        add_word(text, &statement->words[i]);
    }
}

static void add_statement(struct text *text, const struct lexer_statement *statement)
{
    switch (statement->kind) {
    case LEXER_SETTING:
        add_word(text, &statement->name);
        text_add(text, "=");
        add_words(text, statement, "");
        text_add(text, ";");
        break;
    case LEXER_SECTION:
        text_add(text, "[");
        add_word(text, &statement->name);
        add_words(text, statement, " ");
        text_add(text, "];");
        break;
    case LEXER_INCLUDE:
        text_add(text, "<");
        add_words(text, statement, "");
        text_add(text, ">;");
        break;
    case LEXER_END:
        break;
    }
}

/* Bytes of their own allocation, so that a read past the end is seen. */
static char *exact_copy(const char *bytes, size_t len)
{
    char *copy = malloc(len == 0 ? 1 : len);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    return copy;
}

static struct findings findings;
static struct lexer_statement statement;

/* Lexes the bytes and writes statements and findings; returns the number of statements. */
static size_t lex(const char *bytes, size_t len, struct text *statements, struct text *places)
{
    char *copy = exact_copy(bytes, len);
    struct lexer lexer;
    size_t count = 0;
    memset(&findings, 0, sizeof findings);
    lexer_init(&lexer, "test.conf", 1, &findings);
    lexer_feed(&lexer, copy, len);
    while (lexer_next(&lexer, &statement) != LEXER_END) {
        add_statement(statements, &statement);
        count++;
    }
    for (size_t i = 0; i < findings.count; i++) {
        const struct finding *finding = &findings.items[i];
        assert_string_equal(finding->file, "test.conf");
        assert_int_equal(finding->level, FINDING_ERROR);
        text_addf(places, "!%u:%u", finding->line, finding->column);
    }
    free(copy);
    return count;
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char statements[512];
        char places[128];
        struct text statements_text;
        struct text places_text;
        text_init(&statements_text, statements, sizeof statements);
        text_init(&places_text, places, sizeof places);
        lex(cases[i].text, strlen(cases[i].text), &statements_text, &places_text);
        if (strcmp(statements, cases[i].statements) != 0 ||
            strcmp(places, cases[i].findings) != 0) {
            print_message("case %zu: %s\n", i, cases[i].text);
        }
        assert_string_equal(statements, cases[i].statements);
        assert_string_equal(places, cases[i].findings);
    }
}

static void test_nul_bytes(void **state)
{
    (void)state;
    static const char bytes[] = "a = b\0c\nd = e\n\0\n";
    char statements[128];
    char places[64];
    struct text statements_text;
    struct text places_text;
    text_init(&statements_text, statements, sizeof statements);
    text_init(&places_text, places, sizeof places);
    lex(bytes, sizeof bytes - 1, &statements_text, &places_text);
    assert_string_equal(statements, "d@2:1=e@2:5;");
    assert_string_equal(places, "!1:6!3:1");
    assert_non_null(strstr(findings.items[0].sentence, "0x00"));
}

/* A line of `len` bytes after "a = ", then a good line. */
static void lex_long_line(size_t len, const char *statements_expected, const char *places_expected)
{
    size_t size = len + 32;
    char *bytes = malloc(size);
    assert_non_null(bytes);
    struct text input;
    text_init(&input, bytes, size);
    text_add(&input, "a = ");
    memset(bytes + input.len, 'x', len - input.len);
    memcpy(bytes + len, "\nb = c\n", 8);
    char *statements = malloc(2 * size);
    assert_non_null(statements);
    char places[64];
    struct text statements_text;
    struct text places_text;
    text_init(&statements_text, statements, 2 * size);
    text_init(&places_text, places, sizeof places);
    lex(bytes, len + 7, &statements_text, &places_text);
    size_t tail = strlen(statements_expected);
    assert_true(statements_text.len >= tail);
    assert_string_equal(statements + statements_text.len - tail, statements_expected);
    assert_string_equal(places, places_expected);
    free(statements);
    free(bytes);
}

static void test_line_limit(void **state)
{
    (void)state;
    lex_long_line(LEXER_LINE_MAX, "x@1:5;b@2:1=c@2:5;", "");
    lex_long_line(LEXER_LINE_MAX + 1, "b@2:1=c@2:5;", "!1:1");
    lex_long_line(1024 * 1024, "b@2:1=c@2:5;", "!1:1");
}

static void test_word_limit(void **state)
{
    (void)state;
    char bytes[4096];
    struct text input;
    text_init(&input, bytes, sizeof bytes);
    text_add(&input, "a =");
    for (size_t i = 0; i < LEXER_WORDS_MAX; i++) {
        text_add(&input, " x");
    }
    char statements[8192];
    char places[64];
    struct text statements_text;
    struct text places_text;
    text_init(&statements_text, statements, sizeof statements);
    text_init(&places_text, places, sizeof places);
    assert_int_equal(lex(bytes, input.len, &statements_text, &places_text), 1);
    assert_int_equal(statement.kind, LEXER_END);
    text_add(&input, "\n  x\n  y\nb = c\n");
    assert_int_equal(lex(bytes, input.len, &statements_text, &places_text), 1);
    assert_string_equal(places, "!2:3");
}

static void test_override_has_line_zero(void **state)
{
    (void)state;
    struct lexer lexer;
    memset(&findings, 0, sizeof findings);
    lexer_init(&lexer, "-o", 0, &findings);
    lexer_feed(&lexer, "a=b", 3);
    assert_int_equal(lexer_next(&lexer, &statement), LEXER_SETTING);
    assert_int_equal(statement.name.place.line, 0);
    assert_true(lexer_word_is(&statement.words[0], "b"));
    assert_false(lexer_word_is(&statement.words[0], "bc"));
    assert_false(lexer_word_is(&statement.words[0], ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_nul_bytes),
        cmocka_unit_test(test_line_limit),
        cmocka_unit_test(test_word_limit),
        cmocka_unit_test(test_override_has_line_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
