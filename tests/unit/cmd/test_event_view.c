/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "resolver/judge.h"
#include "resolver/timeline.h"
#include "cmd/event_view.h"
#include "cmd/reply.h"

static char shown[EVENT_VIEW_TEXT_SIZE];

static bool read_line(const char *line, struct event_view *event_out)
{
    char copy[256];
    char *words[EVENT_VIEW_WORDS];
    (void)snprintf(copy, sizeof copy, "%s", line);
    size_t count = reply_words(copy, words, EVENT_VIEW_WORDS);
    return event_view_read(words, count, event_out);
}

static const char *words_of(const char *line)
{
    struct event_view event;
    struct text text;
    assert_true(read_line(line, &event));
    text_init(&text, shown, sizeof shown);
    event_view_add(&text, &event);
    assert_false(text.is_cut);
    return shown;
}

static void test_words(void **state)
{
    static const char *const cases[][2] = {
        {"event 0 asked 192.0.2.1@53 udp first - 0", "asked 192.0.2.1 by UDP"},
        {"event 0 asked 192.0.2.1@853 tls next - 0", "asked 192.0.2.1@853 next, by TLS"},
        {"event 0 asked 192.0.2.1@53 tcp truncated - 0",
            "asked 192.0.2.1 again, by TCP, for the whole answer"},
        {"event 0 asked - udp later-words - 0", "asked one more server by UDP"},
        {"event 0 replied 2001:db8::1@53 udp answer NOERROR 0", "2001:db8::1 answered: NOERROR"},
        {"event 0 replied 192.0.2.1@53 udp servfail SERVFAIL 1",
            "192.0.2.1 failed: SERVFAIL, after it had been given up"},
        {"event 0 replied 192.0.2.1@53 udp tea RCODE15 0", "192.0.2.1 replied: RCODE15"},
        {"event 0 all-rest - udp - - 0", "all servers are dead: waited for one to come back"},
        {"event 0 tea-time - udp - - 0", "tea-time"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(words_of(cases[i][0]), cases[i][1]);
    }
}

static const char *words_of_kind(const char *kind, const char *detail)
{
    char line[128];
    (void)snprintf(line, sizeof line, "event 1 %s 192.0.2.1@53 udp %s NOERROR 0", kind, detail);
    return words_of(line);
}

/* Every word that this version's daemon can say has words of its own here. */
static void test_all_kinds(void **state)
{
    char general[EVENT_VIEW_TEXT_SIZE];
    (void)state;
    for (unsigned i = 0; i < TIMELINE_KINDS; i++) {
        const char *kind = timeline_kind_name((enum timeline_kind)i);
        assert_string_not_equal(words_of_kind(kind, "-"), kind);
    }
    (void)snprintf(general, sizeof general, "%s", words_of_kind("asked", "-"));
    for (unsigned i = TIMELINE_FIRST + 1; i < TIMELINE_REASONS; i++) {
        const char *reason = timeline_reason_name((enum timeline_reason)i);
        assert_string_not_equal(words_of_kind("asked", reason), general);
    }
    (void)snprintf(general, sizeof general, "%s", words_of_kind("replied", "-"));
    for (unsigned i = 0; i < JUDGE_STRANGER; i++) {
        const char *verdict = judge_verdict_name((enum judge_verdict)i);
        assert_string_not_equal(words_of_kind("replied", verdict), general);
    }
}

static void test_what_cannot_be_read(void **state)
{
    static const char *const cases[] = {
        "event",
        "event 0 asked 192.0.2.1@53 udp first -",
        "event x asked 192.0.2.1@53 udp first - 0",
        "event 4294967296 asked 192.0.2.1@53 udp first - 0",
        "event 0 asked 192.0.2.1@53 udp first - 2",
        "event 0 asked 192.0.2.1@53 udp first NOERRORNOERRORNO 0",
        "event 0 asked 192.0.2.1@53 udp a-word-that-is-much-too-long - 0",
        "moment 0 asked 192.0.2.1@53 udp first - 0",
    };
    struct event_view event;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(read_line(cases[i], &event));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_all_kinds),
        cmocka_unit_test(test_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
