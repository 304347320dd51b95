/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/name.h"
#include "wire/types.h"

#include "mail/list_zone.h"

#define NIBBLES "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"

struct zone_case {
    const char *name;
    uint16_t type;
    const char *zone;  /* NULL: not a list question. */
    const char *known; /* NULL: by shape. */
    enum list_kind kind;
    const char *address;
};

static const struct zone_case zone_cases[] = {
    /* Known lists. */
    {"2.0.0.127.zen.spamhaus.org", TYPE_A, "zen.spamhaus.org", "zen.spamhaus.org", LIST_KIND_IP,
        "127.0.0.2"},
    {"10.2.0.192.ZEN.SpamHaus.ORG", TYPE_TXT, "zen.spamhaus.org", "zen.spamhaus.org", LIST_KIND_IP,
        "192.0.2.10"},
    {NIBBLES ".zen.spamhaus.org", TYPE_A, "zen.spamhaus.org", "zen.spamhaus.org", LIST_KIND_IP,
        "2001:db8::1"},
    {"255.255.255.255.list.dnswl.org", TYPE_A, "list.dnswl.org", "list.dnswl.org", LIST_KIND_ALLOW,
        "255.255.255.255"},
    {"example.com.dbl.spamhaus.org", TYPE_A, "dbl.spamhaus.org", "dbl.spamhaus.org",
        LIST_KIND_DOMAIN, NULL},
    {"1.2.0.192.multi.uribl.com", TYPE_A, "multi.uribl.com", "multi.uribl.com", LIST_KIND_DOMAIN,
        "192.0.2.1"},
    {"0123456789abcdef0123456789abcdef01234567.ebl.msbl.org", TYPE_A, "ebl.msbl.org",
        "ebl.msbl.org", LIST_KIND_HASH, NULL},
    {"test.zen.spamhaus.org", TYPE_A, "zen.spamhaus.org", "zen.spamhaus.org", LIST_KIND_IP, NULL},
    {"2.0.0.127.zen.spamhaus.org", TYPE_MX, "zen.spamhaus.org", "zen.spamhaus.org", LIST_KIND_IP,
        "127.0.0.2"},
    /* The longer of two known zones. */
    {"2.0.0.127.bl.score.senderscore.com", TYPE_A, "bl.score.senderscore.com",
        "bl.score.senderscore.com", LIST_KIND_IP, "127.0.0.2"},
    {"2.0.0.127.score.senderscore.com", TYPE_A, "score.senderscore.com", "score.senderscore.com",
        LIST_KIND_IP, "127.0.0.2"},
    /* Keys. */
    {"2.0.0.127.s3cretkey.zen.dq.spamhaus.net", TYPE_A, "zen.dq.spamhaus.net",
        "zen.dq.spamhaus.net", LIST_KIND_IP, "127.0.0.2"},
    {NIBBLES ".s3cretkey.combined.mail.abusix.zone", TYPE_A, "combined.mail.abusix.zone",
        "combined.mail.abusix.zone", LIST_KIND_IP, "2001:db8::1"},
    {"example.com.s3cretkey.dbl.dq.spamhaus.net", TYPE_A, "dbl.dq.spamhaus.net",
        "dbl.dq.spamhaus.net", LIST_KIND_DOMAIN, NULL},
    {"abcdef._email.s3cretkey.hbl.dq.spamhaus.net", TYPE_A, "hbl.dq.spamhaus.net",
        "hbl.dq.spamhaus.net", LIST_KIND_HASH, NULL},
    {"s3cretkey.zen.dq.spamhaus.net", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    /* The zone itself, its parent, its look-alikes. */
    {"zen.spamhaus.org", TYPE_NS, NULL, NULL, LIST_KIND_IP, NULL},
    {"spamhaus.org", TYPE_SOA, NULL, NULL, LIST_KIND_IP, NULL},
    {"www.spamhaus.org", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"a.xen.spamhaus.org", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"a.notzen.spamhaus.org", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"a.zen\\.spamhaus.org", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"a.zen.spamhaus.org.example", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {".", TYPE_NS, NULL, NULL, LIST_KIND_IP, NULL},
    {"org", TYPE_NS, NULL, NULL, LIST_KIND_IP, NULL},
    {"gmail.com", TYPE_MX, NULL, NULL, LIST_KIND_IP, NULL},
    /* By shape. */
    {"4.3.2.1.bl.example.com", TYPE_A, "bl.example.com", NULL, LIST_KIND_IP, "1.2.3.4"},
    {"4.3.2.1.bl.example.com", TYPE_TXT, "bl.example.com", NULL, LIST_KIND_IP, "1.2.3.4"},
    {"4.3.2.1.example.com", TYPE_A, "example.com", NULL, LIST_KIND_IP, "1.2.3.4"},
    {"4.3.2.1.dynamic.isp.example", TYPE_A, "dynamic.isp.example", NULL, LIST_KIND_IP, "1.2.3.4"},
    {NIBBLES ".bl.example.com", TYPE_A, "bl.example.com", NULL, LIST_KIND_IP, "2001:db8::1"},
    {"F.E.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.bl.example.com", TYPE_TXT,
        "bl.example.com", NULL, LIST_KIND_IP, "2001:db8::ef"},
    {"4.3.2.1.bl.example.com", TYPE_AAAA, NULL, NULL, LIST_KIND_IP, NULL},
    {"4.3.2.1.bl.example.com", TYPE_MX, NULL, NULL, LIST_KIND_IP, NULL},
    {"4.3.2.1.bl.example.com", TYPE_ANY, NULL, NULL, LIST_KIND_IP, NULL},
    {"4.3.2.1.example", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"4.3.2.1", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"4.3.2.256.bl.example.com", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"4.3.2.01.bl.example.com", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"4.3.2.1000.bl.example.com", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"4.3.2.1a.bl.example.com", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"5.4.3.2.1.bl.example.com", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"a.4.3.2.1.bl.example.com", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"1." NIBBLES ".bl.example.com", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example.com", TYPE_A, NULL,
        NULL, LIST_KIND_IP, NULL},
    {NIBBLES ".example", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    /* Reverse lookups are none. */
    {"4.3.2.1.in-addr.arpa", TYPE_PTR, NULL, NULL, LIST_KIND_IP, NULL},
    {"4.3.2.1.in-addr.arpa", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
    {"4.3.2.1.IN-ADDR.ARPA", TYPE_TXT, NULL, NULL, LIST_KIND_IP, NULL},
    {NIBBLES ".ip6.arpa", TYPE_PTR, NULL, NULL, LIST_KIND_IP, NULL},
    {NIBBLES ".ip6.arpa", TYPE_A, NULL, NULL, LIST_KIND_IP, NULL},
};

static void check_found(
    const struct zone_case *c, const struct list_question *question, const uint8_t *name)
{
    uint8_t zone[NAME_SIZE_MAX];
    size_t zone_len = 0;
    struct address address = {0};
    assert_true(name_from_text(c->zone, strlen(c->zone), zone, &zone_len));
    assert_true(name_equal(name + question->zone_at, zone_len, zone, zone_len));
    assert_int_equal(question->kind, c->kind);
    if (c->known == NULL) {
        assert_null(question->known);
    } else {
        assert_non_null(question->known);
        assert_string_equal(question->known->zone, c->known);
    }
    assert_int_equal(question->has_address, c->address != NULL);
    if (c->address != NULL) {
        assert_true(address_parse(c->address, strlen(c->address), 0, &address));
        assert_true(address_equal(&question->address, &address));
    }
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof zone_cases / sizeof zone_cases[0]; i++) {
        const struct zone_case *c = &zone_cases[i];
        uint8_t name[NAME_SIZE_MAX];
        size_t len = 0;
        struct list_question question;
        assert_true(name_from_text(c->name, strlen(c->name), name, &len));
        bool is_list = list_question_of(name, len, c->type, &question);
        if (is_list != (c->zone != NULL)) {
            print_error("case: %s\n", c->name);
        }
        assert_int_equal(is_list, c->zone != NULL);
        if (is_list) {
            check_found(c, &question, name);
        }
    }
}

/* Every row is a lower-case name, stands there once, and is found again by itself. */
static void test_table(void **state)
{
    (void)state;
    size_t count = 0;
    const struct list_zone *zones = list_zone_table(&count);
    assert_true(count > 80);
    for (size_t i = 0; i < count; i++) {
        uint8_t zone[NAME_SIZE_MAX];
        uint8_t lower[NAME_SIZE_MAX];
        uint8_t name[NAME_SIZE_MAX] = "\1x\3key";
        size_t len = 0;
        struct list_question question;
        assert_true(name_from_text(zones[i].zone, strlen(zones[i].zone), zone, &len));
        assert_true(zones[i].zone[strlen(zones[i].zone) - 1] != '.');
        memcpy(lower, zone, len);
        name_to_lower(lower, len);
        assert_memory_equal(lower, zone, len);
        memcpy(name + 6, zone, len);
        assert_true(list_question_of(name, len + 6, TYPE_A, &question));
        assert_ptr_equal(question.known, &zones[i]);
        assert_int_equal(question.zone_at, 6);
        assert_false(question.has_address);
        for (size_t j = 0; j < i; j++) {
            assert_true(strcmp(zones[i].zone, zones[j].zone) != 0);
        }
    }
}

/* Bytes that are no name give no answer and no overrun. */
static void test_not_a_name(void **state)
{
    (void)state;
    static const uint8_t short_label[] = {3, 'z', 'e'};
    static const uint8_t no_root[] = {3, 'z', 'e', 'n'};
    static const uint8_t after_root[] = {1, 'a', 0, 1, 'b', 0};
    static const uint8_t pointer[] = {1, 'a', 0xc0, 0x0c};
    uint8_t single_bytes[256];
    struct list_question question;
    memset(single_bytes, 1, sizeof single_bytes);
    assert_false(list_question_of(short_label, sizeof short_label, TYPE_A, &question));
    assert_false(list_question_of(no_root, sizeof no_root, TYPE_A, &question));
    assert_false(list_question_of(after_root, sizeof after_root, TYPE_A, &question));
    assert_false(list_question_of(pointer, sizeof pointer, TYPE_A, &question));
    assert_false(list_question_of(pointer, 0, TYPE_A, &question));
    for (size_t len = 0; len < sizeof single_bytes; len++) {
        assert_false(list_question_of(single_bytes, len, TYPE_A, &question));
    }
}

/* The longest legal names: 127 labels of one byte, and a 63-byte label before a zone. */
static void test_longest_names(void **state)
{
    (void)state;
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    struct list_question question;
    char text[] = "123456789012345678901234567890123456789012345678901234567890123."
                  "bl.spamcop.net";
    for (size_t i = 0; i < 254; i += 2) {
        name[i] = 1;
        name[i + 1] = '1';
    }
    name[254] = 0;
    assert_false(list_question_of(name, sizeof name, TYPE_A, &question));
    assert_true(name_from_text(text, strlen(text), name, &len));
    assert_true(list_question_of(name, len, TYPE_A, &question));
    assert_int_equal(question.zone_at, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_not_a_name),
        cmocka_unit_test(test_longest_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
