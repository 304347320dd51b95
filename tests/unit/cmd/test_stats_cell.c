/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cmd/stats_cell.h"

static char cell_data[128];
static struct text cell;

static void start(void)
{
    text_init(&cell, cell_data, sizeof cell_data);
}

struct number_case {
    uint64_t number;
    const char *text;
};

static void test_counts(void **state)
{
    static const struct number_case cases[] = {
        {0, "      0"},
        {999999, " 999999"},
        {1000000, "  1.00M"},
        {12345678, "  12.3M"},
        {123456789, "   123M"},
        {999499999, "   999M"},
        {999500000, "  1.00G"},
        {UINT64_C(5000000000000), "  5.00T"},
        {UINT64_MAX, "  18.4E"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start();
        stats_cell_count(&cell, 7, cases[i].number);
        assert_string_equal(cell_data, cases[i].text);
    }
}

static void test_percents_round_down(void **state)
{
    static const struct {
        uint64_t part;
        uint64_t whole;
        const char *text;
    } cases[] = {
        {0, 0, "    -"},
        {0, 1, "  0.0"},
        {1, 1, "100.0"},
        {999999, 1000000, " 99.9"},
        {1, 3, " 33.3"},
        {UINT64_MAX, UINT64_MAX, "100.0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start();
        stats_cell_percent(&cell, 5, cases[i].part, cases[i].whole);
        assert_string_equal(cell_data, cases[i].text);
    }
}

static void test_latencies(void **state)
{
    (void)state;
    start();
    stats_cell_latency(&cell, 7, 0, 0);
    stats_cell_latency(&cell, 7, 1, 0);
    stats_cell_latency(&cell, 7, 1, 1250);
    assert_string_equal(cell_data, "      -    0us 1.25ms");
}

static void test_bytes(void **state)
{
    static const struct number_case cases[] = {
        {0, "0"},
        {1023, "1023"},
        {1024, "1.00k"},
        {12345678, "11.8M"},
        {67108864, "64.0M"},
        {UINT64_C(1) << 40, "1.00T"},
        {UINT64_MAX, "16.0E"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start();
        stats_cell_bytes(&cell, cases[i].number);
        assert_string_equal(cell_data, cases[i].text);
    }
}

static void test_uptimes(void **state)
{
    static const struct number_case cases[] = {
        {0, "0s"},
        {59, "59s"},
        {60, "1m 0s"},
        {11531, "3h 12m"},
        {86400 * 400 + 3600 * 5, "400d 5h"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start();
        stats_cell_uptime(&cell, cases[i].number);
        assert_string_equal(cell_data, cases[i].text);
    }
}

static void expect_bars(const struct histogram_sum *sum, bool is_utf8, const char *text)
{
    const struct stats_style style = {.is_utf8 = is_utf8};
    start();
    stats_cell_bars(&cell, &style, sum);
    assert_string_equal(cell_data, text);
}

static void test_bars(void **state)
{
    struct histogram_sum sum = {.count = 0};
    (void)state;
    expect_bars(&sum, true, "");
    sum.buckets[5] = 1;   /* 5 us: shorter than all. */
    sum.buckets[10] = 80; /* 10 us. */
    sum.buckets[15] = 1;  /* With it. */
    expect_bars(&sum, true, "▁█");
    sum.buckets[histogram_bucket(100)] = 40; /* 100 us. */
    expect_bars(&sum, true, "▁█  ▄");
    expect_bars(&sum, false, ".#  =");
    sum.buckets[HISTOGRAM_BUCKETS - 1] = 1; /* Longer than all. */
    expect_bars(&sum, false, ".#  =           .");
}

static void test_the_title_stands_above_its_bars(void **state)
{
    static const struct {
        uint64_t duration_us;
        const char *word;
    } cases[] = {{10, "10us"}, {1000, "1ms"}, {100000, "100ms"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct histogram_sum sum = {.count = 1};
        const struct stats_style style = {.is_utf8 = false};
        const char *word = strstr(STATS_CELL_BARS_TITLE, cases[i].word);
        assert_non_null(word);
        sum.buckets[histogram_bucket(cases[i].duration_us) + 1] = 1;
        start();
        stats_cell_bars(&cell, &style, &sum);
        assert_int_equal(cell.len - 1, word - STATS_CELL_BARS_TITLE);
    }
}

static void test_colours_only_where_wanted(void **state)
{
    const struct stats_style plain = {.has_colour = false};
    const struct stats_style coloured = {.has_colour = true};
    (void)state;
    start();
    stats_cell_colour(&cell, &plain, STATS_COLOUR_RED);
    assert_string_equal(cell_data, "");
    stats_cell_colour(&cell, &coloured, STATS_COLOUR_RED);
    stats_cell_colour(&cell, &coloured, STATS_COLOUR_NONE);
    assert_string_equal(cell_data, "\033[31m\033[0m");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_percents_round_down),
        cmocka_unit_test(test_latencies),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_uptimes),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_the_title_stands_above_its_bars),
        cmocka_unit_test(test_colours_only_where_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
