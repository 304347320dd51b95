/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cmd/doctor_json.h"
#include "cmd/doctor_text.h"
#include "cmd/stats_cell.h"
#include "doctor/report.h"

/* The doctor's report as people and programs get it. */

static struct report report;
static char output[65536];

static int set_up(void **state)
{
    (void)state;
    report_init(&report);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    report_fini(&report);
    return 0;
}

static const char *as_text(bool shows_all)
{
    const struct stats_style style = {0};
    const struct doctor_text_form form = {&style, shows_all};
    struct text text;
    text_init(&text, output, sizeof output);
    doctor_text_add(&text, &form, &report);
    return output;
}

static void expect_lines_fit(void)
{
    for (const char *line = output; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        if (len > 80) {
            fail_msg("%zu columns: %.*s", len, (int)len, line);
        }
        line += len + (line[len] != '\0');
    }
}

static void test_nothing_found(void **state)
{
    (void)state;
    report_add(&report, CHECK_mx_conf, REPORT_GOOD, REPORT_CERTAIN, "It is well.");
    assert_string_equal(as_text(false),
        "Well:\n  mx-conf\n\n0 errors, 0 warnings, 0 notes.\n"
        "Nothing was found that would make mail slow or refused.\n");
    assert_non_null(strstr(as_text(true), "  good    mx-conf\n          It is well.\n"));
}

static void test_an_error_is_told_in_full(void **state)
{
    (void)state;
    report_add(&report, CHECK_mx_conf, REPORT_GOOD, REPORT_CERTAIN, "It is well.");
    report_add(&report, CHECK_mx_daemon, REPORT_ERROR, REPORT_LIKELY,
        "A long sentence about what was seen, which has to be wrapped because it is longer than "
        "any terminal that an admin uses at three in the morning.");
    report_advise(&report, "systemctl start mxcache\nsystemctl enable mxcache");
    report_blame(&report, "it does not run");
    const char *text = as_text(false);
    expect_lines_fit();
    assert_non_null(strstr(text, "Resolver configuration\n  error   mx-daemon (likely)\n"));
    assert_non_null(
        strstr(text, "change   systemctl start mxcache\n                   systemctl enable"));
    assert_non_null(strstr(text, "          healthy  mxcache runs"));
    assert_non_null(
        strstr(text, "The most likely cause of slow or refused mail: it does not run."));
    assert_non_null(strstr(text, "1 error, 0 warnings, 0 notes."));
}

/* What is told above is not denied at the end. */
static void test_an_error_without_a_cause(void **state)
{
    (void)state;
    report_add(&report, CHECK_mx_daemon, REPORT_WARNING, REPORT_LIKELY, "Look.");
    assert_null(strstr(as_text(false), "Nothing was found"));
    assert_non_null(strstr(output, "None of this alone explains slow or refused mail.\n"));
}

/* Lines of a picture are as they are: not wrapped, one indent. */
static void test_a_picture(void **state)
{
    (void)state;
    report_add(&report, CHECK_mx_conf, REPORT_NOTE, REPORT_CERTAIN, "Look:");
    report_picture(&report, "  one -->\n\n      <-- two\n");
    assert_non_null(strstr(as_text(false), "Look:\n    one -->\n\n        <-- two\n"));
}

static void test_json(void **state)
{
    struct text text;
    (void)state;
    report_add(&report, CHECK_mx_daemon, REPORT_WARNING, REPORT_CERTAIN, "a \"quoted\" word");
    report_blame(&report, "why");
    text_init(&text, output, sizeof output);
    doctor_json_add(&text, &report);
    const char *begin = "{\"errors\":0,\"warnings\":1,\"notes\":0,\"dropped\":0,\"cause\":\"why\","
                        "\"cause_check\":\"mx-daemon\",\"findings\":[{\"check\":\"mx-daemon\","
                        "\"group\":\"Resolver configuration\",\"level\":\"warning\","
                        "\"sure\":\"certain\",\"seen\":\"a \\\"quoted\\\" word\"";
    assert_memory_equal(output, begin, strlen(begin));
    assert_non_null(strstr(output, "\"change\":null,\"cause\":\"why\"}]}\n"));
    report_picture(&report, "a\n b");
    text_init(&text, output, sizeof output);
    doctor_json_add(&text, &report);
    assert_non_null(strstr(output, "\"cause\":\"why\",\"picture\":\"a\\u000a b\"}]}\n"));
}

static void test_nagios(void **state)
{
    struct text text;
    (void)state;
    report_add(&report, CHECK_mx_daemon, REPORT_ERROR, REPORT_CERTAIN, "x");
    report_blame(&report, "a|b");
    text_init(&text, output, sizeof output);
    doctor_nagios_add(&text, &report);
    assert_string_equal(output,
        "MXCACHE CRITICAL - 1 error, 0 warnings. The most likely cause of slow or refused mail: "
        "a/b. | errors=1;;1 warnings=0;1; notes=0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_error_is_told_in_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_error_without_a_cause, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nagios, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
