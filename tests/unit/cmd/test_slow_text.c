/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cmd/slow_text.h"
#include "cmd/slow_view.h"
#include "cmd/stats_cell.h"
#include "tests/unit/cmd/slow_fixture.h"
#include "tests/unit/cmd/stats_fixture.h"

static struct slow_view view;
static char data[1 << 18];

static const char *render(const char *reply_text, struct stats_style style)
{
    struct reply reply;
    struct text text;
    assert_true(reply_set(&reply, reply_text));
    assert_true(slow_view_read(&reply, SLOW_VIEW_MAX, &view));
    reply_fini(&reply);
    text_init(&text, data, sizeof data);
    slow_text_add(&text, &style, &view);
    assert_false(text.is_cut);
    return data;
}

static void test_screen(void **state)
{
    static const char expected[] =
        "The questions of the last hour that waited longest\n"
        "\n"
        " 61.2ms  MX     mail.example.org.\n"
        "         NOERROR, 12m 34s ago, 3 times in a row\n"
        "        0ms  #--------------- asked 192.0.2.53 by UDP\n"
        "     43.1ms  ----------#----- asked 198.51.100.7@5353 too, by UDP: this takes\n"
        "                              longer than usual (hedge)\n"
        "     61.2ms  ---------------# 198.51.100.7@5353 answered: NOERROR\n"
        "     61.2ms  ---------------# gave the client its answer: NOERROR\n"
        "\n"
        " 40.0ms  A      ?.*.zen.dq.spamhaus.net.\n"
        "         NOERROR (expired), 7s ago: upstream is slow or silent; this answer has\n"
        "         expired\n"
        "        0ms  #--------------- asked 2001:db8::1@853 by TLS\n"
        "     20.0ms  ---#------------ this question came, and waited for the same\n"
        "     30.0ms  -----#---------- no reply from 2001:db8::1@853 in its time: taken\n"
        "                              for lost\n"
        "     90.0ms  ---------------# 2001:db8::1@853 answered: there is no such name\n"
        "                              (NXDOMAIN), after it had been given up\n"
        "                              and 12 more that found no room\n"
        "     60.0ms  ----------#----- gave the client an expired answer\n"
        "\n"
        "    0us  TYPE65 example.com.\n"
        "         SERVFAIL, 0s ago, 9 times in a row: extended error 13\n"
        "\n"
        "A ? stands for whom a blocklist was asked about; --names shows it, to root.\n";
    const struct stats_style plain = {.is_utf8 = false};
    (void)state;
    view.is_failed = false;
    assert_string_equal(render(slow_fixture, plain), expected);
}

static void test_nothing(void **state)
{
    const struct stats_style plain = {.is_utf8 = false};
    (void)state;
    view.is_failed = false;
    assert_string_equal(render("ok\n.\n", plain), "No question had to wait in the last hour.\n");
    view.is_failed = true;
    assert_string_equal(render("ok\n.\n", plain), "No question has failed in the last hour.\n");
}

/* Columns of a line, counting each character of UTF-8 once. */
static size_t columns(const char *line, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        count += ((unsigned char)line[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

/* Whatever the daemon says: no line is wider than the screen, but for words that fit nowhere. */
static void test_width(void **state)
{
    static char reply[8192];
    char name[300];
    const struct stats_style style = {.is_utf8 = true};
    (void)state;
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = '\0';
    (void)snprintf(reply, sizeof reply,
        "ok\nquestion 4000000000 9000000000 0 4000000000 TYPE65535 0 failed SERVFAIL 22 %s.org.\n"
        "reason no upstream server answered in time, and this sentence is longer than one line\n"
        "event 0 asked 2001:db8:1111:2222:3333:4444:5555:6666@5353 udp hedge - 0\n"
        "event 4294967295 replied 2001:db8:1111:2222:3333:4444:5555:6666@5353 udp other-case "
        "NOERROR 1\n.\n",
        name);
    view.is_failed = true;
    const char *at = render(reply, style);
    assert_non_null(strstr(at, "...aaaa"));
    assert_non_null(strstr(at, "aaa.org.\n"));
    assert_non_null(strstr(at, "\xe2\x97\x8f"));
    while (*at != '\0') {
        size_t len = strcspn(at, "\n");
        assert_true(columns(at, len) <= 80);
        at += len + 1;
    }
}

static void test_colour(void **state)
{
    const struct stats_style style = {.has_colour = true};
    (void)state;
    assert_non_null(strchr(render(slow_fixture, style), '\033'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_screen),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
