/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "normalise_case.h"

#define SOA_LINE(zone, ttl, minimum)                                                               \
    zone " " ttl " IN SOA ns." zone " post." zone " 7 3600 600 86400 " minimum

static const struct normalise_case answer_cases[] = {
    {.what = "records of the asked type; nothing else",
        .reply = {.question = "Example.com. IN MX",
            .is_ad = true,
            .answers = {"example.com. 300 IN MX 10 mx1.example.com.",
                "example.com. 300 IN MX 20 mx2.mail.example.net.", "example.com. 60 IN A 192.0.2.1",
                "evil.example. 10 IN MX 10 mx.evil.example."},
            .authority = {"example.com. 5 IN NS ns.example.com."}},
        .verdict = NORMALISE_ANSWER,
        .answers = "example.com. 300 IN MX 10 mx1.example.com.\n"
                   "example.com. 300 IN MX 20 mx2.mail.example.net.\n",
        .ttl = 300},
    {.what = "a chain in the wrong order",
        .reply = {.question = "www.example.com. IN A",
            .answers = {"c.example.net. 30 IN A 192.0.2.1",
                "b.example.org. 200 IN CNAME c.example.net.",
                "www.example.com. 100 IN CNAME b.example.org.",
                "c.example.net. 30 IN A 192.0.2.2"}},
        .verdict = NORMALISE_ANSWER,
        .answers = "www.example.com. 100 IN CNAME b.example.org.\n"
                   "b.example.org. 200 IN CNAME c.example.net.\n"
                   "c.example.net. 30 IN A 192.0.2.1\n"
                   "c.example.net. 30 IN A 192.0.2.2\n",
        .ttl = 30,
        .is_chained = true},
    {.what = "CNAME asked: not followed",
        .reply = {.question = "www.example.com. IN CNAME",
            .answers = {"www.example.com. 100 IN CNAME b.example.org.",
                "b.example.org. 200 IN CNAME c.example.net."}},
        .verdict = NORMALISE_ANSWER,
        .answers = "www.example.com. 100 IN CNAME b.example.org.\n",
        .ttl = 100},
    {.what = "ANY: all at the name, no following",
        .reply = {.question = "example.com. IN ANY",
            .answers = {"example.com. 100 IN A 192.0.2.1", "example.com. 50 IN TXT \"v=spf1 -all\"",
                "www.example.com. 1 IN A 192.0.2.1"}},
        .verdict = NORMALISE_ANSWER,
        .answers = "example.com. 50 IN A 192.0.2.1\n"
                   "example.com. 50 IN TXT \"v=spf1 -all\"\n",
        .ttl = 50},
    {.what = "DNAME and its alias",
        .reply = {.question = "a.old.example. IN A",
            .answers = {"old.example. 300 IN DNAME new.example.",
                "a.old.example. 300 IN CNAME a.new.example.", "a.new.example. 300 IN A 192.0.2.1"}},
        .verdict = NORMALISE_ANSWER,
        .answers = "old.example. 300 IN DNAME new.example.\n"
                   "a.old.example. 300 IN CNAME a.new.example.\n"
                   "a.new.example. 300 IN A 192.0.2.1\n",
        .ttl = 300,
        .is_chained = true},
    {.what = "one DNAME for two links stands there once",
        .reply = {.question = "a.old.example. IN A",
            .answers = {"old.example. 300 IN DNAME new.example.",
                "a.old.example. 300 IN CNAME a.new.example.",
                "a.new.example. 300 IN CNAME b.old.example.",
                "b.old.example. 300 IN CNAME b.new.example.", "b.new.example. 300 IN A 192.0.2.1"}},
        .verdict = NORMALISE_ANSWER,
        .answers = "old.example. 300 IN DNAME new.example.\n"
                   "a.old.example. 300 IN CNAME a.new.example.\n"
                   "a.new.example. 300 IN CNAME b.old.example.\n"
                   "b.old.example. 300 IN CNAME b.new.example.\n"
                   "b.new.example. 300 IN A 192.0.2.1\n",
        .ttl = 300,
        .is_chained = true},
    {.what = "a DNAME that does not make this alias",
        .reply = {.question = "a.old.example. IN A",
            .answers = {"old.example. 300 IN DNAME new.example.",
                "a.old.example. 300 IN CNAME b.new.example.", "b.new.example. 300 IN A 192.0.2.1"}},
        .verdict = NORMALISE_ANSWER,
        .answers = "a.old.example. 300 IN CNAME b.new.example.\n"
                   "b.new.example. 300 IN A 192.0.2.1\n",
        .ttl = 300,
        .is_chained = true},
    {.what = "the same alias twice",
        .reply = {.question = "www.example.com. IN A",
            .answers = {"www.example.com. 100 IN CNAME b.example.org.",
                "www.example.com. 90 IN CNAME B.Example.ORG.", "b.example.org. 95 IN A 192.0.2.1"}},
        .verdict = NORMALISE_ANSWER,
        .answers = "www.example.com. 90 IN CNAME b.example.org.\n"
                   "b.example.org. 95 IN A 192.0.2.1\n",
        .ttl = 90,
        .is_chained = true},
    {.what = "the longest chain",
        .reply = {.question = "c0.x. IN A",
            .answers = {"c0.x. 9 IN CNAME c1.x.", "c1.x. 9 IN CNAME c2.x.",
                "c2.x. 9 IN CNAME c3.x.", "c3.x. 9 IN CNAME c4.x.", "c4.x. 9 IN CNAME c5.x.",
                "c5.x. 9 IN CNAME c6.x.", "c6.x. 9 IN CNAME c7.x.", "c7.x. 9 IN CNAME c8.x.",
                "c8.x. 9 IN CNAME c9.x.", "c9.x. 9 IN CNAME c10.x.", "c10.x. 9 IN CNAME c11.x.",
                "c11.x. 9 IN A 192.0.2.1"}},
        .verdict = NORMALISE_ANSWER,
        .answers = "c0.x. 9 IN CNAME c1.x.\nc1.x. 9 IN CNAME c2.x.\nc2.x. 9 IN CNAME c3.x.\n"
                   "c3.x. 9 IN CNAME c4.x.\nc4.x. 9 IN CNAME c5.x.\nc5.x. 9 IN CNAME c6.x.\n"
                   "c6.x. 9 IN CNAME c7.x.\nc7.x. 9 IN CNAME c8.x.\nc8.x. 9 IN CNAME c9.x.\n"
                   "c9.x. 9 IN CNAME c10.x.\nc10.x. 9 IN CNAME c11.x.\n"
                   "c11.x. 9 IN A 192.0.2.1\n",
        .ttl = 9,
        .is_chained = true},
};

static const struct normalise_case denial_cases[] = {
    {.what = "NXDOMAIN",
        .reply = {.question = "4.3.2.1.list.example. IN A",
            .rcode = 3,
            .authority = {SOA_LINE("list.example.", "900", "150")}},
        .verdict = NORMALISE_NXDOMAIN,
        .authority = SOA_LINE("list.example.", "150", "150") "\n",
        .ttl = 150,
        .has_soa = true},
    {.what = "NODATA; the SOA's own TTL is smaller",
        .reply = {.question = "example.com. IN AAAA",
            .authority = {"example.com. 5 IN NS ns.example.com.",
                SOA_LINE("example.com.", "60", "900")}},
        .verdict = NORMALISE_NODATA,
        .authority = SOA_LINE("example.com.", "60", "900") "\n",
        .ttl = 60,
        .has_soa = true},
    {.what = "a limit on denials",
        .reply = {.question = "example.com. IN AAAA",
            .authority = {SOA_LINE("example.com.", "86400", "86400")}},
        .verdict = NORMALISE_NODATA,
        .authority = SOA_LINE("example.com.", "3600", "86400") "\n",
        .ttl = 3600,
        .has_soa = true},
    {.what = "NXDOMAIN at the end of a chain",
        .reply = {.question = "www.example.com. IN A",
            .rcode = 3,
            .answers = {"www.example.com. 20 IN CNAME gone.example.net."},
            .authority = {SOA_LINE("example.com.", "60", "60"),
                SOA_LINE("example.net.", "50", "50")}},
        .verdict = NORMALISE_NXDOMAIN,
        .answers = "www.example.com. 20 IN CNAME gone.example.net.\n",
        .authority = SOA_LINE("example.net.", "50", "50") "\n",
        .ttl = 20,
        .has_soa = true,
        .is_chained = true},
    {.what = "a chain that ends in nothing, without SOA",
        .reply = {.question = "www.example.com. IN A",
            .answers = {"www.example.com. 7200 IN CNAME gone.example.net."},
            .authority = {"example.net. 60 IN NS ns.example.net."}},
        .verdict = NORMALISE_NODATA,
        .answers = "www.example.com. 7200 IN CNAME gone.example.net.\n",
        .ttl = 3600,
        .is_chained = true},
    {.what = "SOA of a zone elsewhere",
        .reply = {.question = "www.example.com. IN A",
            .rcode = 3,
            .authority = {SOA_LINE("example.net.", "60", "60")}},
        .verdict = NORMALISE_NXDOMAIN,
        .ttl = 3600},
    {.what = "SOA of the name below",
        .reply = {.question = "example.com. IN A",
            .authority = {SOA_LINE("www.example.com.", "60", "60")}},
        .verdict = NORMALISE_NODATA,
        .ttl = 3600},
    {.what = "SOA of the root",
        .reply = {.question = "nosuch. IN A",
            .rcode = 3,
            .authority = {". 60 IN SOA a. b. 1 2 3 4 60"}},
        .verdict = NORMALISE_NXDOMAIN,
        .authority = ". 60 IN SOA a. b. 1 2 3 4 60\n",
        .ttl = 60,
        .has_soa = true},
    {.what = "an authority's empty answer with its NS",
        .reply = {.question = "example.com. IN A",
            .is_authoritative = true,
            .authority = {"example.com. 60 IN NS ns.example.com."}},
        .verdict = NORMALISE_NODATA,
        .ttl = 3600},
    {.what = "nothing at all",
        .reply = {.question = "example.com. IN A"},
        .verdict = NORMALISE_NODATA,
        .ttl = 3600},
    {.what = "only another name's records",
        .reply = {.question = "example.com. IN A", .answers = {"evil.example. 60 IN A 192.0.2.66"}},
        .verdict = NORMALISE_NODATA,
        .ttl = 3600},
    {.what = "another class",
        .reply = {.question = "example.com. IN TXT",
            .answers = {"example.com. 60 CH TXT \"x\""},
            .authority = {"example.com. 60 CH NS ns.example.com."}},
        .verdict = NORMALISE_NODATA,
        .ttl = 3600},
    {.what = "a referral",
        .reply = {.question = "example.com. IN A", .authority = {"com. 60 IN NS a.gtld.example."}},
        .verdict = NORMALISE_REFERRAL},
};

static const struct normalise_case broken_cases[] = {
    {.what = "SERVFAIL",
        .reply = {.question = "example.com. IN A", .rcode = 2},
        .verdict = NORMALISE_BROKEN},
    {.what = "an alias of itself",
        .reply = {.question = "a.x. IN A", .answers = {"a.x. 60 IN CNAME a.x."}},
        .verdict = NORMALISE_BROKEN},
    {.what = "a loop of three",
        .reply = {.question = "a.x. IN A",
            .answers = {"a.x. 60 IN CNAME b.x.", "b.x. 60 IN CNAME c.x.", "c.x. 60 IN CNAME a.x."}},
        .verdict = NORMALISE_BROKEN},
    {.what = "one link too many",
        .reply = {.question = "c0.x. IN A",
            .answers = {"c0.x. 9 IN CNAME c1.x.", "c1.x. 9 IN CNAME c2.x.",
                "c2.x. 9 IN CNAME c3.x.", "c3.x. 9 IN CNAME c4.x.", "c4.x. 9 IN CNAME c5.x.",
                "c5.x. 9 IN CNAME c6.x.", "c6.x. 9 IN CNAME c7.x.", "c7.x. 9 IN CNAME c8.x.",
                "c8.x. 9 IN CNAME c9.x.", "c9.x. 9 IN CNAME c10.x.", "c10.x. 9 IN CNAME c11.x.",
                "c11.x. 9 IN CNAME c12.x.", "c12.x. 9 IN A 192.0.2.1"}},
        .verdict = NORMALISE_BROKEN},
    {.what = "two aliases",
        .reply = {.question = "a.x. IN A",
            .answers = {"a.x. 60 IN CNAME b.x.", "a.x. 60 IN CNAME c.x."}},
        .verdict = NORMALISE_BROKEN},
    {.what = "records at a name that does not exist",
        .reply = {.question = "a.x. IN A", .rcode = 3, .answers = {"a.x. 60 IN A 192.0.2.1"}},
        .verdict = NORMALISE_BROKEN},
    {.what = "a DNAME without its alias",
        .reply = {.question = "a.old.x. IN A",
            .answers = {"old.x. 60 IN DNAME new.x.", "a.new.x. 60 IN A 192.0.2.1"}},
        .verdict = NORMALISE_BROKEN},
    {.what = "a DNAME that leads below itself for ever",
        .reply = {.question = "a.x. IN A",
            .answers = {"x. 60 IN DNAME x.x.", "a.x. 60 IN CNAME a.x.x."}},
        .verdict = NORMALISE_BROKEN},
};

#define RUN_ALL(cases)                                                                             \
    for (size_t i = 0; i < sizeof(cases) / sizeof((cases)[0]); i++) {                              \
        normalise_case_run(&(cases)[i], &normalise_case_limits);                                   \
    }

static void test_answers(void **state)
{
    (void)state;
    RUN_ALL(answer_cases);
}

static void test_denials(void **state)
{
    (void)state;
    RUN_ALL(denial_cases);
}

static void test_broken(void **state)
{
    (void)state;
    RUN_ALL(broken_cases);
}

/* The stored question is in lower case, the chain's owner follows it. */
static void test_question_in_lower_case(void **state)
{
    static struct packet packet;
    const struct packet_lines lines = {
        .question = "ExAmPlE.CoM. IN A", .answers = {"EXAMPLE.COM. 60 IN A 192.0.2.1"}};
    uint8_t bytes[512];
    struct message message;
    struct normalised normalised;
    (void)state;
    packet_make(&packet, &lines);
    assert_int_equal(message_read(packet.bytes, packet.len, &message), MESSAGE_GOOD);
    assert_int_equal(
        normalise_reply(&message, &normalise_case_limits, bytes, sizeof(bytes), &normalised),
        NORMALISE_ANSWER);
    assert_int_equal(normalised.len, 12 + 13 + 4 + 16);
    assert_memory_equal(bytes + 12, "\7example\3com\0\0\1\0\1\xc0\14", 19);
}

/* The question www.example.com stands at 12, the zone at 16. */
#define MIXED_QUESTION(type) "\3wWw\7eXaMpLe\3cOm\0\0" type "\0\1"
#define MIXED_HEAD(rcode, answers, authority)                                                      \
    "\0\1\x81" rcode "\0\1\0" answers "\0" authority "\0\0"
#define LOWER_HEAD(rcode, answers, authority)                                                      \
    "\0\0\x80" rcode "\0\1\0" answers "\0" authority "\0\0"
#define LOWER_QUESTION(type) "\3www\7example\3com\0\0" type "\0\1"
#define ALIAS                "\xc0\14\0\5\0\1\0\0\0\74\0\5\2mx\xc0\20"

/* Everything that points into a question of random spelling, as servers compress it, is stored in
 * lower case: owners, the chain, data, and data that may not stay compressed. */
static void test_random_spelling_is_forgotten(void **state)
{
    static const struct {
        const char *what;
        const char *reply;
        size_t len;
        const char *stored;
        size_t stored_len;
    } cases[] = {
        {"an alias into the zone",
            MIXED_HEAD("\x80", "\2", "\0") MIXED_QUESTION("\1") ALIAS
            "\xc0\55\0\1\0\1\0\0\0\74\0\4\1\2\3\4",
            66,
            LOWER_HEAD("\x00", "\2", "\0") LOWER_QUESTION("\1") ALIAS
            "\xc0\55\0\1\0\1\0\0\0\74\0\4\1\2\3\4",
            66},
        {"an exchange in the zone",
            MIXED_HEAD("\x80", "\1", "\0")
                MIXED_QUESTION("\17") "\xc0\14\0\17\0\1\0\0\0\74\0\7\0\12\2mx\xc0\20",
            52,
            LOWER_HEAD("\x00", "\1", "\0")
                LOWER_QUESTION("\17") "\xc0\14\0\17\0\1\0\0\0\74\0\7\0\12\2mx\xc0\20",
            52},
        {"a service, which must not be compressed",
            MIXED_HEAD("\x80", "\1", "\0")
                MIXED_QUESTION("\41") "\xc0\14\0\41\0\1\0\0\0\74\0\13\0\1\0\2\0\31\2mx\xc0\20",
            56,
            LOWER_HEAD("\x00", "\1", "\0") LOWER_QUESTION(
                "\41") "\xc0\14\0\41\0\1\0\0\0\74\0\26\0\1\0\2\0\31\2mx\7example\3com\0",
            67},
        {"a denial by the zone",
            MIXED_HEAD("\x83", "\0", "\1") MIXED_QUESTION(
                "\1") "\xc0\20\0\6\0\1\0\0\0\74\0\30\xc0\20\xc0\20\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4"
                      "\0\0\0\74",
            69,
            LOWER_HEAD("\x03", "\0", "\1") LOWER_QUESTION(
                "\1") "\xc0\20\0\6\0\1\0\0\0\74\0\30\xc0\20\xc0\20\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4"
                      "\0\0\0\74",
            69},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[256];
        struct message message;
        struct normalised normalised;
        const uint8_t *reply = (const uint8_t *)cases[i].reply;
        packet_expect(message_read(reply, cases[i].len, &message) == MESSAGE_GOOD, cases[i].what);
        packet_expect(normalise_reply(&message, &normalise_case_limits, bytes, sizeof(bytes),
                          &normalised) != NORMALISE_BROKEN,
            cases[i].what);
        packet_expect(normalised.len == cases[i].stored_len, cases[i].what);
        packet_expect(memcmp(bytes, cases[i].stored, normalised.len) == 0, cases[i].what);
    }
}

/* Room for one byte less than it needs: BROKEN, and nothing past the room is touched. */
static void test_no_room(void **state)
{
    static struct packet packet;
    const struct packet_lines lines = {
        .question = "example.com. IN MX", .answers = {"example.com. 60 IN MX 10 mx.example.net."}};
    uint8_t bytes[512];
    struct message message;
    struct normalised normalised;
    (void)state;
    packet_make(&packet, &lines);
    assert_int_equal(message_read(packet.bytes, packet.len, &message), MESSAGE_GOOD);
    assert_int_equal(
        normalise_reply(&message, &normalise_case_limits, bytes, sizeof(bytes), &normalised),
        NORMALISE_ANSWER);
    size_t needed = normalised.len;
    for (size_t size = 0; size < needed; size++) {
        memset(bytes, 0xaa, sizeof(bytes));
        assert_int_equal(
            normalise_reply(&message, &normalise_case_limits, bytes, size, &normalised),
            NORMALISE_BROKEN);
        assert_int_equal(bytes[size], 0xaa);
        assert_int_equal(normalised.len, 0);
    }
    assert_int_equal(normalise_reply(&message, &normalise_case_limits, bytes, needed, &normalised),
        NORMALISE_ANSWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_denials),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_question_in_lower_case),
        cmocka_unit_test(test_random_spelling_is_forgotten),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
