/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cmd/lookup_hide.h"
#include "cmd/name_argument.h"
#include "cmd/reply.h"

static struct lookup_hide hide;
static char shown[REDACT_TEXT_SIZE];

/* `list` is the daemon's line, or NULL: it tells of none. */
static void ask_for(const char *name_text, const char *list)
{
    struct name_argument name;
    char line[512];
    char *words[3];
    assert_true(name_argument_read("lookup", name_text, &name));
    lookup_hide_init(&hide, &name);
    if (list != NULL) {
        (void)snprintf(line, sizeof line, "%s", list);
        size_t count = reply_words(line, words, 3);
        assert_true(lookup_hide_read(&hide, words, count));
    }
}

static const char *name_shown(const char *name_text)
{
    struct name_argument name;
    assert_true(name_argument_read("lookup", name_text, &name));
    lookup_hide_name(&hide, name.name, name.len, shown);
    return shown;
}

static const char *data_shown(const char *data)
{
    struct text text;
    text_init(&text, shown, sizeof shown);
    lookup_hide_add_data(&hide, &text, data);
    return shown;
}

static void test_names(void **state)
{
    static const struct {
        const char *asked;
        const char *list;
        const char *name;
        const char *shown;
    } cases[] = {
        {"mail.example.org", NULL, "mail.example.org", "mail.example.org."},
        {"2.0.0.127.zen.spamhaus.org", NULL, "2.0.0.127.zen.spamhaus.org",
            "2.0.0.127.zen.spamhaus.org."},
        {"2.0.0.127.s3cret.zen.dq.spamhaus.net", NULL, "2.0.0.127.s3cret.zen.dq.spamhaus.net",
            "2.0.0.127.*.zen.dq.spamhaus.net."},
        /* Of the operator's configuration alone. */
        {"2.0.0.127.s3cret.bl.corp.example", "list bl.corp.example. 1",
            "2.0.0.127.s3cret.bl.corp.example", "2.0.0.127.*.bl.corp.example."},
        {"host.s3cret.bl.corp.example", "list bl.corp.example. 1", "S3CRET.BL.corp.example",
            "*.BL.corp.example."},
        {"2.0.0.127.bl.corp.example", "list bl.corp.example. 0", "2.0.0.127.bl.corp.example",
            "2.0.0.127.bl.corp.example."},
        {"2.0.0.127.s3cret.bl.corp.example", "list bl.corp.example. 1", "ns1.corp.example",
            "ns1.corp.example."},
        /* What lists.def says is corrected. */
        {"2.0.0.127.s3cret.zen.spamhaus.org", "list zen.spamhaus.org. 1",
            "2.0.0.127.s3cret.zen.spamhaus.org", "2.0.0.127.*.zen.spamhaus.org."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ask_for(cases[i].asked, cases[i].list);
        assert_string_equal(name_shown(cases[i].name), cases[i].shown);
    }
}

static void test_data(void **state)
{
    static const struct {
        const char *data;
        const char *shown;
    } cases[] = {
        {"\"https://example.com/?key=S3cret&ip=1\"", "\"https://example.com/?key=*&ip=1\""},
        {"s3cret", "*"},
        {"1.s3cret.bl.corp.example.", "1.*.bl.corp.example."},
        {"s3crets unsecrets3cret s3cret-2", "s3crets unsecrets3cret s3cret-2"},
        {"", ""},
        {"s3cre", "s3cre"},
    };
    (void)state;
    ask_for("2.0.0.127.s3cret.bl.corp.example", "list bl.corp.example. 1");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(data_shown(cases[i].data), cases[i].shown);
    }
    ask_for("2.0.0.127.s3cret.zen.dq.spamhaus.net", NULL);
    assert_string_equal(data_shown("s3cret"), "*");
    ask_for("s3cret.example.org", NULL);
    assert_string_equal(data_shown("s3cret"), "s3cret");
}

static void test_what_cannot_be_read(void **state)
{
    static const char *const cases[] = {
        "list",
        "list bl.example.",
        "list bl.example. 2",
        "list bl..example 1",
        "lists bl.example. 1",
    };
    (void)state;
    ask_for("a.bl.example", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[64];
        char *words[3];
        (void)snprintf(line, sizeof line, "%s", cases[i]);
        size_t count = reply_words(line, words, 3);
        assert_false(lookup_hide_read(&hide, words, count));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
