/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/types.h"

#include "normalise_case.h"

#define SIGNED(owner, ttl, type, labels, signer)                                                   \
    owner " " ttl " IN RRSIG " type " 8 " labels " 300 20300101000000 20200101000000 4711 " signer \
          " AAEC"

#define SOA_X "x. 60 IN SOA ns.x. post.x. 7 3600 600 86400 60"

static const struct normalise_case set_cases[] = {
    {.what = "duplicates, and the smallest TTL for all",
        .reply = {.question = "x. IN MX",
            .answers = {"x. 300 IN MX 10 a.x.", "x. 200 IN MX 10 A.X.", "x. 400 IN MX 20 a.x.",
                "x. 250 IN MX 10 b.x.", "x. 300 IN MX 10 a.x."}},
        .verdict = NORMALISE_ANSWER,
        .answers = "x. 200 IN MX 10 a.x.\nx. 200 IN MX 20 a.x.\nx. 200 IN MX 10 b.x.\n",
        .ttl = 200},
    {.what = "text differs by case",
        .reply = {.question = "x. IN TXT",
            .answers = {"x. 300 IN TXT \"a\"", "x. 300 IN TXT \"A\"", "x. 300 IN TXT \"a\""}},
        .verdict = NORMALISE_ANSWER,
        .answers = "x. 300 IN TXT \"a\"\nx. 300 IN TXT \"A\"\n",
        .ttl = 300},
    {.what = "no signatures without DO",
        .reply = {.question = "x. IN A",
            .answers = {"x. 300 IN A 192.0.2.1", SIGNED("x.", "100", "A", "1", "x.")}},
        .verdict = NORMALISE_ANSWER,
        .answers = "x. 300 IN A 192.0.2.1\n",
        .ttl = 300},
    {.what = "signatures with DO, behind their set, with its TTL",
        .reply = {.question = "a.x. IN A",
            .wants_dnssec = true,
            .is_ad = true,
            .answers = {SIGNED("b.x.", "100", "A", "1", "x."), "b.x. 300 IN A 192.0.2.1",
                SIGNED("b.x.", "100", "AAAA", "1", "x."), "a.x. 50 IN CNAME b.x.",
                SIGNED("a.x.", "60", "CNAME", "1", "x.")}},
        .verdict = NORMALISE_ANSWER,
        .answers = "a.x. 50 IN CNAME b.x.\n" SIGNED("a.x.", "50", "CNAME", "1",
            "x.") "\n"
                  "b.x. 100 IN A 192.0.2.1\n" SIGNED("b.x.", "100", "A", "1", "x.") "\n",
        .ttl = 50,
        .is_chained = true},
    {.what = "proofs of a denial with DO",
        .reply = {.question = "a.x. IN A",
            .rcode = 3,
            .wants_dnssec = true,
            .authority = {SOA_X, SIGNED("x.", "90", "SOA", "1", "x."),
                "x. 60 IN NSEC b.x. NS SOA RRSIG NSEC", SIGNED("x.", "60", "NSEC", "1", "x."),
                "x. 60 IN NS ns.x.", SIGNED("x.", "60", "NS", "1", "x.")}},
        .verdict = NORMALISE_NXDOMAIN,
        .authority = SOA_X
        "\n" SIGNED("x.", "60", "SOA", "1", "x.") "\n"
                                                  "x. 60 IN NSEC b.x. NS SOA RRSIG NSEC \n" SIGNED(
                                                      "x.", "60", "NSEC", "1", "x.") "\n",
        .ttl = 60,
        .has_soa = true},
    {.what = "proofs are left out without DO",
        .reply = {.question = "a.x. IN A",
            .rcode = 3,
            .authority = {SOA_X, "x. 60 IN NSEC b.x. NS SOA RRSIG NSEC"}},
        .verdict = NORMALISE_NXDOMAIN,
        .authority = SOA_X "\n",
        .ttl = 60,
        .has_soa = true},
    {.what = "proofs that a wildcard may answer",
        .reply = {.question = "a.x. IN A",
            .wants_dnssec = true,
            .answers = {"a.x. 300 IN A 192.0.2.1", SIGNED("a.x.", "300", "A", "1", "x.")},
            .authority = {"x. 60 IN NSEC b.x. NS SOA RRSIG NSEC",
                SIGNED("x.", "60", "NSEC", "1", "x.")}},
        .verdict = NORMALISE_ANSWER,
        .answers = "a.x. 300 IN A 192.0.2.1\n" SIGNED("a.x.", "300", "A", "1", "x.") "\n",
        .authority =
            "x. 60 IN NSEC b.x. NS SOA RRSIG NSEC \n" SIGNED("x.", "60", "NSEC", "1", "x.") "\n",
        .ttl = 60},
    {.what = "TTL above the limit",
        .reply = {.question = "x. IN A", .answers = {"x. 604800 IN A 192.0.2.1"}},
        .verdict = NORMALISE_ANSWER,
        .answers = "x. 86400 IN A 192.0.2.1\n",
        .ttl = 86400},
};

static void test_sets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(set_cases) / sizeof(set_cases[0]); i++) {
        normalise_case_run(&set_cases[i], &normalise_case_limits);
    }
}

static void test_raised_ttls(void **state)
{
    static const struct normalise_case cases[] = {
        {.what = "raised, the chain too",
            .reply = {.question = "a.x. IN A",
                .answers = {"a.x. 5 IN CNAME b.x.", "b.x. 6 IN A 192.0.2.1"}},
            .verdict = NORMALISE_ANSWER,
            .answers = "a.x. 30 IN CNAME b.x.\nb.x. 30 IN A 192.0.2.1\n",
            .ttl = 30,
            .is_chained = true},
        {.what = "TLSA is not raised",
            .reply = {.question = "a.x. IN TLSA", .answers = {"a.x. 5 IN TLSA 3 1 1 00ff"}},
            .verdict = NORMALISE_ANSWER,
            .answers = "a.x. 5 IN TLSA 3 1 1 00ff\n",
            .ttl = 5},
        {.what = "nothing is raised with DO",
            .reply = {.question = "a.x. IN A",
                .wants_dnssec = true,
                .answers = {"a.x. 6 IN A 192.0.2.1"}},
            .verdict = NORMALISE_ANSWER,
            .answers = "a.x. 6 IN A 192.0.2.1\n",
            .ttl = 6},
        {.what = "denials are not raised",
            .reply = {.question = "a.x. IN A",
                .rcode = 3,
                .authority = {"x. 5 IN SOA ns.x. post.x. 7 3600 600 86400 60"}},
            .verdict = NORMALISE_NXDOMAIN,
            .authority = "x. 5 IN SOA ns.x. post.x. 7 3600 600 86400 60\n",
            .ttl = 5,
            .has_soa = true},
    };
    const struct normalise_limits limits = {
        .ttl_min = 30, .ttl_max = 86400, .negative_ttl_max = 3600};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        normalise_case_run(&cases[i], &limits);
    }
}

/* A reply of hand-made bytes with one answer of the asked type. */
static enum normalise_verdict normalise_raw(
    uint16_t type, const char *rdata, size_t rdata_len, uint8_t *bytes_out, size_t *len_out)
{
    uint8_t reply[512];
    struct writer writer = writer_of(reply, sizeof(reply));
    struct message message;
    struct normalised normalised;
    writer_bytes(&writer, (const uint8_t *)"\0\1\x81\x80\0\1\0\1\0\0\0\0\1x", 14);
    writer_bytes(&writer, (const uint8_t *)"\2at", 4);
    writer_u16(&writer, type);
    writer_u16(&writer, 1);
    writer_bytes(&writer, (const uint8_t *)"\xc0\14", 2);
    writer_u16(&writer, type);
    writer_u16(&writer, 1);
    writer_u32(&writer, 60);
    writer_u16(&writer, (uint16_t)rdata_len);
    writer_bytes(&writer, (const uint8_t *)rdata, rdata_len);
    assert_int_equal(message_read(reply, writer.len, &message), MESSAGE_GOOD);
    enum normalise_verdict verdict =
        normalise_reply(&message, &normalise_case_limits, bytes_out, writer.len + 64, &normalised);
    *len_out = normalised.len;
    return verdict;
}

static void test_bad_data_of_kept_records(void **state)
{
    static const struct {
        const char *what;
        uint16_t type;
        const char *rdata;
        size_t len;
        enum normalise_verdict verdict;
    } cases[] = {
        {"an address", TYPE_A, "\1\2\3\4", 4, NORMALISE_ANSWER},
        {"an address of three bytes", TYPE_A, "\1\2\3", 3, NORMALISE_BROKEN},
        {"an address of five bytes", TYPE_A, "\1\2\3\4\5", 5, NORMALISE_BROKEN},
        {"a short IPv6 address", TYPE_AAAA, "\1\2\3\4", 4, NORMALISE_BROKEN},
        {"an exchange", TYPE_MX, "\0\12\2mx\xc0\14", 7, NORMALISE_ANSWER},
        {"no exchange", TYPE_MX, "\0\12", 2, NORMALISE_BROKEN},
        {"a byte behind the exchange", TYPE_MX, "\0\12\2mx\0x", 7, NORMALISE_BROKEN},
        {"an exchange that points at itself", TYPE_MX, "\0\12\xc0\x26", 4, NORMALISE_BROKEN},
        {"an exchange that points past the end", TYPE_MX, "\0\12\xff\xff", 4, NORMALISE_BROKEN},
        {"half an SOA", TYPE_SOA, "\xc0\14\xc0\14\0\0\0\1", 8, NORMALISE_BROKEN},
        {"a text", TYPE_TXT, "\3abc", 4, NORMALISE_ANSWER},
        {"a text past its end", TYPE_TXT, "\4abc", 4, NORMALISE_BROKEN},
        {"an unknown type that looks like a pointer", 65280, "\xc0\xff", 2, NORMALISE_ANSWER},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[600];
        size_t len;
        enum normalise_verdict verdict =
            normalise_raw(cases[i].type, cases[i].rdata, cases[i].len, bytes, &len);
        packet_expect(verdict == cases[i].verdict, cases[i].what);
    }
}

/* What an old server compressed is written out where RFC 3597 forbids to compress. */
static void test_old_servers_srv(void **state)
{
    uint8_t bytes[600];
    size_t len;
    char text[256];
    (void)state;
    assert_int_equal(
        normalise_raw(TYPE_SRV, "\0\1\0\2\0\31\2mx\xc0\14", 11, bytes, &len), NORMALISE_ANSWER);
    assert_string_equal(packet_text(bytes, len, LDNS_SECTION_ANSWER, text, sizeof(text)),
        "x.at. 60 IN SRV 1 2 25 mx.x.at.\n");
    assert_memory_equal(bytes + len - 9, "\2mx\1x\2at\0", 9);
}

static void test_bad_soa(void **state)
{
    static const uint8_t reply[] = "\0\1\x81\x83\0\1\0\0\0\1\0\0\1x\0\0\1\0\1"
                                   "\xc0\14\0\6\0\1\0\0\0\74\0\4\xc0\14\xc0\14";
    uint8_t bytes[128];
    struct message message;
    struct normalised normalised;
    (void)state;
    assert_int_equal(message_read(reply, sizeof(reply) - 1, &message), MESSAGE_GOOD);
    assert_int_equal(
        normalise_reply(&message, &normalise_case_limits, bytes, sizeof(bytes), &normalised),
        NORMALISE_BROKEN);
}

/* As many different addresses as a message holds, each twice: all are kept, once. */
static void test_large_set(void **state)
{
    enum {
        COUNT = 4000
    };
    static uint8_t reply[65535];
    static uint8_t bytes[65535];
    struct writer writer = writer_of(reply, sizeof(reply));
    struct message message;
    struct message stored;
    struct normalised normalised;
    (void)state;
    writer_bytes(&writer, (const uint8_t *)"\0\1\x81\x80\0\1\0\0\0\0\0\0\1x\0\0\1\0\1", 19);
    for (unsigned i = 0; i < COUNT; i++) {
        writer_bytes(&writer, (const uint8_t *)"\xc0\14\0\1\0\1\0\0\0\74\0\4", 12);
        writer_u32(&writer, i / 2);
    }
    bytes_put_u16(reply + 6, COUNT);
    assert_int_equal(message_read(reply, writer.len, &message), MESSAGE_GOOD);
    assert_int_equal(
        normalise_reply(&message, &normalise_case_limits, bytes, sizeof(bytes), &normalised),
        NORMALISE_ANSWER);
    assert_int_equal(message_read(bytes, normalised.len, &stored), MESSAGE_GOOD);
    assert_int_equal(stored.counts[1], COUNT / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_raised_ttls),
        cmocka_unit_test(test_bad_data_of_kept_records),
        cmocka_unit_test(test_old_servers_srv),
        cmocka_unit_test(test_bad_soa),
        cmocka_unit_test(test_large_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
