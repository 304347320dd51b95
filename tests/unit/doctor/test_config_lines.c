/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/config_lines.h"
#include "tests/support/host_fixture.h"

static void test_lines(void **state)
{
    (void)state;
    static struct config_lines lines;
    config_lines_init(&lines, "# no\n\n  a = 1 \r\n;no\nb\n   \nlast");
    assert_true(config_lines_next(&lines));
    assert_string_equal(lines.line, "a = 1");
    assert_int_equal(lines.number, 3);
    assert_true(config_lines_next(&lines));
    assert_string_equal(lines.line, "b");
    assert_true(config_lines_next(&lines));
    assert_string_equal(lines.line, "last");
    assert_int_equal(lines.number, 7);
    assert_false(config_lines_next(&lines));
    config_lines_init(&lines, "");
    assert_false(config_lines_next(&lines));
}

static void test_line_is_cut(void **state)
{
    (void)state;
    static char text[CONFIG_LINE_MAX * 3];
    static struct config_lines lines;
    memset(text, 'x', sizeof text - 1);
    config_lines_init(&lines, text);
    assert_true(config_lines_next(&lines));
    assert_int_equal(strlen(lines.line), CONFIG_LINE_MAX - 1);
    assert_false(config_lines_next(&lines));
}

static void test_value(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *separators;
        const char *value; /* NULL: it is another line. */
    } rows[] = {
        {"key = some value # why", "=", "some value"},
        {"KEY=value#1", "=", "value#1"},
        {"key=\"a # b\" # c", "=", "a # b"},
        {"key='a", "=", "a"},
        {"key: value", ":", "value"},
        {"key value", " ", "value"},
        {"key value", "=", NULL},
        {"key", " ", NULL},
        {"keys value", " ", NULL},
        {"key =", "=", ""},
        {"key", "=", NULL},
        {"other = 1", "=", NULL},
        {"key = value", " =", "value"},
        {"key value", " =", "value"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char value[64];
        bool is_key =
            config_line_value(rows[i].line, "key", rows[i].separators, value, sizeof value);
        assert_int_equal(is_key, rows[i].value != NULL);
        if (is_key) {
            assert_string_equal(value, rows[i].value);
        }
    }
    char small[4];
    assert_true(config_line_value("key=abcdef", "key", "=", small, sizeof small));
    assert_string_equal(small, "abc");
}

static void test_places(void **state)
{
    (void)state;
    static struct host_fixture fixture;
    static struct config_found found;
    static const struct config_place places[] = {
        {"/etc/one.conf", NULL, "=", "main"},
        {"/etc/one.d", ".conf", "=", "main"},
    };
    struct host host;
    host_fixture_init(&fixture);
    assert_true(host_init(&host, fixture.root));
    assert_false(config_value(&host, places, 2, "dns", &found));
    host_fixture_write(&fixture, "/etc/one.conf", "dns=outside\n[main]\ndns=a\n[other]\ndns=b\n");
    assert_true(config_value(&host, places, 2, "dns", &found));
    assert_string_equal(found.value, "a");
    assert_string_equal(found.path, "/etc/one.conf");
    assert_int_equal(found.line, 3);
    host_fixture_write(&fixture, "/etc/one.d/2.conf", "[main]\ndns=c\n");
    host_fixture_write(&fixture, "/etc/one.d/3.conf.bak", "[main]\ndns=d\n");
    host_fixture_write(&fixture, "/etc/one.d/1.conf", "[main]\ndns=e\n");
    assert_true(config_value(&host, places, 2, "dns", &found));
    assert_string_equal(found.value, "c");
    assert_string_equal(found.path, "/etc/one.d/2.conf");
    host_fini(&host);
    host_fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_line_is_cut),
        cmocka_unit_test(test_value),
        cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
