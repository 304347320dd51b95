/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "conf/settings.h"
#include "conf/value.h"

/* A value as it may be written, and as it is written back. NULL: refused. */
struct value_case {
    enum schema_id id;
    const char *in;
    const char *out;
};

static const struct value_case cases[] = {
    {SCHEMA_ID_answer_deadline, "4s", "4s"},
    {SCHEMA_ID_answer_deadline, "4", "4s"},
    {SCHEMA_ID_answer_deadline, "4000ms", "4s"},
    {SCHEMA_ID_answer_deadline, "100ms", "100ms"},
    {SCHEMA_ID_answer_deadline, "99ms", NULL},
    {SCHEMA_ID_answer_deadline, "30001ms", NULL},
    {SCHEMA_ID_answer_deadline, "", NULL},
    {SCHEMA_ID_stale_max, "0", "0"},
    {SCHEMA_ID_stale_max, "90m", "90m"},
    {SCHEMA_ID_stale_max, "24h", "1d"},
    {SCHEMA_ID_stale_max, "9999999999999999999d", NULL},
    {SCHEMA_ID_cache_size, "1048576", "1M"},
    {SCHEMA_ID_cache_size, "1025k", "1025k"},
    {SCHEMA_ID_cache_size, "1T", "1T"},
    {SCHEMA_ID_cache_size, "1048575", NULL},
    {SCHEMA_ID_cache_size, "2T", NULL},
    {SCHEMA_ID_cache_size, "18446744073709551615", NULL},
    {SCHEMA_ID_workers, "64", "64"},
    {SCHEMA_ID_workers, "064", "64"},
    {SCHEMA_ID_workers, "+1", NULL},
    {SCHEMA_ID_private_lists_local, "on", "yes"},
    {SCHEMA_ID_private_lists_local, "true", "yes"},
    {SCHEMA_ID_private_lists_local, "off", "no"},
    {SCHEMA_ID_private_lists_local, "false", "no"},
    {SCHEMA_ID_private_lists_local, "no", "no"},
    {SCHEMA_ID_private_lists_local, "No", NULL},
    {SCHEMA_ID_log_level, "error", "error"},
    {SCHEMA_ID_log_level, "warn", NULL},
    {SCHEMA_ID_user, "postfix", "postfix"},
    {SCHEMA_ID_user, "", ""},
    {SCHEMA_ID_control_socket, "/a", "/a"},
    {SCHEMA_ID_control_socket, "a", NULL},
    {SCHEMA_ID_listen, "127.0.0.1@53,[::1]", NULL},
    {SCHEMA_ID_listen, "127.0.0.1@53 ::1@54", "127.0.0.1 ::1@54"},
    {SCHEMA_ID_allow, "10.0.0.0/8 192.0.2.1/32 2001:DB8::/32 ::1/128",
        "10.0.0.0/8 192.0.2.1 2001:db8::/32 ::1"},
    {SCHEMA_ID_upstreams, "", ""},
    {SCHEMA_ID_upstreams, "192.0.2.1@53 192.0.2.2@853", "192.0.2.1 192.0.2.2@853"},
    {SCHEMA_ID_upstreams, "192.0.2.1#a.example 192.0.2.2@853#b 192.0.2.3@53#c",
        "192.0.2.1#a.example 192.0.2.2#b 192.0.2.3@53#c"},
    {SCHEMA_ID_upstreams, "192.0.2.1@0#a.example", NULL},
};

static struct settings settings;
static struct findings findings;

static bool read_value(const struct schema_row *row, const char *value)
{
    char line[1024];
    struct lexer lexer;
    struct lexer_statement statement;
    snprintf(line, sizeof line, "x = %s", value);
    memset(&findings, 0, sizeof findings);
    lexer_init(&lexer, "test.conf", 1, &findings);
    lexer_feed(&lexer, line, strlen(line));
    assert_int_equal(lexer_next(&lexer, &statement), LEXER_SETTING);
    return value_read(row, &statement, &settings, &findings);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct schema_row *row = schema_row(cases[i].id);
        char text[VALUE_TEXT_SIZE];
        char before[VALUE_TEXT_SIZE];
        struct text writer;
        settings_parse("test.conf", "", 0, &settings, &findings);
        text_init(&writer, before, sizeof before);
        value_write(row, &settings, &writer);
        bool is_read = read_value(row, cases[i].in);
        text_init(&writer, text, sizeof text);
        value_write(row, &settings, &writer);
        if (is_read != (cases[i].out != NULL)) {
            print_message("%s = %s\n", row->name, cases[i].in);
        }
        assert_int_equal(is_read, cases[i].out != NULL);
        assert_int_equal(findings.errors == 0, is_read);
        assert_string_equal(text, is_read ? cases[i].out : before);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    char path[SETTINGS_PATH_SIZE + 1];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[107] = '\0';
    assert_true(read_value(schema_row(SCHEMA_ID_control_socket), path));
    assert_string_equal(settings.control_socket, path);
    path[107] = 'x';
    path[108] = '\0';
    assert_false(read_value(schema_row(SCHEMA_ID_control_socket), path));
    assert_non_null(strstr(findings.items[0].sentence, "108 of at most 107 bytes"));
    assert_int_equal(strlen(settings.control_socket), 107);
    path[108] = 'x';
    path[SETTINGS_PATH_SIZE - 1] = '\0';
    assert_true(read_value(schema_row(SCHEMA_ID_upstreams_file), path));
    path[SETTINGS_PATH_SIZE - 1] = 'x';
    path[SETTINGS_PATH_SIZE] = '\0';
    assert_false(read_value(schema_row(SCHEMA_ID_upstreams_file), path));
    path[SETTINGS_NAME_SIZE] = '\0';
    assert_false(read_value(schema_row(SCHEMA_ID_user), path));
    assert_true(read_value(schema_row(SCHEMA_ID_user), path + 1));
}

static void test_longest_list_fits(void **state)
{
    (void)state;
    const struct schema_row *row = schema_row(SCHEMA_ID_upstreams);
    memset(&settings, 0, sizeof settings);
    settings.groups[0].server_count = SETTINGS_SERVERS_MAX;
    for (size_t i = 0; i < SETTINGS_SERVERS_MAX; i++) {
        struct settings_server *server = &settings.groups[0].servers[i];
        server->address.family = ADDRESS_IPV6;
        memset(server->address.bytes, 0xfe, 16);
        server->address.port = 65535;
        memset(server->tls_name, 'x', SETTINGS_TLS_SIZE - 1);
    }
    char buffer[VALUE_TEXT_SIZE];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    value_write(row, &settings, &text);
    assert_false(text.is_cut);
}

static void test_ranges(void **state)
{
    (void)state;
    char buffer[64];
    struct text text;
    text_init(&text, buffer, sizeof buffer);
    value_write_range(schema_row(SCHEMA_ID_answer_deadline), &text);
    assert_string_equal(buffer, "100ms to 30s");
    text_init(&text, buffer, sizeof buffer);
    value_write_range(schema_row(SCHEMA_ID_cache_size), &text);
    assert_string_equal(buffer, "1M to 1T");
    text_init(&text, buffer, sizeof buffer);
    value_write_range(schema_row(SCHEMA_ID_workers), &text);
    assert_string_equal(buffer, "1 to 64");
    text_init(&text, buffer, sizeof buffer);
    value_write_range(schema_row(SCHEMA_ID_listen), &text);
    assert_string_equal(buffer, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_longest_list_fits),
        cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
