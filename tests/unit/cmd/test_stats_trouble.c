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
#include "cmd/stats_trouble.h"
#include "daemon/stats_view.h"

static int view_new(void **state)
{
    *state = calloc(1, sizeof(struct stats_view));
    return *state == NULL ? -1 : 0;
}

static int view_free(void **state)
{
    free(*state);
    return 0;
}

static char output[4096];

static const char *render(struct stats_view *view)
{
    const struct stats_style style = {.is_utf8 = false};
    struct text text;
    text_init(&text, output, sizeof output);
    stats_trouble_add(&text, &style, view);
    assert_false(text.is_cut);
    return output;
}

static void add_metric(
    struct stats_view *view, const char *name, uint64_t value, const char *sentence)
{
    struct stats_metric *metric = &view->metrics[view->metric_count++];
    (void)snprintf(metric->name, sizeof metric->name, "%s", name);
    metric->value = value;
    metric->sentence = sentence;
}

static void test_quiet_when_all_is_zero_or_normal(void **state)
{
    struct stats_view *view = *state;
    memset(view, 0, sizeof *view);
    add_metric(view, "questions", 5, "Normal.");
    add_metric(view, "answers_servfail", 0, "Did not happen.");
    assert_string_equal(render(view), "\nnothing went wrong since the start\n");
}

static void test_sentences_are_wrapped(void **state)
{
    struct stats_view *view = *state;
    memset(view, 0, sizeof *view);
    add_metric(view, "reloads_failed", 1, NULL);
    add_metric(view, "answers_servfail", 12,
        "One two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen.");
    assert_string_equal(render(view),
        "\nwhat went wrong since the start\n"
        "     12  One two three four five six seven eight nine ten eleven twelve thirteen\n"
        "         fourteen fifteen.\n"
        "      1  reloads_failed\n");
}

static void test_lists_stand_first(void **state)
{
    struct stats_view *view = *state;
    memset(view, 0, sizeof *view);
    struct stats_list *list = &view->lists[0];
    (void)snprintf(list->zone, sizeof list->zone, "dnsbl.sorbs.net");
    (void)snprintf(list->standing, sizeof list->standing, "ended");
    list[1] = list[0];
    (void)snprintf(list[1].standing, sizeof list->standing, "parked");
    (void)snprintf(list[2].standing, sizeof list->standing, "well");
    view->list_count = 3;
    assert_string_equal(render(view),
        "\nwhat went wrong since the start\n"
        "      0  dnsbl.sorbs.net was closed (June 2024): take it out of the mail\n"
        "         software; each mail asks it.\n"
        "      0  dnsbl.sorbs.net is parked: its answers are not those of a DNS list: the\n"
        "         list has ended; take it out of the mail software.\n");
}

static void test_a_word_without_end_is_broken(void **state)
{
    struct stats_view *view = *state;
    char sentence[200];
    memset(view, 0, sizeof *view);
    memset(sentence, 'x', sizeof sentence - 1);
    sentence[sizeof sentence - 1] = '\0';
    add_metric(view, "answers_servfail", 1, sentence);
    const char *screen = render(view);
    for (const char *line = screen; line != NULL; line = strchr(line + 1, '\n')) {
        assert_in_range(strcspn(line + 1, "\n"), 0, 80);
    }
    size_t count = 0;
    for (const char *at = screen; *at != '\0'; at++) {
        count += *at == 'x' ? 1 : 0;
    }
    assert_int_equal(count, sizeof sentence - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quiet_when_all_is_zero_or_normal),
        cmocka_unit_test(test_sentences_are_wrapped),
        cmocka_unit_test(test_lists_stand_first),
        cmocka_unit_test(test_a_word_without_end_is_broken),
    };
    return cmocka_run_group_tests(tests, view_new, view_free);
}
