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
#include "conf/explain.h"
#include "conf/parse.h"
#include "conf/schema.h"
#include "conf/settings.h"
#include "conf/source.h"

#define SAMPLE_FILE "conf/mxcache.conf"
#define MANUAL_FILE "doc/mxcache.conf.5.scd"
#define MARK_BEGIN  "; settings: begin"
#define MARK_END    "; settings: end"

static struct settings settings;
static struct findings findings;

/* A document in memory, freed by the caller. */
static char *generate(void (*document)(FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    document(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

/* A file of the tree as a string, freed by the caller. The tests run in the tree's root. */
static char *read_tree(const char *path)
{
    size_t len = 0;
    char *bytes = source_read(path, 1024 * 1024, &len);
    assert_non_null(bytes);
    char *text = malloc(len + 1);
    assert_non_null(text);
    memcpy(text, bytes, len);
    text[len] = '\0';
    free(bytes);
    return text;
}

static void say_how_to_generate(const char *path, bool is_equal)
{
    if (!is_equal) {
        print_message("%s is not what conf/schema.def says: run doc/generate with the path of the "
                      "mxcache binary, and look at the difference\n",
            path);
    }
}

static void test_sample_is_generated(void **state)
{
    (void)state;
    char *generated = generate(explain_sample);
    char *checked_in = read_tree(SAMPLE_FILE);
    bool is_equal = strcmp(generated, checked_in) == 0;
    say_how_to_generate(SAMPLE_FILE, is_equal);
    assert_true(is_equal);
    free(checked_in);
    free(generated);
}

static void test_manual_is_generated(void **state)
{
    (void)state;
    char *generated = generate(explain_manual);
    char *checked_in = read_tree(MANUAL_FILE);
    char *begin = strstr(checked_in, MARK_BEGIN);
    assert_non_null(begin);
    char *end = strstr(begin, MARK_END);
    assert_non_null(end);
    *end = '\0';
    begin = strchr(begin, '\n');
    assert_non_null(begin);
    bool is_equal = strcmp(generated, begin + 1) == 0;
    say_how_to_generate(MANUAL_FILE, is_equal);
    assert_true(is_equal);
    free(checked_in);
    free(generated);
}

static void expect_defaults(const char *text)
{
    assert_true(settings_parse(SAMPLE_FILE, text, strlen(text), &settings, &findings));
    assert_int_equal(findings.count, 0);
    FILE *out = NULL;
    char *changed = NULL;
    size_t size = 0;
    out = open_memstream(&changed, &size);
    assert_non_null(out);
    explain_settings(&settings, EXPLAIN_CHANGED, out);
    fclose(out);
    assert_string_equal(changed, "");
    free(changed);
}

/* As it is, and with the mark before each setting taken away, the sample means the defaults. */
static void test_sample_means_defaults(void **state)
{
    (void)state;
    char *text = generate(explain_sample);
    expect_defaults(text);
    size_t settings_found = 0;
    for (char *at = text; at != NULL; at = strchr(at, '\n')) {
        at += *at == '\n' ? 1 : 0;
        if (at[0] == '#' && at[1] >= 'a' && at[1] <= 'z') {
            memmove(at, at + 1, strlen(at));
            settings_found++;
        }
    }
    expect_defaults(text);
    assert_non_null(strstr(text, "\ncache_size = 64M\n"));
    assert_true(settings_found > 20);
    free(text);
}

static void test_every_setting_is_explained(void **state)
{
    (void)state;
    char *sample = generate(explain_sample);
    char *manual = generate(explain_manual);
    char *defaults = generate(explain_defaults);
    for (size_t id = 0; id < SCHEMA_ID_COUNT; id++) {
        const struct schema_row *row = schema_row((enum schema_id)id);
        char name[80];
        snprintf(name, sizeof name, "*%s* = _", row->name);
        assert_non_null(strstr(manual, name));
        if (schema_section(row) == SCHEMA_SECTION_MAIN) {
            snprintf(name, sizeof name, "\n#%s =", row->name);
            assert_non_null(strstr(sample, name));
            snprintf(name, sizeof name, "%s =", row->name);
            assert_non_null(strstr(defaults, name));
        }
    }
    free(defaults);
    free(manual);
    free(sample);
}

static void test_lines_are_short(void **state)
{
    (void)state;
    char *sample = generate(explain_sample);
    for (const char *at = sample; *at != '\0'; at += strcspn(at, "\n") + 1) {
        assert_true(strcspn(at, "\n") <= 100);
    }
    free(sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_is_generated),
        cmocka_unit_test(test_manual_is_generated),
        cmocka_unit_test(test_sample_means_defaults),
        cmocka_unit_test(test_every_setting_is_explained),
        cmocka_unit_test(test_lines_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
