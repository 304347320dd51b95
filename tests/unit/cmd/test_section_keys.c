/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/parse.h"
#include "conf/settings.h"
#include "cmd/section_keys.h"

static struct settings settings;
static struct findings findings;

static void check(const char *text)
{
    assert_true(settings_parse("mxcache.conf", text, strlen(text), &settings, &findings));
    memset(&findings, 0, sizeof findings);
    section_keys_check(&settings, "mxcache.conf", &findings);
}

static const struct {
    const char *text;
    const char *found; /* NULL: nothing. */
    const char *advice;
} cases[] = {
    {"", NULL, NULL},
    {"[list zen.dq.spamhaus.net]\nquota = 7\n", NULL, NULL},
    {"[zone zen.dq.spamhaus.net]\nroute = direct\n", NULL, NULL},
    {"[zone dq.spamhaus.net]\nroute = direct\n", NULL, NULL},
    {"[zone zen.spamhaus.org]\nroute = direct\n", NULL, NULL},
    {"[zone s3cret.zen.spamhaus.org]\nroute = direct\n", NULL, NULL},
    {"[zone corp.example]\nroute = upstream\n", NULL, NULL},
    {"[zone s3cret.zen.dq.spamhaus.net]\nroute = direct\n", "[zone KEY.zen.dq.spamhaus.net]",
        "write [zone zen.dq.spamhaus.net];"},
    {"[list s3cret.zen.dq.spamhaus.net]\nquota = 7\n", "[list KEY.zen.dq.spamhaus.net]",
        "write [list zen.dq.spamhaus.net];"},
    /* Something of a question before it. */
    {"[zone 127.s3cret.zen.dq.spamhaus.net]\nroute = direct\n", "[zone KEY.zen.dq.spamhaus.net]",
        "write [zone zen.dq.spamhaus.net];"},
    /* A list of the operator's own; and who says that there is no key knows. */
    {"[list paid.example]\nhas_key = yes\n", NULL, NULL},
    {"[zone s3cret.paid.example]\nroute = direct\n[list paid.example]\nhas_key = no\n", NULL, NULL},
    {"[zone s3cret.paid.example]\nroute = direct\n[list paid.example]\nhas_key = yes\n",
        "[zone KEY.paid.example]", "write [zone paid.example];"},
    {"[zone office.unpaid.example]\nroute = direct\n[list unpaid.example]\nkind = ip\n", NULL,
        NULL},
    {"[zone notpaid.example]\nroute = direct\n[list paid.example]\nhas_key = yes\n", NULL, NULL},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(cases[i].text);
        assert_int_equal(findings.count, cases[i].found == NULL ? 0 : 1);
        if (cases[i].found != NULL) {
            const struct finding *finding = &findings.items[0];
            assert_int_equal(finding->level, FINDING_WARNING);
            assert_string_equal(finding->file, "mxcache.conf");
            assert_non_null(strstr(finding->sentence, cases[i].found));
            assert_non_null(strstr(finding->sentence, cases[i].advice));
            assert_null(strstr(finding->sentence, "s3cret"));
        }
    }
}

/* Each of them. */
static void test_all_are_told(void **state)
{
    (void)state;
    check("[zone s3cret.zen.dq.spamhaus.net]\nroute = direct\n"
          "[zone s3cret.dbl.dq.spamhaus.net]\nroute = direct\n"
          "[list s3cret.zen.dq.spamhaus.net]\nquota = 7\n");
    assert_int_equal(findings.count, 3);
    assert_int_equal(findings.errors, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_all_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
