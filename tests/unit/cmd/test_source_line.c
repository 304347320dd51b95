/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/configuration.h"
#include "cmd/source_line.h"

#define WORDS_MAX 8

struct line_case {
    const char *words[WORDS_MAX];
    bool is_good;
    bool wants_help;
    const char *file; /* NULL: the usual one. */
    const char *overrides[3];
    int rest; /* Words behind the options. */
};

static const struct line_case cases[] = {
    {{"mxcache"}, true, false, NULL, {NULL}, 0},
    {{"mxcache", "-c", "/a"}, true, false, "/a", {NULL}, 0},
    {{"mxcache", "--config=/a", "-c", "/b"}, true, false, "/b", {NULL}, 0},
    {{"mxcache", "-o", "a=1", "--option", "b=2", "-ob=3"}, true, false, NULL, {"a=1", "b=2", "b=3"},
        0},
    {{"mxcache", "-h"}, true, true, NULL, {NULL}, 0},
    {{"mxcache", "--help", "-c", "/a"}, true, true, "/a", {NULL}, 0},
    {{"mxcache", "-o", "a=1", "word"}, true, false, NULL, {"a=1"}, 1},
    {{"mxcache", "--", "-c"}, true, false, NULL, {NULL}, 1},
    {{"mxcache", "-c"}, false, false, NULL, {NULL}, 0},
    {{"mxcache", "-x"}, false, false, NULL, {NULL}, 0},
    {{"mxcache", "--configuration"}, false, false, NULL, {NULL}, 0},
};

static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct line_case *row = &cases[i];
        char copies[WORDS_MAX][32];
        char *argv[WORDS_MAX + 1] = {NULL};
        struct source_line line;
        bool wants_help = false;
        int argc = 0;
        for (; argc < WORDS_MAX && row->words[argc] != NULL; argc++) {
            (void)snprintf(copies[argc], sizeof copies[argc], "%s", row->words[argc]);
            argv[argc] = copies[argc];
        }
        optind = 0; /* Starts getopt(3) anew. */
        source_line_init(&line, argc);
        assert_true(source_line_read(&line, argc, argv, &wants_help) == row->is_good);
        if (row->is_good) {
            bool is_usual = row->file == NULL;
            size_t count = 0;
            assert_true(wants_help == row->wants_help);
            assert_string_equal(line.source.file, is_usual ? CONFIGURATION_FILE : row->file);
            assert_true(line.source.is_file_optional == is_usual);
            for (; count < 3 && row->overrides[count] != NULL; count++) {
                assert_string_equal(line.source.overrides[count], row->overrides[count]);
            }
            assert_int_equal(line.source.override_count, count);
            assert_int_equal(argc - optind, row->rest);
        }
        source_line_fini(&line);
        assert_null(line.overrides);
    }
}

/* For subcommands that have options of their own. */
static void test_take(void **state)
{
    struct source_line line;
    (void)state;
    source_line_init(&line, 2);
    assert_false(source_line_take(&line, 'x', "value"));
    assert_int_equal(line.source.override_count, 0);
    assert_true(line.source.is_file_optional);
    assert_true(source_line_take(&line, 'o', "a=1"));
    assert_true(source_line_take(&line, 'c', "/a"));
    assert_int_equal(line.source.override_count, 1);
    assert_false(line.source.is_file_optional);
    source_line_fini(&line);
    source_line_fini(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_take),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
