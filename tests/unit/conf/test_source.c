/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/source.h"
#include "tests/unit/conf/folder.h"

static struct findings findings;
static struct source source;
static struct lexer_statement statement;

/* The names of all settings in reading order. */
static const char *read_names(struct text *names)
{
    size_t file = 0;
    while (source_next(&source, &statement, &file)) {
        assert_true(file < source.file_count);
        text_add_bytes(names, statement.name.bytes, statement.name.len);
        text_addf(names, "@%zu ", file);
    }
    return names->data;
}

static void start(const char *path)
{
    memset(&findings, 0, sizeof findings);
    source_init(&source, &findings);
    source_start_file(&source, path, false);
}

static void test_includes_in_reading_order(void **state)
{
    (void)state;
    struct folder folder;
    char buffer[128];
    struct text names;
    text_init(&names, buffer, sizeof buffer);
    folder_init(&folder);
    const char *main_path = folder_add(
        &folder, "main.conf", "a = 1\ninclude *.part\nd = 1\ninclude e\ninclude none*\nf = 1\n");
    folder_add(&folder, "2.part", "c = 1\n");
    folder_add(&folder, "1.part", "b = 1\ninclude b2\n");
    folder_add(&folder, "b2", "b2 = 1\n");
    folder_add(&folder, "e", "e = 1");
    start(main_path);
    assert_string_equal(read_names(&names), "a@0 b@2 b2@3 c@1 d@0 e@4 f@0 ");
    assert_int_equal(findings.count, 0);
    source_fini(&source);
    folder_fini(&folder);
}

/* No match is no error, and the manual's own example names a folder that has yet to be made. */
static void test_pattern_in_a_missing_folder(void **state)
{
    (void)state;
    struct folder folder;
    char buffer[64];
    struct text names;
    text_init(&names, buffer, sizeof buffer);
    folder_init(&folder);
    start(folder_add(&folder, "main", "include conf.d/*.conf\na = 1\n"));
    assert_string_equal(read_names(&names), "a@0 ");
    assert_int_equal(findings.errors, 0);
    assert_int_equal(findings.count, 1);
    assert_non_null(strstr(findings.items[0].sentence, "no such folder"));
    source_fini(&source);
    start(folder_add(&folder, "other", "include main/*.conf\n"));
    text_init(&names, buffer, sizeof buffer);
    assert_string_equal(read_names(&names), "");
    assert_int_equal(findings.errors, 0);
    source_fini(&source);
    folder_fini(&folder);
}

/* One finding with a part of its sentence, and what was read besides. */
static void expect(const char *path, unsigned line, const char *part, const char *names_expected)
{
    char buffer[2048];
    struct text names;
    text_init(&names, buffer, sizeof buffer);
    start(path);
    assert_string_equal(read_names(&names), names_expected);
    assert_int_equal(findings.count, 1);
    assert_int_equal(findings.errors, 1);
    assert_int_equal(findings.items[0].line, line);
    if (strstr(findings.items[0].sentence, part) == NULL) {
        print_message("%s\n", findings.items[0].sentence);
    }
    assert_non_null(strstr(findings.items[0].sentence, part));
    source_fini(&source);
}

static void test_loops(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    const char *self = folder_add(&folder, "self", "a = 1\ninclude self\nb = 1\n");
    expect(self, 2, "includes itself", "a@0 b@0 ");
    const char *one = folder_add(&folder, "one", "include two\na = 1\n");
    folder_add(&folder, "two", "\ninclude ./one\nb = 1\n");
    expect(one, 2, "includes itself", "b@1 a@0 ");
    const char *all = folder_add(&folder, "all.conf", "include *.conf\na = 1\n");
    expect(all, 1, "includes itself", "a@0 ");
    folder_fini(&folder);
}

static void test_twice_is_no_loop(void **state)
{
    (void)state;
    struct folder folder;
    char buffer[64];
    struct text names;
    text_init(&names, buffer, sizeof buffer);
    folder_init(&folder);
    const char *path = folder_add(&folder, "main", "include a\ninclude a\n");
    folder_add(&folder, "a", "a = 1\n");
    start(path);
    assert_string_equal(read_names(&names), "a@1 a@2 ");
    assert_int_equal(findings.count, 0);
    source_fini(&source);
    folder_fini(&folder);
}

static void test_depth(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    char names[SOURCE_DEPTH_MAX + 3][8];
    for (unsigned i = 0; i < SOURCE_DEPTH_MAX + 3; i++) {
        char text[64];
        snprintf(names[i], sizeof names[i], "f%u", i);
        snprintf(text, sizeof text, "include f%u\na%u = 1\n", i + 1, i);
        folder_add(&folder, names[i], i == SOURCE_DEPTH_MAX + 2 ? "" : text);
    }
    expect(folder.files[0], 1, "deeper than 8", "a8@8 a7@7 a6@6 a5@5 a4@4 a3@3 a2@2 a1@1 a0@0 ");
    folder_fini(&folder);
}

static void test_too_many_files(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    char text[16 * SOURCE_FILES_MAX];
    struct text includes;
    text_init(&includes, text, sizeof text);
    for (unsigned i = 0; i < SOURCE_FILES_MAX; i++) {
        text_add(&includes, "include x\n");
    }
    folder_add(&folder, "x", "");
    expect(folder_add(&folder, "main", text), SOURCE_FILES_MAX, "more than 64 files", "");
    folder_fini(&folder);
}

static void test_unreadable(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    expect("/nonexistent/mxcache.conf", 0, "it does not exist", "");
    expect("/", 0, "it is a directory", "");
    expect(
        folder_add(&folder, "a", "a = 1\n\ninclude missing.conf\n"), 3, "does not exist", "a@0 ");
    expect(folder_add(&folder, "b", "include a b\nc = 1\n"), 1, "one file name", "c@0 ");

    char text[2 * SOURCE_NAME_SIZE];
    memset(text, 'x', sizeof text);
    memcpy(text, "include ", 8);
    text[sizeof text - 1] = '\0';
    expect(folder_add(&folder, "c", text), 1, "longer than 255", "");

    const char *large = folder_add(&folder, "d", "");
    assert_int_equal(truncate(large, SOURCE_FILE_SIZE_MAX), 0);
    expect(large, 1, "longer than 64 KiB", "");
    assert_int_equal(truncate(large, SOURCE_FILE_SIZE_MAX + 1), 0);
    expect(large, 0, "larger than 1 MiB", "");
    expect("/dev/zero", 0, "larger than 1 MiB", "");
    folder_fini(&folder);
}

static void test_optional(void **state)
{
    (void)state;
    size_t file = 0;
    memset(&findings, 0, sizeof findings);
    source_init(&source, &findings);
    source_start_file(&source, "/nonexistent/mxcache.conf", true);
    assert_false(source_next(&source, &statement, &file));
    assert_int_equal(findings.count, 0);
    source_fini(&source);
    source_init(&source, &findings);
    source_start_file(&source, "/", true);
    assert_false(source_next(&source, &statement, &file));
    assert_int_equal(findings.errors, 1);
    source_fini(&source);
}

static void test_read(void **state)
{
    (void)state;
    struct folder folder;
    folder_init(&folder);
    const char *path = folder_add(&folder, "a", "12345");
    size_t len = 0;
    char *bytes = source_read(path, 5, &len);
    assert_non_null(bytes);
    assert_int_equal(len, 5);
    assert_memory_equal(bytes, "12345", 5);
    free(bytes);
    assert_null(source_read(path, 4, &len));
    assert_int_equal(errno, EFBIG);
    folder_fini(&folder);
    assert_null(source_read(path, 4, &len));
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_includes_in_reading_order),
        cmocka_unit_test(test_pattern_in_a_missing_folder),
        cmocka_unit_test(test_loops),
        cmocka_unit_test(test_twice_is_no_loop),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_too_many_files),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_optional),
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
