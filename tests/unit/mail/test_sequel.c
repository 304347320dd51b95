/* SPDX-License-Identifier: BSD-2-Clause */
#include "answer.h"

#include "base/address.h"

#define NIBBLES "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"

struct subject_case {
    const char *name;
    uint16_t type;
    enum sequel_aspect aspect;
    const char *address; /* NULL: the subject is a name. */
    const char *subject; /* That name; NULL too: the question is about nothing. */
    const char *zone;
};

static const struct subject_case subject_cases[] = {
    {"10.2.0.192.zen.spamhaus.org", TYPE_A, SEQUEL_ASPECT_LIST, "192.0.2.10", NULL,
        "zen.spamhaus.org."},
    {NIBBLES ".zen.spamhaus.org", TYPE_A, SEQUEL_ASPECT_LIST, "2001:db8::1", NULL,
        "zen.spamhaus.org."},
    {"10.2.0.192.key.zen.dq.spamhaus.net", TYPE_A, SEQUEL_ASPECT_LIST, "192.0.2.10", NULL,
        "key.zen.dq.spamhaus.net."},
    {"10.2.0.192.bl.own.example", TYPE_A, SEQUEL_ASPECT_LIST, "192.0.2.10", NULL,
        "bl.own.example."},
    {"mail.example.com.dbl.spamhaus.org", TYPE_A, SEQUEL_ASPECT_LIST, NULL, "mail.example.com.",
        "dbl.spamhaus.org."},
    {"example.com.key.dbl.dq.spamhaus.net", TYPE_A, SEQUEL_ASPECT_LIST, NULL, "example.com.",
        "key.dbl.dq.spamhaus.net."},
    {"10.2.0.192.in-addr.arpa", TYPE_PTR, SEQUEL_ASPECT_PTR, "192.0.2.10", NULL, NULL},
    {NIBBLES ".ip6.arpa", TYPE_PTR, SEQUEL_ASPECT_PTR, "2001:db8::1", NULL, NULL},
    {"example.com", TYPE_MX, SEQUEL_ASPECT_MX, NULL, "example.com.", NULL},
    {"example.com", TYPE_A, SEQUEL_ASPECT_A, NULL, "example.com.", NULL},
    {"example.com", TYPE_AAAA, SEQUEL_ASPECT_AAAA, NULL, "example.com.", NULL},
    {"example.com", TYPE_TXT, SEQUEL_ASPECT_TXT, NULL, "example.com.", NULL},
    {"example.com", TYPE_NS, SEQUEL_ASPECT_NS, NULL, "example.com.", NULL},
    {"_dmarc.example.com", TYPE_TXT, SEQUEL_ASPECT_DMARC, NULL, "example.com.", NULL},
    {"_mta-sts.example.com", TYPE_TXT, SEQUEL_ASPECT_STS, NULL, "example.com.", NULL},
    {"s1._domainkey.example.com", TYPE_TXT, SEQUEL_ASPECT_DKIM, NULL, "example.com.", NULL},
    {"_25._tcp.mx.example.com", TYPE_TLSA, SEQUEL_ASPECT_TLSA, NULL, "mx.example.com.", NULL},
    /* About nothing that others follow. */
    {"0123456789abcdef0123456789abcdef01234567.ebl.msbl.org", TYPE_A, 0, NULL, NULL, NULL},
    {"test.zen.spamhaus.org", TYPE_A, 0, NULL, NULL, NULL},
    {"2.0.192.in-addr.arpa", TYPE_PTR, 0, NULL, NULL, NULL},
    {"256.2.0.192.in-addr.arpa", TYPE_PTR, 0, NULL, NULL, NULL},
    {"01.2.0.192.in-addr.arpa", TYPE_PTR, 0, NULL, NULL, NULL},
    {"g." NIBBLES ".ip6.arpa", TYPE_PTR, 0, NULL, NULL, NULL},
    {"example.com", TYPE_PTR, 0, NULL, NULL, NULL},
    {"example.com", TYPE_SRV, 0, NULL, NULL, NULL},
    {"_443._tcp.example.com", TYPE_TLSA, 0, NULL, NULL, NULL},
    {".", TYPE_NS, 0, NULL, NULL, NULL},
};

static void check_address(const struct sequel_subject *subject, const char *text)
{
    char address[ADDRESS_TEXT_SIZE];
    assert_true(subject->is_address);
    (void)address_format(&subject->address, address, sizeof address);
    assert_string_equal(address, text);
}

static void check_name(const struct sequel_subject *subject, const char *text)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    assert_false(subject->is_address);
    assert_true(name_from_text(text, strlen(text), name, &len));
    assert_int_equal(subject->name_len, len - 1);
    assert_memory_equal(subject->name, name, len - 1);
}

/* What was taken apart gives, put together, the same question. */
static void check_same(const struct asked *asked)
{
    struct sequel_next next;
    assert_true(sequel_compose(&asked->subject, &next));
    assert_true(name_equal(next.name, next.name_len, asked->name, asked->name_len));
    assert_int_equal(next.type, asked->type);
}

static void test_subjects(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof subject_cases / sizeof subject_cases[0]; i++) {
        const struct subject_case *row = &subject_cases[i];
        struct asked asked;
        ask(&asked, row->name, row->type);
        bool is_known = row->address != NULL || row->subject != NULL;
        if (asked.has_subject != is_known) {
            fail_msg("%s", row->name);
        }
        if (!is_known) {
            continue;
        }
        assert_int_equal(asked.subject.aspect, row->aspect);
        if (row->address != NULL) {
            check_address(&asked.subject, row->address);
        } else {
            check_name(&asked.subject, row->subject);
        }
        if (row->zone != NULL) {
            char zone[NAME_TEXT_SIZE];
            (void)name_to_text(asked.subject.zone, asked.subject.zone_len, zone, sizeof zone);
            assert_string_equal(zone, row->zone);
        }
        check_same(&asked);
    }
}

static void compose(const struct asked *asked, enum sequel_aspect aspect, struct sequel_next *next)
{
    struct sequel_subject other = asked->subject;
    other.aspect = aspect;
    assert_true(sequel_compose(&other, next));
}

static void test_other_aspects(void **state)
{
    struct asked asked;
    struct sequel_next next;
    (void)state;
    ask(&asked, "7.100.51.198.zen.spamhaus.org", TYPE_A);
    compose(&asked, SEQUEL_ASPECT_PTR, &next);
    assert_next(&next, SEQUEL_CLIENT_PTR, "7.100.51.198.in-addr.arpa.", TYPE_PTR);
    compose(&asked, SEQUEL_ASPECT_LIST, &next);
    assert_next(&next, SEQUEL_CLIENT_LIST, "7.100.51.198.zen.spamhaus.org.", TYPE_A);
    ask(&asked, NIBBLES ".ip6.arpa", TYPE_PTR);
    compose(&asked, SEQUEL_ASPECT_PTR, &next);
    assert_next(&next, SEQUEL_CLIENT_PTR, NIBBLES ".ip6.arpa.", TYPE_PTR);
    ask(&asked, "example.com", TYPE_MX);
    compose(&asked, SEQUEL_ASPECT_DMARC, &next);
    assert_next(&next, SEQUEL_DOMAIN_DMARC, "_dmarc.example.com.", TYPE_TXT);
    compose(&asked, SEQUEL_ASPECT_TLSA, &next);
    assert_next(&next, SEQUEL_HOST_TLSA, "_25._tcp.example.com.", TYPE_TLSA);
    asked.subject.selector = (const uint8_t *)"\3sel";
    compose(&asked, SEQUEL_ASPECT_DKIM, &next);
    assert_next(&next, SEQUEL_DOMAIN_DKIM, "sel._domainkey.example.com.", TYPE_TXT);
}

static void test_what_cannot_be_asked(void **state)
{
    struct asked asked;
    struct sequel_next next;
    char text[256];
    (void)state;
    ask(&asked, "example.com", TYPE_MX);
    asked.subject.aspect = SEQUEL_ASPECT_PTR;
    assert_false(sequel_compose(&asked.subject, &next));
    ask(&asked, "1.2.0.192.in-addr.arpa", TYPE_PTR);
    asked.subject.aspect = SEQUEL_ASPECT_MX;
    assert_false(sequel_compose(&asked.subject, &next));
    /* A name that has no room for the label before it. */
    for (size_t i = 0; i < 250; i += 2) {
        text[i] = 'a';
        text[i + 1] = '.';
    }
    text[250] = '\0';
    ask(&asked, text, TYPE_MX);
    assert_true(sequel_compose(&asked.subject, &next));
    asked.subject.aspect = SEQUEL_ASPECT_DMARC;
    assert_false(sequel_compose(&asked.subject, &next));
}

static void test_step_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SEQUEL_STEPS; i++) {
        assert_non_null(sequel_step_name((enum sequel_step)i));
        for (unsigned other = 0; other < i; other++) {
            assert_string_not_equal(
                sequel_step_name((enum sequel_step)i), sequel_step_name((enum sequel_step)other));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_other_aspects),
        cmocka_unit_test(test_what_cannot_be_asked),
        cmocka_unit_test(test_step_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
