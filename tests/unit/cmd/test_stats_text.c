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
#include "cmd/stats_cell.h"
#include "cmd/stats_read.h"
#include "cmd/stats_text.h"
#include "daemon/stats_view.h"
#include "tests/unit/cmd/stats_fixture.h"

struct bench {
    struct stats_view view;
    struct text text;
    char data[1 << 20];
};

static int bench_new(void **state)
{
    *state = malloc(sizeof(struct bench));
    return *state == NULL ? -1 : 0;
}

static int bench_free(void **state)
{
    free(*state);
    return 0;
}

static const char *render(struct bench *bench, const char *text, struct stats_style style)
{
    struct reply reply;
    assert_true(reply_set(&reply, text));
    assert_true(stats_read(&reply, &bench->view));
    reply_fini(&reply);
    text_init(&bench->text, bench->data, sizeof bench->data);
    stats_text_add(&bench->text, &style, &bench->view);
    assert_false(bench->text.is_cut);
    return bench->data;
}

/* Characters, not bytes: what goes on is no new column. */
static void assert_fits(const char *screen)
{
    size_t columns = 0;
    for (; *screen != '\0'; screen++) {
        columns += ((unsigned char)*screen & 0xc0) != 0x80 ? 1 : 0;
        if (*screen == '\n') {
            assert_in_range(columns, 1, STATS_TEXT_COLUMNS + 1);
            columns = 0;
        }
    }
    assert_int_equal(columns, 0);
}

static const char golden[] =
    "mxcache 0.1.0, up 3h 12m: limping, 1 of 3 servers does not answer.\n"
    "99.9 % answered from here; the slowest 1 % of MX questions wait 44.0ms or more.\n"
    "\n"
    "asked  count here % stale failed    p50    p90    p99    max   10us  1ms   100ms\n"
    "mx      1000   92.0    20      1   10us   10us 44.0ms  4.00s   █  ▁      ▁    ▁\n"
    "a          0      -     0      0      -      -      -      -\n"
    "aaaa       0      -     0      0      -      -      -      -\n"
    "ptr        0      -     0      0      -      -      -      -\n"
    "txt        0      -     0      0      -      -      -      -\n"
    "tlsa       0      -     0      0      -      -      -      -\n"
    "list   1.23M   99.9     0      0   10us   10us   10us 1.00ms   █    ▁\n"
    "other      5  100.0     0      0    0us    0us    0us    0us  █\n"
    "\n"
    "answered                           count      %    p50    p90    p99    max\n"
    "hit     fresh from the cache       1.23M   99.9   10us   10us   10us   11us\n"
    "stale   expired, but given            20    0.0  100us  100us  101us  101us\n"
    "joined  waited for another's work     10    0.0  996us  996us 1.00ms 1.00ms\n"
    "miss    waited for upstream          139    0.0 44.0ms 44.0ms 44.0ms 47.0ms\n"
    "local   answered in the house          5    0.0    0us    0us    0us    0us\n"
    "failed  SERVFAIL                       1    0.0  4.00s  4.00s  4.00s  4.00s\n"
    "\n"
    "upstreams          state      sent answered failed no reply    p50    p90    p99\n"
    "192.0.2.53         well        150      140      3        7 11.0ms 45.0ms 90.0ms\n"
    "  of these over tcp                       3                 44.0ms 50.0ms 50.0ms\n"
    "9.9.9.9#dns.quad9.net\n"
    "                   resting      12        1      0       13    0us    0us    0us\n"
    "\n"
    "upstream office    state      sent answered failed no reply    p50    p90    p99\n"
    "2001:db8::53@5353  untried       0        0      0        0      -      -      -\n"
    "\n"
    "lists                         asked here % listed refused    p50    p99 remark\n"
    "zen.spamhaus.org               1200   75.0    100     250   10us 45.0ms resolver\n"
    "zen.dq.spamhaus.net             200   90.0     20       0   10us   10us\n"
    "a-list-with-a-long-name.blocklists.example.org\n"
    "                                  5    0.0      0       0    0us    0us ended\n"
    "all others                        7    0.0      0       0    0us    0us\n"
    "\n"
    "asked ahead          asked   used used %  wasted  at present\n"
    "client_ptr              40     30   75.0      10  on\n"
    "domain_mx               10      1   10.0       9  off\n"
    "\n"
    "cache\n"
    "11.8M of 64.0M in use (18.3 %): 12345 answers; 0 evicted to make room\n"
    "\n"
    "what went wrong since the start\n"
    "   1200  zen.spamhaus.org refuses questions through a public or shared resolver:\n"
    "         ask it from this host's own address (route = direct in its [zone]\n"
    "         section, or an upstream that is yours), or with a customer's key.\n"
    "      5  a-list-with-a-long-name.blocklists.example.org was closed (some time\n"
    "         ago): take it out of the mail software; each mail asks it.\n"
    "      3  Answers with rcode SERVFAIL. Postfix defers mail on these.\n"
    "     12  Datagrams that were no reply to the question asked (wrong name,\n"
    "         spelling or cookie). Many of them: somebody is guessing.\n";

static void test_the_screen(void **state)
{
    const char *screen = render(*state, stats_fixture, (struct stats_style){.is_utf8 = true});
    assert_string_equal(screen, golden);
    assert_fits(screen);
}

static void test_plain_terminals_get_ascii(void **state)
{
    const char *screen = render(*state, stats_fixture, (struct stats_style){.is_utf8 = false});
    for (const char *at = screen; *at != '\0'; at++) {
        assert_true((*at >= ' ' && *at <= '~') || *at == '\n');
    }
    assert_fits(screen);
}

static void test_colours_change_nothing_else(void **state)
{
    struct bench *bench = *state;
    const char *screen = render(bench, stats_fixture, (struct stats_style){true, true});
    static char bare[sizeof bench->data];
    size_t len = 0;
    assert_non_null(strstr(screen, "\033[33mlimping\033[0m"));
    for (const char *at = screen; *at != '\0'; at++) {
        if (*at == '\033') {
            at = strchr(at, 'm');
            assert_non_null(at);
        } else {
            bare[len++] = *at;
        }
    }
    bare[len] = '\0';
    assert_string_equal(bare, golden);
}

static void test_a_fresh_daemon(void **state)
{
    const char *screen =
        render(*state, "ok\ninfo 0.1.0 0 1 7 -\n.\n", (struct stats_style){.is_utf8 = true});
    static const char first[] = "mxcache 0.1.0, up 0s: idle, nothing was asked yet.\n\nasked ";
    assert_memory_equal(screen, first, sizeof first - 1);
    assert_non_null(strstr(screen, "\nmx         0      -     0      0      -"));
    assert_non_null(strstr(screen, "0 of 0 in use (- %): 0 answers"));
    assert_non_null(strstr(screen, "\nnothing went wrong since the start\n"));
    assert_fits(screen);
}

struct words_case {
    const char *lines;
    const char *words;
};

static void test_health_in_words(void **state)
{
    static const struct words_case cases[] = {
        {"wait a hit 1 1 1 1:1", "up 5s: well.\n100.0 % answered from here.\n"},
        {"wait a failed 1 1 1 1:1\nwait a miss 2 1 1 1:2",
            "up 5s: failing, 33.3 % of all questions got SERVFAIL.\n0.0 % answered from here.\n"},
        {"lately 3 0\nwait a failed 9 1 1 1:9\nwait a miss 9 1 1 1:9", "up 5s: well.\n"},
        {"lately 0 0\nwait a failed 9 1 1 1:9\nwait a miss 9 1 1 1:9", "up 5s: well.\n"},
        {"lately 4 1\nwait a failed 9 1 1 1:9\nwait a miss 991 1 1 1:991",
            "up 5s: failing, 25.0 % of all questions got SERVFAIL.\n"
            "That is of the last ten minutes; the numbers count from the start.\n"},
        {"covers 2\nwait a failed 1 1 1 1:1\nwait a miss 2 1 1 1:2",
            "up 5s: failing, 33.3 % of all questions got SERVFAIL.\n"
            "The numbers are those of the last 2s.\n"},
        {"lately 9 0\ncovers 2\nwait a failed 1 1 1 1:1\nwait a miss 2 1 1 1:2",
            "up 5s: failing, 33.3 % of all questions got SERVFAIL.\nThe numbers are"},
        {"covers 2", "up 5s: idle, nothing was asked in this time.\n"},
        {"upstream default a - resting 1 1 1 1 1 1 1 1 1 1",
            "up 5s: cut off, no upstream server answers.\n"},
        {"upstream default a - well 1 1 1 1 1 1 1 1 1 1\n"
         "upstream b c - resting 1 1 1 1 1 1 1 1 1 1",
            "up 5s: cut off, one upstream group does not answer.\n"},
        {"upstream default a - well 1 1 1 1 1 1 1 1 1 1\n"
         "upstream default b - resting 1 1 1 1 1 1 1 1 1 1\n"
         "upstream default c - resting 1 1 1 1 1 1 1 1 1 1",
            "up 5s: limping, 2 of 3 servers do not answer.\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, "ok\ninfo 0.1.0 5 1 7 -\n%s\n.\n", cases[i].lines);
        const char *screen = render(*state, text, (struct stats_style){.is_utf8 = true});
        assert_non_null(strstr(screen, cases[i].words));
        assert_fits(screen);
    }
}

static void test_large_numbers_and_long_names_fit(void **state)
{
    static const char text[] =
        "ok\n"
        "info 123456789012345678901234567890 4294967295 1 7 -\n"
        "metric cache_bytes gauge 18446744073709551615\n"
        "metric cache_bytes_max gauge 18446744073709551615\n"
        "metric cache_entries gauge 18446744073709551615\n"
        "metric cache_evictions counter 18446744073709551615\n"
        "wait mx hit 1 1 72057594037927936 383:70368744177664\n"
        "wait mx failed 1 1 72057594037927936 0:70368744177664\n"
        "wait mx stale 1 1 72057594037927936 0:70368744177664\n"
        "upstream a-group-with-a-very-long-name-that-goes-on-and-on "
        "2001:0db8:aaaa:bbbb:cccc:dddd:eeee:ffff@12345 "
        "a-tls-name.that-is-long.a-tls-name.that-is-long.a-tls-name.that-is-long.example "
        "a-state-of-its-own 18446744073709551615 18446744073709551615 18446744073709551615 "
        "18446744073709551615 18446744073709551615 18446744073709551615 18446744073709551615 "
        "18446744073709551615 18446744073709551615 18446744073709551615\n"
        "list "
        "a-zone-that-is-very-long.a-zone-that-is-very-long.a-zone-that-is-very-long.a.b.c.example "
        "a-long-standing 18446744073709551615 18446744073709551615 1 18446744073709551615 1 1 1 1 "
        "70368744177664 70368744177664 70368744177664 1 70368744177664 70368744177664 1 1 1 1\n"
        ".\n";
    assert_fits(render(*state, text, (struct stats_style){.is_utf8 = true}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_screen),
        cmocka_unit_test(test_plain_terminals_get_ascii),
        cmocka_unit_test(test_colours_change_nothing_else),
        cmocka_unit_test(test_a_fresh_daemon),
        cmocka_unit_test(test_health_in_words),
        cmocka_unit_test(test_large_numbers_and_long_names_fit),
    };
    return cmocka_run_group_tests(tests, bench_new, bench_free);
}
