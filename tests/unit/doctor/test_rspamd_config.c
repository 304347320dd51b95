/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/rspamd_config.h"
#include "tests/support/host_fixture.h"

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *section;
        const char *value; /* NULL: not set. */
        unsigned line;
    } rows[] = {
        {"key = 1;", NULL, "1", 1},
        {"key = 1\nkey = \"2;3\"\n", NULL, "\"2;3\"", 2},
        {"# key = 1\n/* key = 2;\n */\nkey: 3", NULL, "3", 4},
        {"dns {\n key = [\"a\",\n \"b\"];\n}\n", "dns", "[\"a\",\n \"b\"]", 2},
        {"\"dns\": {\n 'key': 4 }\n", "dns", "4 ", 2},
        {"dns = { key = 5 }", "dns", "5 ", 1},
        {"other { dns { key = 6; } }", "dns", "6", 1},
        {"dns { inner { key = 7; } }", "dns", NULL, 0},
        {"dns { } key = 8", "dns", NULL, 0},
        {"dns { key = 9; }", NULL, NULL, 0},
        {"keys = 1;", NULL, NULL, 0},
        {"key", NULL, NULL, 0},
        {"key =", NULL, "", 1},
        {"", NULL, NULL, 0},
        {"}}}} key = 1", NULL, "1", 1},
        {"/* key = 1", NULL, NULL, 0},
        {"\"key = 1", NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rspamd_found found;
        bool is_set = rspamd_text_value(rows[i].text, rows[i].section, "key", &found);
        assert_int_equal(is_set, rows[i].value != NULL);
        if (is_set) {
            assert_string_equal(found.value, rows[i].value);
            assert_int_equal(found.line, rows[i].line);
        }
    }
}

static void test_bounds(void **state)
{
    (void)state;
    static char text[100000];
    static struct rspamd_found found;
    memset(text, '{', sizeof text - 1);
    assert_false(rspamd_text_value(text, "dns", "key", &found));
    memcpy(text, "key = [", 7);
    assert_true(rspamd_text_value(text, NULL, "key", &found));
    assert_int_equal(strlen(found.value), RSPAMD_VALUE_SIZE - 1);
    memset(text, 'k', sizeof text - 1);
    assert_false(rspamd_text_value(text, NULL, "key", &found));
}

static void test_files(void **state)
{
    (void)state;
    static struct host_fixture fixture;
    struct host host;
    struct rspamd_found found;
    host_fixture_init(&fixture);
    assert_true(host_init(&host, fixture.root));
    assert_false(rspamd_value(&host, "greylist.conf", NULL, "enabled", &found));
    host_fixture_write(&fixture, "/etc/rspamd/local.d/greylist.conf", "enabled = true;\n");
    assert_true(rspamd_value(&host, "greylist.conf", NULL, "enabled", &found));
    assert_string_equal(found.value, "true");
    host_fixture_write(&fixture, "/etc/rspamd/override.d/greylist.conf", "enabled = false;\n");
    assert_true(rspamd_value(&host, "greylist.conf", NULL, "enabled", &found));
    assert_string_equal(found.value, "false");
    assert_string_equal(found.path, "/etc/rspamd/override.d/greylist.conf");
    host_fini(&host);
    host_fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
