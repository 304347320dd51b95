/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/slow_view.h"
#include "tests/unit/cmd/slow_fixture.h"
#include "tests/unit/cmd/stats_fixture.h"

static struct slow_view view;

static bool read_text(const char *text, size_t max)
{
    struct reply reply;
    bool is_read = reply_set(&reply, text) && slow_view_read(&reply, max, &view);
    reply_fini(&reply);
    return is_read;
}

static void test_fixture(void **state)
{
    (void)state;
    assert_true(read_text(slow_fixture, SLOW_VIEW_MAX));
    assert_int_equal(view.count, 3);
    const struct slow_question *first = &view.questions[0];
    assert_int_equal(first->age_s, 754);
    assert_int_equal(first->waited_us, 61200);
    assert_int_equal(first->count, 3);
    assert_string_equal(first->type, "MX");
    assert_string_equal(first->name, "mail.example.org.");
    assert_false(first->has_ede);
    assert_string_equal(first->reason, "");
    assert_int_equal(first->event_count, 3);
    assert_string_equal(first->events[1].detail, "hedge");
    const struct slow_question *second = &view.questions[1];
    assert_int_equal(second->joined_us, 20000);
    assert_true(second->wants_dnssec);
    assert_true(second->has_ede);
    assert_int_equal(second->ede, 3);
    assert_string_equal(second->reason, "upstream is slow or silent; this answer has expired");
    assert_true(second->events[2].is_late);
    assert_int_equal(second->left_out, 12);
    assert_int_equal(view.questions[2].event_count, 0);
    assert_int_equal(view.questions[2].left_out, 0);
}

static void test_count(void **state)
{
    (void)state;
    assert_true(read_text(slow_fixture, 2));
    assert_int_equal(view.count, 2);
    assert_string_equal(view.questions[1].outcome, "stale");
    assert_true(read_text("ok\n.\n", 2));
    assert_int_equal(view.count, 0);
}

/* More than there is room for: events are counted, questions left out. */
static void test_room(void **state)
{
    static char text[256 * 1024];
    size_t len = (size_t)snprintf(text, sizeof text, "ok\n");
    (void)state;
    for (unsigned i = 0; i < SLOW_VIEW_MAX + 1; i++) {
        len += (size_t)snprintf(
            text + len, sizeof text - len, "question 0 %u 0 1 A 0 miss NOERROR -1 n.example.\n", i);
        for (unsigned k = 0; k < SLOW_VIEW_EVENTS_MAX + 3; k++) {
            len += (size_t)snprintf(
                text + len, sizeof text - len, "event %u asked - udp first - 0\n", k);
        }
    }
    (void)snprintf(text + len, sizeof text - len, ".\n");
    assert_true(read_text(text, 1000));
    assert_int_equal(view.count, SLOW_VIEW_MAX);
    assert_int_equal(view.questions[0].event_count, SLOW_VIEW_EVENTS_MAX);
    assert_int_equal(view.questions[0].left_out, 3);
}

static void test_what_cannot_be_read(void **state)
{
    static const char *const cases[] = {
        "ok\nquestion\n.\n",
        "ok\nquestion 0 0 0 9 A 0 failed SERVFAIL 13\n.\n",
        "ok\nquestion x 0 0 9 A 0 failed SERVFAIL 13 a.\n.\n",
        "ok\nquestion 0 -1 0 9 A 0 failed SERVFAIL 13 a.\n.\n",
        "ok\nquestion 0 0 0 9 A 2 failed SERVFAIL 13 a.\n.\n",
        "ok\nquestion 0 0 0 9 A 0 failed SERVFAIL 70000 a.\n.\n",
        "ok\nquestion 0 0 0 9 ATYPEWITHALONGNAME 0 failed SERVFAIL 13 a.\n.\n",
        "ok\nquestion 0 0 0 9 A 0 failed SERVFAIL 13 a.\nevent 0\n.\n",
        "ok\nquestion 0 0 0 9 A 0 failed SERVFAIL 13 a.\nleft-out\n.\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(read_text(cases[i], SLOW_VIEW_MAX));
    }
    assert_true(read_text("ok\nevent 0\nreason none\nleft-out x\n.\n", SLOW_VIEW_MAX));
    assert_int_equal(view.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixture),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
