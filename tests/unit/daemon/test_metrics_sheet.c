/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/histogram.h"
#include "base/text.h"
#include "daemon/metrics_sheet.h"

static char bytes[8192];
static struct text text;

static struct metrics_sheet sheet_of(enum metrics_form form)
{
    text_init(&text, bytes, sizeof bytes);
    return (struct metrics_sheet){.text = &text, .form = form};
}

static void test_families(void **state)
{
    static const struct {
        const char *name;
        enum metrics_family family;
        const char *openmetrics;
        const char *prometheus;
    } cases[] = {
        {"cups", METRICS_FAMILY_COUNTER, "# TYPE mxcache_cups counter\n# HELP mxcache_cups Tea.\n",
            "# TYPE mxcache_cups_total counter\n# HELP mxcache_cups_total Tea.\n"},
        {"cups", METRICS_FAMILY_GAUGE, "# TYPE mxcache_cups gauge\n# HELP mxcache_cups Tea.\n",
            "# TYPE mxcache_cups gauge\n# HELP mxcache_cups Tea.\n"},
        {"cups", METRICS_FAMILY_INFO, "# TYPE mxcache_cups info\n# HELP mxcache_cups Tea.\n",
            "# TYPE mxcache_cups_info gauge\n# HELP mxcache_cups_info Tea.\n"},
        {"tea_seconds", METRICS_FAMILY_HISTOGRAM,
            "# TYPE mxcache_tea_seconds histogram\n# UNIT mxcache_tea_seconds seconds\n"
            "# HELP mxcache_tea_seconds Tea.\n",
            "# TYPE mxcache_tea_seconds histogram\n# HELP mxcache_tea_seconds Tea.\n"},
        {"tea_bytes", METRICS_FAMILY_GAUGE,
            "# TYPE mxcache_tea_bytes gauge\n# UNIT mxcache_tea_bytes bytes\n"
            "# HELP mxcache_tea_bytes Tea.\n",
            "# TYPE mxcache_tea_bytes gauge\n# HELP mxcache_tea_bytes Tea.\n"},
        /* No unit: it is the whole name, or no word of its own. */
        {"seconds", METRICS_FAMILY_GAUGE,
            "# TYPE mxcache_seconds gauge\n# HELP mxcache_seconds Tea.\n",
            "# TYPE mxcache_seconds gauge\n# HELP mxcache_seconds Tea.\n"},
        {"kilobytes", METRICS_FAMILY_GAUGE,
            "# TYPE mxcache_kilobytes gauge\n# HELP mxcache_kilobytes Tea.\n",
            "# TYPE mxcache_kilobytes gauge\n# HELP mxcache_kilobytes Tea.\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct metrics_sheet sheet = sheet_of(METRICS_FORM_OPENMETRICS);
        metrics_sheet_open(&sheet, cases[i].name, cases[i].family, "Tea.");
        assert_string_equal(bytes, cases[i].openmetrics);
        sheet = sheet_of(METRICS_FORM_PROMETHEUS);
        metrics_sheet_open(&sheet, cases[i].name, cases[i].family, "Tea.");
        assert_string_equal(bytes, cases[i].prometheus);
    }
}

static void test_no_sentence_no_help(void **state)
{
    (void)state;
    struct metrics_sheet sheet = sheet_of(METRICS_FORM_OPENMETRICS);
    metrics_sheet_open(&sheet, "cups", METRICS_FAMILY_GAUGE, NULL);
    assert_string_equal(bytes, "# TYPE mxcache_cups gauge\n");
}

/* The older form takes a quote in a comment as it stands. */
static void test_escapes(void **state)
{
    (void)state;
    struct metrics_sheet sheet = sheet_of(METRICS_FORM_OPENMETRICS);
    metrics_sheet_open(&sheet, "a", METRICS_FAMILY_GAUGE, "\"\\\n");
    assert_non_null(strstr(bytes, "# HELP mxcache_a \\\"\\\\\\n\n"));
    sheet = sheet_of(METRICS_FORM_PROMETHEUS);
    metrics_sheet_open(&sheet, "a", METRICS_FAMILY_GAUGE, "\"\\\n");
    assert_non_null(strstr(bytes, "# HELP mxcache_a \"\\\\\\n\n"));
    (void)sheet_of(METRICS_FORM_PROMETHEUS);
    metrics_sheet_label(&text, "zone", "a\"b\\c\nd");
    assert_string_equal(bytes, "zone=\"a\\\"b\\\\c\\nd\"");
}

static void test_samples(void **state)
{
    (void)state;
    (void)sheet_of(METRICS_FORM_PROMETHEUS);
    metrics_sheet_sample(&text, "cups", "_total", "", UINT64_MAX);
    metrics_sheet_sample(&text, "cups", "", "kind=\"tea\"", 0);
    metrics_sheet_seconds(&text, 61000001);
    assert_string_equal(
        bytes, "mxcache_cups_total 18446744073709551615\nmxcache_cups{kind=\"tea\"} 0\n61.000001");
}

/* Edges as people write them, counts that only grow and are exact at the edges, +Inf, count, sum.
 */
static void test_histograms(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    struct histogram_sum sum = {.count = 0};
    histogram_record(&histogram, 50);
    histogram_record(&histogram, 51);
    histogram_record(&histogram, 5000000);
    histogram_record(&histogram, 5000001);
    histogram_merge(&sum, &histogram);
    (void)sheet_of(METRICS_FORM_PROMETHEUS);
    metrics_sheet_histogram(&text, "t_seconds", "a=\"b\"", &sum);
    assert_string_equal(bytes, "mxcache_t_seconds_bucket{a=\"b\",le=\"0.00005\"} 1\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.0001\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.00025\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.0005\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.001\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.0025\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.005\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.01\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.025\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.05\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.1\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.25\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"0.5\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"1.0\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"2.5\"} 2\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"5.0\"} 3\n"
                               "mxcache_t_seconds_bucket{a=\"b\",le=\"+Inf\"} 4\n"
                               "mxcache_t_seconds_count{a=\"b\"} 4\n"
                               "mxcache_t_seconds_sum{a=\"b\"} 10.000102\n");
    (void)sheet_of(METRICS_FORM_PROMETHEUS);
    metrics_sheet_histogram(&text, "t_seconds", "", &sum);
    assert_non_null(strstr(bytes, "mxcache_t_seconds_bucket{le=\"+Inf\"} 4\n"));
    assert_non_null(strstr(bytes, "mxcache_t_seconds_count 4\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_no_sentence_no_help),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_histograms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
