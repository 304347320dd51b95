/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/types.h"
#include "daemon/control_request.h"

static void test_good(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum control_command command;
        size_t name_len;
        uint16_t type;
        bool is_write;
    } cases[] = {
        {"ping", CONTROL_PING, 0, TYPE_A, false},
        {"  stats \t", CONTROL_STATS, 0, TYPE_A, false},
        {"upstreams\r", CONTROL_UPSTREAMS, 0, TYPE_A, false},
        {"lookup Example.ORG MX", CONTROL_LOOKUP, 13, TYPE_MX, false},
        {"lookup example.org. TYPE15", CONTROL_LOOKUP, 13, TYPE_MX, false},
        {"lookup example.org", CONTROL_LOOKUP, 13, TYPE_A, false},
        {"trace start Example.ORG MX", CONTROL_TRACE_START, 13, TYPE_MX, false},
        {"trace look 18446744073709551615 255", CONTROL_TRACE_LOOK, 0, TYPE_A, false},
        {"slow", CONTROL_SLOW, 0, TYPE_A, false},
        {"slow names", CONTROL_SLOW, 0, TYPE_A, false},
        {"slow failed", CONTROL_SLOW_FAILED, 0, TYPE_A, false},
        {"slow  failed names", CONTROL_SLOW_FAILED, 0, TYPE_A, false},
        {"flush name example.org", CONTROL_FLUSH_NAME, 13, TYPE_A, true},
        {"flush  under\t.", CONTROL_FLUSH_UNDER, 1, TYPE_A, true},
        {"flush all", CONTROL_FLUSH_ALL, 0, TYPE_A, true},
        {"reload", CONTROL_RELOAD, 0, TYPE_A, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct control_request request;
        const char *complaint = NULL;
        assert_true(
            control_request_parse(cases[i].line, strlen(cases[i].line), &request, &complaint));
        assert_int_equal(request.command, cases[i].command);
        assert_int_equal(request.name_len, cases[i].name_len);
        assert_int_equal(request.type, cases[i].type);
        assert_int_equal(control_request_is_write(&request), cases[i].is_write);
        bool is_personal = strstr(cases[i].line, "names") != NULL;
        assert_int_equal(control_request_is_personal(&request), is_personal);
    }
}

static void test_since(void **state)
{
    (void)state;
    struct control_request request;
    const char *complaint;
    assert_true(control_request_parse("stats since 600", 15, &request, &complaint));
    assert_int_equal(request.command, CONTROL_STATS);
    assert_int_equal(request.since_s, 600);
    assert_true(control_request_parse("stats", 5, &request, &complaint));
    assert_int_equal(request.since_s, 0);
}

static void test_name_is_lowered(void **state)
{
    (void)state;
    struct control_request request;
    const char *complaint;
    assert_true(control_request_parse("flush name A.ORG", 16, &request, &complaint));
    assert_memory_equal(request.name, "\001a\003org", 7);
}

static void test_bad(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "   ",
        "PING",
        "pin",
        "pingg",
        "ping me",
        "stats all",
        "stats since",
        "stats since 0",
        "stats since 86401",
        "stats since 10m",
        "stats since 1 2",
        "lookup",
        "lookup a..b",
        "lookup example.org NOTYPE",
        "lookup example.org MX IN",
        "trace",
        "trace example.org",
        "trace start",
        "trace start a..b",
        "trace start example.org NOTYPE",
        "trace look",
        "trace look 1",
        "trace look 1 256",
        "trace look x 1",
        "trace look 18446744073709551616 1",
        "trace look 1 1 1",
        "slow down",
        "slow names failed",
        "slow failed names now",
        "flush",
        "flush everything",
        "flush name",
        "flush under a b",
        "flush all now",
        "reload now",
        "flush name a b c d e f",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct control_request request;
        const char *complaint = NULL;
        assert_false(control_request_parse(cases[i], strlen(cases[i]), &request, &complaint));
        assert_non_null(complaint);
    }
}

static void test_nul_bytes_are_no_end(void **state)
{
    (void)state;
    struct control_request request;
    const char *complaint;
    assert_false(control_request_parse("ping\0x", 6, &request, &complaint));
    assert_false(control_request_parse("ping\0", 5, &request, &complaint));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_name_is_lowered),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_nul_bytes_are_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
