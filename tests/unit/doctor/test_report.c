/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/report.h"

/* The doctor's report: what may stand in it, how much, and which cause is named last. */

static struct report report;

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

struct text_case {
    const char *found;
    const char *shown;
};

static void test_what_was_found_is_made_harmless(void **state)
{
    static const struct text_case cases[] = {
        {"plain", "plain"},
        {"m\xc3\xbcller", "m\xc3\xbcller"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"a\nb", "a\\x0ab"},
        {"tab\there", "tab\\x09here"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc2\x9b"
         "31m",
            "\\xc2\\x9b31m"},
        {"\xc0\x9b", "\\xc0\\x9b"},
        {"\xe2\x80\xae"
         "evil",
            "\\xe2\\x80\\xaeevil"},
        {"dash \xe2\x80\x93", "dash \xe2\x80\x93"},
        {"cut \xe2\x80", "cut \\xe2\\x80"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        report_add(&report, CHECK_mx_conf, REPORT_NOTE, REPORT_LIKELY, "%s", cases[i].found);
        assert_string_equal(report.entries[i].seen, cases[i].shown);
    }
    report_advise(&report, "first\nsecond\r");
    assert_string_equal(report.entries[report.count - 1].change, "first\nsecond\\x0d");
}

/* Lines stay lines, and nothing else gets through. */
static void test_a_picture(void **state)
{
    (void)state;
    report_picture(&report, "nothing to belong to");
    report_add(&report, CHECK_mx_conf, REPORT_NOTE, REPORT_LIKELY, "seen");
    assert_null(report.entries[0].picture);
    report_picture(&report, "first");
    report_picture(&report, "  one -->\n <-- \x1b[2J\n");
    assert_string_equal(report.entries[0].picture, "  one -->\n <-- \\x1b[2J\n");
}

static void test_a_long_sentence_is_cut(void **state)
{
    char *longest = malloc(100000);
    (void)state;
    assert_non_null(longest);
    memset(longest, '\x01', 99999);
    longest[99999] = '\0';
    report_add(&report, CHECK_mx_conf, REPORT_NOTE, REPORT_LIKELY, "%s", longest);
    assert_in_range(strlen(report.entries[0].seen), REPORT_TEXT_MAX, REPORT_TEXT_MAX + 8);
    free(longest);
}

static void test_a_full_report_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPORT_ENTRIES_MAX + 3; i++) {
        report_add(&report, CHECK_mx_conf, REPORT_ERROR, REPORT_LIKELY, "%zu", i);
        report_advise(&report, "%zu", i);
        report_blame(&report, "%zu", i);
    }
    assert_int_equal(report.count, REPORT_ENTRIES_MAX);
    assert_int_equal(report.dropped, 3);
    /* What belongs to a dropped entry is dropped with it. */
    assert_string_equal(report.entries[REPORT_ENTRIES_MAX - 1].change, "511");
    assert_int_equal(report_count(&report, REPORT_ERROR), REPORT_ENTRIES_MAX);
    assert_int_equal(report_count(&report, REPORT_NOTE), 0);
}

static void add_blamed(enum report_level level, enum report_sure sure, const char *cause)
{
    report_add(&report, CHECK_mx_daemon, level, sure, "x");
    report_blame(&report, "%s", cause);
}

static void test_the_likeliest_cause(void **state)
{
    (void)state;
    assert_null(report_likeliest(&report));
    add_blamed(REPORT_NOTE, REPORT_CERTAIN, "a note explains nothing");
    assert_null(report_likeliest(&report));
    add_blamed(REPORT_WARNING, REPORT_CERTAIN, "warning");
    assert_string_equal(report_likeliest(&report)->cause, "warning");
    add_blamed(REPORT_ERROR, REPORT_POSSIBLE, "error, possible");
    assert_string_equal(report_likeliest(&report)->cause, "error, possible");
    add_blamed(REPORT_ERROR, REPORT_LIKELY, "error, likely");
    assert_string_equal(report_likeliest(&report)->cause, "error, likely");
    add_blamed(REPORT_ERROR, REPORT_LIKELY, "a second of the kind");
    assert_string_equal(report_likeliest(&report)->cause, "error, likely");
    report_add(&report, CHECK_mx_conf, REPORT_ERROR, REPORT_LIKELY, "x");
    report_blame(&report, "of an earlier check");
    assert_string_equal(report_likeliest(&report)->cause, "of an earlier check");
}

static void test_every_check_has_its_words(void **state)
{
    (void)state;
    for (int i = 0; i < (int)CHECKS; i++) {
        enum check_id check = (enum check_id)i;
        enum check_id found;
        assert_true(check_find(check_name(check), &found));
        assert_int_equal(found, check);
        assert_null(strpbrk(check_name(check), "_ ."));
        assert_true(strlen(check_name(check)) <= CHECK_NAME_MAX);
        const char *const sentences[] = {check_healthy(check), check_why(check)};
        for (size_t j = 0; j < 2; j++) {
            assert_true(strlen(sentences[j]) > 20);
            assert_int_equal(sentences[j][strlen(sentences[j]) - 1], '.');
        }
    }
    enum check_id found;
    assert_false(check_find("no-such-check", &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_found_is_made_harmless, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_long_sentence_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_report_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_likeliest_cause, set_up, tear_down),
        cmocka_unit_test(test_every_check_has_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
