/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer.h"

#include "base/text.h"

struct spf_case {
    const char *text;
    const char *questions; /* "name TYPE", with blanks between. */
};

static const struct spf_case spf_cases[] = {
    {"v=spf1", ""},
    {"v=spf1 -all", ""},
    {"v=spf1 include:_spf.example.net ~all", "_spf.example.net. TXT"},
    {"V=SPF1 INCLUDE:_SPF.Example.NET", "_spf.example.net. TXT"},
    {"v=spf1 +include:a.example ?include:b.example", "a.example. TXT b.example. TXT"},
    {"v=spf1 redirect=_spf.example.net", "_spf.example.net. TXT"},
    {"v=spf1 a mx -all", "own.example. A own.example. MX"},
    {"v=spf1 a/24 mx/24//64", "own.example. A own.example. MX"},
    {"v=spf1 a:host.example/24 mx:mail.example//64", "host.example. A mail.example. MX"},
    {"v=spf1 exists:list.example", "list.example. A"},
    {"v=spf1  a:two.blanks.example  ", "two.blanks.example. A"},
    {"v=spf1 include:a.example. -all", "a.example. TXT"},
    {"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ptr -all", ""},
    /* What stands behind `all` is never reached. */
    {"v=spf1 -all include:a.example", ""},
    /* Macros, and what is no name. */
    {"v=spf1 exists:%{i}._spf.example.com -all", ""},
    {"v=spf1 include:%{d}.example include:good.example", "good.example. TXT"},
    {"v=spf1 include: include:. include:.. include:a..b redirect= exists:a\\.b", ""},
    {"v=spf1 include=a.example redirect:a.example a=b.example", ""},
    {"v=spf1 includes:a.example aa:b.example", ""},
    {"v=spf10 include:a.example", ""},
    {"v=spf2 include:a.example", ""},
    {" v=spf1 include:a.example", ""},
    {"v=spf", ""},
    {"", ""},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof spf_cases / sizeof spf_cases[0]; i++) {
        const struct spf_case *row = &spf_cases[i];
        struct asked asked;
        struct sequel_next next[SEQUEL_NEXT_MAX];
        struct sequel_list list = {.next = next, .limit = SEQUEL_NEXT_MAX};
        char found[512];
        struct text text;
        ask(&asked, "own.example", TYPE_TXT);
        text_init(&text, found, sizeof found);
        sequel_read_spf((const uint8_t *)row->text, strlen(row->text), &asked.subject, &list);
        for (size_t at = 0; at < list.count; at++) {
            char name[NAME_TEXT_SIZE];
            char type[TYPE_TEXT_SIZE];
            (void)name_to_text(next[at].name, next[at].name_len, name, sizeof name);
            text_addf(&text, "%s%s %s", at > 0 ? " " : "", name, type_to_text(next[at].type, type));
        }
        assert_string_equal(found, row->questions);
    }
}

static void test_steps(void **state)
{
    static const char record[] = "v=spf1 a:b.example include:c.example";
    struct asked asked;
    struct sequel_next next[SEQUEL_NEXT_MAX];
    struct sequel_list list = {.next = next, .limit = SEQUEL_NEXT_MAX};
    (void)state;
    ask(&asked, "own.example", TYPE_TXT);
    sequel_read_spf((const uint8_t *)record, strlen(record), &asked.subject, &list);
    assert_int_equal(list.count, 2);
    assert_next(&next[0], SEQUEL_SPF_OTHER, "b.example.", TYPE_A);
    assert_next(&next[1], SEQUEL_SPF_INCLUDE, "c.example.", TYPE_TXT);
}

static void test_limit(void **state)
{
    static const char record[] = "v=spf1 include:a.example include:b.example include:c.example";
    struct asked asked;
    struct sequel_next next[2];
    struct sequel_list list = {.next = next, .limit = 2};
    (void)state;
    ask(&asked, "own.example", TYPE_TXT);
    sequel_read_spf((const uint8_t *)record, strlen(record), &asked.subject, &list);
    assert_int_equal(list.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
