/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "resolver/events.h"
#include "daemon/events.h"

/* Of both floors: the log is one. */
static const struct log_event *const events[] = {
#define EVENT(name, level, sentence) &event_##name,
#include "daemon/events.def"
#include "resolver/events.def"
#undef EVENT
};

#define EVENTS (sizeof events / sizeof events[0])

static void names_are_words_and_each_is_there_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVENTS; i++) {
        const char *name = events[i]->name;
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(name));
        for (size_t other = 0; other < i; other++) {
            assert_string_not_equal(name, events[other]->name);
        }
    }
}

/* A program splits the line at the first ": " and looks for pairs behind it. */
static void sentences_hold_nothing_that_looks_like_a_pair(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVENTS; i++) {
        const char *sentence = events[i]->sentence;
        size_t len = strlen(sentence);
        assert_in_range(len, 8, 200);
        assert_null(strpbrk(sentence, "=\"\\%\n"));
        assert_true(sentence[len - 1] != '.');
        assert_in_range(events[i]->level, LOG_LEVEL_ERROR, LOG_LEVEL_DEBUG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_words_and_each_is_there_once),
        cmocka_unit_test(sentences_hold_nothing_that_looks_like_a_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
