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
#include "cmd/top_view.h"

#define SECOND  UINT64_C(1000000)
#define SCREEN  (256 << 10)
#define SERVERS 40

struct fixture {
    struct top_view top;
    struct stats_view look;
    char screen[SCREEN];
};

static int fixture_new(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    *state = fixture;
    if (fixture == NULL) {
        return -1;
    }
    struct stats_view *look = &fixture->look;
    (void)snprintf(look->version, sizeof look->version, "1.0");
    look->pid = 7;
    look->uptime_s = 100;
    fixture->top.interval_s = 1;
    look->upstream_count = SERVERS;
    for (size_t i = 0; i < SERVERS; i++) {
        struct stats_upstream *upstream = &look->upstreams[i];
        (void)snprintf(upstream->address, sizeof upstream->address, "192.0.2.%zu@53", i);
        (void)snprintf(upstream->group, sizeof upstream->group, "default");
        (void)snprintf(upstream->state, sizeof upstream->state, "well");
        upstream->answered = 1;
        upstream->latency_us = 1000 * (i + 1);
    }
    return 0;
}

static int fixture_free(void **state)
{
    free(*state);
    return 0;
}

static void ask(struct fixture *fixture, enum outcome outcome, uint64_t count, uint64_t wait_us)
{
    struct histogram_sum *sum = &fixture->look.waits[QUESTION_CLASS_MX][outcome];
    sum->buckets[histogram_bucket(wait_us)] += count;
    sum->count += count;
}

static void draw(struct fixture *fixture, unsigned columns, unsigned rows)
{
    const struct stats_style style = {.is_utf8 = false, .has_colour = false};
    const struct top_size size = {.columns = columns, .rows = rows};
    struct text text;
    text_init(&text, fixture->screen, sizeof fixture->screen);
    top_view_add(&text, &style, &fixture->top, &size);
    assert_false(text.is_cut);
}

static void test_rates_and_quantiles(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, OUTCOME_HIT, 1000, 5);
    top_view_take(&fixture->top, &fixture->look, 0);
    draw(fixture, 80, 30);
    assert_non_null(strstr(fixture->screen, "mx           0       -"));
    ask(fixture, OUTCOME_HIT, 30, 100);
    ask(fixture, OUTCOME_MISS, 10, 20000);
    fixture->look.uptime_s += 2;
    top_view_take(&fixture->top, &fixture->look, 2 * SECOND);
    draw(fixture, 80, 30);
    /* Forty within two seconds, three quarters of them from here. */
    assert_non_null(strstr(fixture->screen, "mx          20    75.0"));
    assert_int_equal(fixture->top.samples[1].count[QUESTION_CLASS_MX], 40);
    assert_in_range(fixture->top.samples[1].p99_us[QUESTION_CLASS_MX], 19300, 20700);
    assert_true(fixture->top.samples[1].is_known);
    assert_false(fixture->top.samples[0].is_known);
}

/* Counters that begin anew are no negative rates, and nobody there is said. */
static void test_restart(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, OUTCOME_HIT, 1000, 5);
    top_view_take(&fixture->top, &fixture->look, 0);
    top_view_miss(&fixture->top);
    draw(fixture, 80, 24);
    assert_non_null(strstr(fixture->screen, "does not answer"));
    fixture->look.pid = 8;
    fixture->look.uptime_s = 1;
    memset(fixture->look.waits, 0, sizeof fixture->look.waits);
    top_view_take(&fixture->top, &fixture->look, SECOND);
    assert_false(fixture->top.has_before);
    ask(fixture, OUTCOME_HIT, 5, 5);
    fixture->look.uptime_s = 2;
    top_view_take(&fixture->top, &fixture->look, SECOND);
    assert_true(fixture->top.has_before);
    draw(fixture, 80, 24);
    assert_non_null(strstr(fixture->screen, "mx         5.0   100.0"));
}

/* No line of the screen is wider than `columns`; returns how many there are. */
static unsigned count_lines(const char *screen, unsigned columns)
{
    unsigned lines = 1;
    unsigned width = 0;
    for (const char *at = screen; *at != '\0'; at++) {
        if (strncmp(at, "\033[K", 3) == 0) {
            assert_true(width <= columns);
            width = 0;
            at += 2;
        } else if (*at == '\n') {
            lines++;
        } else if (*at != '\r') {
            width++;
        }
    }
    return lines;
}

/* Whatever the window's size, it is filled and no more, and the keys are shown. */
static void test_sizes(void **state)
{
    struct fixture *fixture = *state;
    top_view_take(&fixture->top, &fixture->look, 0);
    for (unsigned columns = 1; columns < 200; columns += 13) {
        for (unsigned rows = 1; rows < 60; rows += 7) {
            draw(fixture, columns, rows);
            assert_int_equal(count_lines(fixture->screen, columns), rows);
        }
    }
    draw(fixture, 80, 24);
    assert_non_null(strstr(fixture->screen, "q quit"));
    /* The slowest come first. */
    const char *slow = strstr(fixture->screen, "192.0.2.39@53");
    const char *next = strstr(fixture->screen, "192.0.2.38@53");
    assert_true(slow != NULL && next != NULL && slow < next);
    assert_null(strstr(fixture->screen, "192.0.2.0@53"));
}

static void add_list(struct fixture *fixture, const char *zone, uint64_t p99_us)
{
    struct stats_list *list = &fixture->look.lists[fixture->look.list_count++];
    (void)snprintf(list->zone, sizeof list->zone, "%s", zone);
    (void)snprintf(list->standing, sizeof list->standing, "well");
    list->miss.count = 1;
    list->miss_p50_us = p99_us / 2;
    list->miss_p99_us = p99_us;
    list->wait.count = 100;
}

/* However many servers there are, the lists have their rows; the slowest first. */
static void test_lists(void **state)
{
    struct fixture *fixture = *state;
    add_list(fixture, "quick.example", 1000);
    add_list(fixture, "slow.example", 900000);
    top_view_take(&fixture->top, &fixture->look, 0);
    fixture->look.lists[0].wait.count = 130;
    top_view_take(&fixture->top, &fixture->look, 1000000);
    draw(fixture, 80, 24);
    const char *slow = strstr(fixture->screen, "slow.example");
    const char *quick = strstr(fixture->screen, "quick.example");
    assert_non_null(slow);
    assert_non_null(quick);
    assert_true(slow < quick);
    assert_non_null(strstr(quick, "      30"));
    fixture->look.list_count = 0;
    top_view_take(&fixture->top, &fixture->look, 1000000);
    draw(fixture, 80, 24);
    assert_null(strstr(fixture->screen, "slowest lists"));
}

/* What failed hours ago does not colour a live screen, and what fails now does. */
static void test_health_is_that_of_the_looks(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, OUTCOME_FAILED, 10, 5);
    ask(fixture, OUTCOME_HIT, 10, 5);
    top_view_take(&fixture->top, &fixture->look, 0);
    draw(fixture, 80, 24);
    assert_non_null(strstr(fixture->screen, ": failing."));
    top_view_take(&fixture->top, &fixture->look, SECOND);
    draw(fixture, 80, 24);
    assert_non_null(strstr(fixture->screen, ": idle."));
    ask(fixture, OUTCOME_HIT, 99, 5);
    top_view_take(&fixture->top, &fixture->look, SECOND);
    draw(fixture, 80, 24);
    assert_non_null(strstr(fixture->screen, ": well."));
    ask(fixture, OUTCOME_FAILED, 2, 5);
    top_view_take(&fixture->top, &fixture->look, SECOND);
    draw(fixture, 80, 24);
    assert_non_null(strstr(fixture->screen, ": failing."));
}

/* A server that left and came back between two looks counts anew. */
static void test_counters_that_begin_anew(void **state)
{
    struct fixture *fixture = *state;
    fixture->look.upstreams[0].sent = 100;
    fixture->look.upstreams[0].lost = 100;
    add_list(fixture, "bl.example", 1000);
    top_view_take(&fixture->top, &fixture->look, 0);
    fixture->look.upstreams[0].sent = 1;
    fixture->look.upstreams[0].lost = 1;
    fixture->look.lists[0].wait.count = 1;
    top_view_take(&fixture->top, &fixture->look, 2 * SECOND);
    draw(fixture, 80, 60);
    assert_non_null(strstr(fixture->screen, "1.00ms       0       0  default"));
    assert_non_null(strstr(fixture->screen, "  500us  1.00ms       0       0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_health_is_that_of_the_looks, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_counters_that_begin_anew, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_rates_and_quantiles, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_restart, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_sizes, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_lists, fixture_new, fixture_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
