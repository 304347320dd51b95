/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "mail/list_zone.h"
#include "resolver/classify.h"

static void test_classes(void **state)
{
    static const struct {
        const char *name;
        uint16_t type;
        enum question_class class;
    } cases[] = {
        {"example.org", TYPE_MX, QUESTION_CLASS_MX},
        {"example.org", TYPE_A, QUESTION_CLASS_A},
        {"example.org", TYPE_AAAA, QUESTION_CLASS_AAAA},
        {"25.2.0.192.in-addr.arpa", TYPE_PTR, QUESTION_CLASS_PTR},
        {"example.org", TYPE_TXT, QUESTION_CLASS_TXT},
        {"_25._tcp.mail.example.org", TYPE_TLSA, QUESTION_CLASS_TLSA},
        {"example.org", TYPE_NS, QUESTION_CLASS_OTHER},
        {"example.org", 65280, QUESTION_CLASS_OTHER},
        {"10.2.0.192.zen.spamhaus.org", TYPE_A, QUESTION_CLASS_LIST},
        {"10.2.0.192.zen.spamhaus.org", TYPE_TXT, QUESTION_CLASS_LIST},
        {"10.2.0.192.bl.example.net", TYPE_A, QUESTION_CLASS_LIST},
        {"example.org.dbl.spamhaus.org", TYPE_A, QUESTION_CLASS_LIST},
        {"10.2.0.192.in-addr.arpa", TYPE_A, QUESTION_CLASS_A},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cache_key key = key_of(cases[i].name, cases[i].type);
        struct list_question list;
        assert_int_equal(classify_question(&key, &list), cases[i].class);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_classes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
