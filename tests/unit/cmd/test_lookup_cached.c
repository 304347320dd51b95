/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "resolver/origin.h"
#include "cmd/lookup_cached.h"
#include "cmd/lookup_hide.h"
#include "cmd/upstream_list.h"
#include "tests/unit/cmd/stats_fixture.h"

static char output[4096];
static struct upstream_list servers;
static struct lookup_hide hide;

static bool add(const char *text_of_reply)
{
    struct reply reply;
    struct text text;
    const struct lookup_cached cached = {.text = &text, .servers = &servers, .hide = &hide};
    text_init(&text, output, sizeof output);
    memset(&hide, 0, sizeof hide);
    bool is_good = reply_set(&reply, text_of_reply) && lookup_cached_add(&cached, &reply);
    reply_fini(&reply);
    return is_good;
}

static int servers_set(void **state)
{
    struct reply reply;
    bool is_good = reply_set(&reply, "ok\nupstream default 192.0.2.1@53 -\n"
                                     "upstream office 192.0.2.2@53 -\n"
                                     "upstream direct:bl.example 192.0.2.3@53 -\n.\n") &&
                   upstream_list_read(&reply, &servers);
    reply_fini(&reply);
    (void)state;
    return is_good ? 0 : -1;
}

/* a. A, 192.0.2.1 for 300 s. */
#define MESSAGE                                                                                    \
    "000081800001000100000000"                                                                     \
    "0161000001000101610000010001"                                                                 \
    "0000012c0004c0000201"

static void test_entries(void **state)
{
    static const struct {
        const char *reply;
        const char *text;
    } cases[] = {
        {"ok\n.\n", "not cached\n"},
        {"ok\nentry fresh answer 12 288 5 0 0 0 57401\nmessage " MESSAGE "\n.\n",
            "cached, fresh: an answer\n"
            "    12 s old, 288 s left, given 5 times, from upstream group default\n"
            "    a. 288 A 192.0.2.1\n"},
        {"ok\nentry stale nxdomain 400 0 1 1 1 1 6323 and more\nmessage -\n.\n",
            "cached, stale, for questions with DO CD: there is no such name, authentic (AD)\n"
            "    400 s old, 0 s left, given 1 time, from upstream group office\n"},
        {"ok\nentry fresh failure 0 1 0 1 0 0 0\nmessage -\ntea\n.\n",
            "cached, fresh, for questions with DO: asking failed a moment ago (SERVFAIL)\n"
            "    0 s old, 1 s left, given 0 times\n"},
        {"ok\nentry fresh invented 0 1 0 0 0 0 9\n.\n",
            "cached, fresh: invented\n"
            "    0 s old, 1 s left, given 0 times, from upstream group (not of this "
            "configuration)\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(add(cases[i].reply));
        assert_string_equal(output, cases[i].text);
    }
}

/* What newer daemons tell: where it stands, why it was asked for, what it cost, why it failed. */
static void test_past(void **state)
{
    char reply[256];
    (void)state;
    assert_true(add("ok\nlist zen.spamhaus.org. 0\n"
                    "entry fresh answer 12 288 5 0 0 0 57401 protected client 43100 -1\n.\n"));
    assert_string_equal(output, "cached, fresh: an answer\n"
                                "    12 s old, 288 s left, given 5 times, from upstream group "
                                "default\n"
                                "    fetched for a client in 43.1ms; protected, for it was asked "
                                "again\n");
    (void)snprintf(reply, sizeof reply,
        "ok\nentry fresh nxdomain 12 288 1 0 0 0 %u list ahead 0 -1\n.\n",
        origin_of_group("direct:bl.example"));
    assert_true(add(reply));
    assert_non_null(strstr(output, "given 1 time, from the name servers of bl.example\n"
                                   "    fetched before a client asked; among the answers of DNS "
                                   "lists\n"));
    assert_true(add("ok\nentry stale answer 1 0 0 0 0 0 57401 probation snapshot 0 -1\n.\n"));
    assert_non_null(strstr(output, "\n    from before the restart; on probation\n"));
    assert_true(add("ok\nentry stale answer 1 0 0 0 0 0 57401 attic magic 0 -1\n.\n"));
    assert_non_null(strstr(output, "\n    magic; attic\n"));
    assert_true(add("ok\nentry fresh failure 1 4 0 0 0 0 0 probation client 0 18\n.\n"));
    assert_string_equal(output, "cached, fresh: asking failed a moment ago (SERVFAIL): it was "
                                "refused\n"
                                "    1 s old, 4 s left, given 0 times\n");
    assert_true(add("ok\nentry fresh failure 1 4 0 0 0 0 0 probation client 0 99\n.\n"));
    assert_non_null(strstr(output, "(SERVFAIL)\n"));
}

static void test_what_cannot_be_read(void **state)
{
    static const char *const cases[] = {
        "ok\nentry\n.\n",
        "ok\nentry fresh answer 12 288 5 0 0 0\n.\n",
        "ok\nentry fresh answer x 288 5 0 0 0 0\n.\n",
        "ok\nentry fresh answer 12 288 5 2 0 0 0\n.\n",
        "ok\nentry fresh answer 12 288 5 0 0 0 65536\n.\n",
        "ok\nentry fresh answer 12 288 5 0 0 0 0 probation client x -1\n.\n",
        "ok\nlist zen.spamhaus.org.\n.\n",
        "ok\nmessage " MESSAGE "\n.\n",
        "ok\nentry fresh answer 1 1 1 0 0 0 0\nmessage\n.\n",
        "ok\nentry fresh answer 1 1 1 0 0 0 0\nmessage 0\n.\n",
        "ok\nentry fresh answer 1 1 1 0 0 0 0\nmessage 00\n.\n",
        "ok\nentry fresh answer 1 1 1 0 0 0 0\nmessage zz\n.\n",
        "ok\nentry fresh answer 1 1 1 0 0 0 0\nmessage " MESSAGE "00\n.\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(add(cases[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_past),
        cmocka_unit_test(test_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, servers_set, NULL);
}
