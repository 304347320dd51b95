/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/finding.h"
#include "conf/settings.h"

static struct settings settings;
static struct findings findings;

/* A hostile name reaches the sentence only in a form that a terminal can bear. */
static void test_quoting(void **state)
{
    (void)state;
    static const char text[] = "user = /\xc2\x9b\xff\xfe x\nlog_level = \xe2\x80\xae\n";
    assert_false(settings_parse("test.conf", text, sizeof text - 1, &settings, &findings));
    assert_int_equal(findings.errors, 2);
    assert_non_null(strstr(findings.items[1].sentence, "\\xe2\\x80\\xae"));
    for (size_t i = 0; i < findings.count; i++) {
        for (const char *at = findings.items[i].sentence; *at != '\0'; at++) {
            assert_in_range(*at, 0x20, 0x7e);
        }
    }
}

static void test_format(void **state)
{
    (void)state;
    struct finding finding = {
        .level = FINDING_WARNING,
        .file = "a.conf",
        .line = 3,
        .column = 7,
        .sentence = "so it is",
    };
    char text[64];
    assert_int_equal(finding_format(&finding, text, sizeof text), 29);
    assert_string_equal(text, "a.conf:3:7: warning: so it is");
    finding.level = FINDING_ERROR;
    finding.line = 0;
    finding_format(&finding, text, sizeof text);
    assert_string_equal(text, "a.conf: error: so it is");
    char narrow[8];
    finding_format(&finding, narrow, sizeof narrow);
    assert_string_equal(narrow, "a.conf:");
}

static void test_quote_is_cut(void **state)
{
    (void)state;
    struct finding_quote quote;
    char bytes[FINDING_QUOTE_BYTES + 1];
    memset(bytes, 'x', sizeof bytes);
    assert_int_equal(
        strlen(finding_quote(bytes, FINDING_QUOTE_BYTES, &quote)), FINDING_QUOTE_BYTES);
    assert_string_equal(finding_quote(bytes, sizeof bytes, &quote) + FINDING_QUOTE_BYTES, "...");
    memset(bytes, 0xff, sizeof bytes);
    finding_quote(bytes, sizeof bytes, &quote);
    assert_int_equal(strlen(quote.text), FINDING_QUOTE_BYTES * 4 + 3);
    assert_string_equal(finding_quote("", 0, &quote), "");
}

static void test_add_is_bounded(void **state)
{
    (void)state;
    struct finding_place place = {.file = "a\nb", .line = 1, .column = 2};
    memset(&findings, 0, sizeof findings);
    for (size_t i = 0; i < FINDINGS_MAX + 5; i++) {
        finding_add(&findings, i % 2 == 0 ? FINDING_ERROR : FINDING_WARNING, &place, "%0500d", 1);
    }
    assert_int_equal(findings.count, FINDINGS_MAX);
    assert_int_equal(findings.dropped, 5);
    assert_int_equal(findings.errors, FINDINGS_MAX / 2 + 3);
    assert_string_equal(findings.items[0].file, "a\\x0ab");
    assert_int_equal(strlen(findings.items[0].sentence), FINDING_SENTENCE_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_quote_is_cut),
        cmocka_unit_test(test_add_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
