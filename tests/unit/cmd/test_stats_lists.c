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
#include "cmd/stats_lists.h"
#include "cmd/stats_text.h"
#include "daemon/stats_view.h"

#define HEAD "\nlists                         asked here % listed refused    p50    p99 remark\n"

static char room[8192];

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

static struct stats_list *add(struct stats_view *view, const char *zone, const char *standing)
{
    struct stats_list *list = &view->lists[view->list_count++];
    (void)snprintf(list->zone, sizeof list->zone, "%s", zone);
    (void)snprintf(list->standing, sizeof list->standing, "%s", standing);
    return list;
}

static const char *show(const struct stats_view *view, bool has_colour)
{
    const struct stats_style style = {.has_colour = has_colour};
    struct text text;
    text_init(&text, room, sizeof room);
    stats_lists_add(&text, &style, view);
    return room;
}

/* No list was asked: not even the head is there. */
static void test_none(void **state)
{
    assert_string_equal(show(*state, false), "");
}

static void test_rows(void **state)
{
    struct stats_view *view = *state;
    struct stats_list *list = add(view, "zen.spamhaus.org", "well");
    list->counts[STATS_LIST_asked] = 1200;
    list->counts[STATS_LIST_hits] = 900;
    list->counts[STATS_LIST_listed] = 100;
    list->wait_p50_us = 10;
    list->wait_p99_us = 45000;
    (void)add(view, "-", "well");
    assert_string_equal(show(view, false),
        HEAD "zen.spamhaus.org               1200   75.0    100       0   10us 45.0ms\n"
             "all others                        0      -      0       0      -      -\n");
}

/* What does not answer as a list is said behind its numbers, in yellow where there is colour. */
static void test_remark(void **state)
{
    static const struct {
        const char *standing;
        const char *remark;
    } cases[] = {{"well", NULL}, {"resolver", " resolver\n"}, {"ended", " ended\n"},
        {"a-cause-to-come", " a-cause-\n"}};
    struct stats_view *view = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        view->list_count = 0;
        struct stats_list *list = add(view, "bl.example", cases[i].standing);
        list->counts[STATS_LIST_refused] = 7;
        const char *shown = show(view, false);
        bool has_remark = cases[i].remark != NULL;
        assert_true(!has_remark || strstr(shown, cases[i].remark) != NULL);
        assert_true((strstr(show(view, true), "\033[33m") != NULL) == has_remark);
        assert_null(strstr(show(view, false), "\033"));
    }
}

/* A zone too long for its column has a line of its own, and one too long for that is cut. */
static void test_long_zones(void **state)
{
    struct stats_view *view = *state;
    char zone[STATS_LIST_ZONE_SIZE];
    for (size_t len = 26; len < STATS_LIST_ZONE_SIZE; len++) {
        memset(zone, 'z', len);
        zone[len] = '\0';
        view->list_count = 0;
        (void)add(view, zone, "well");
        const char *shown = show(view, false);
        const char *line = strchr(shown + 1, '\n') + 1;
        size_t first = strcspn(line, "\n");
        assert_true(first <= STATS_TEXT_COLUMNS);
        assert_memory_equal(line, zone, len < 70 ? len : 70);
        assert_true((line[first + 1] == ' ') == (len >= 28));
        assert_true((strstr(line, "...") != NULL) == (len > STATS_TEXT_COLUMNS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none, view_new, view_free),
        cmocka_unit_test_setup_teardown(test_rows, view_new, view_free),
        cmocka_unit_test_setup_teardown(test_remark, view_new, view_free),
        cmocka_unit_test_setup_teardown(test_long_zones, view_new, view_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
