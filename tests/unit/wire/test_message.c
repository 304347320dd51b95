/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/message.h"

#include "packet.h"

#define QUESTION "\2mx\2at\0\0\17\0\1"
#define OPT      "\0\0\x29\4\xd0\0\0\x80\0\0\0"
#define MX       "\xc0\14\0\17\0\1\0\0\1\54\0\4\0\12\xc0\14"
#define TSIG     "\1k\0\0\xfa\0\xff\0\0\0\0\0\2xx"

#define ROW(what, bytes, verdict)                                                                  \
    {                                                                                              \
        what, bytes, sizeof(bytes) - 1, verdict                                                    \
    }

struct message_case {
    const char *what;
    const char *bytes;
    size_t len;
    enum message_verdict verdict;
};

static const struct message_case message_cases[] = {
    ROW("query", "\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION, MESSAGE_GOOD),
    ROW("query with OPT", "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION OPT, MESSAGE_GOOD),
    ROW("reply", "\x12\x34\x81\x80\0\1\0\1\0\0\0\1" QUESTION MX OPT, MESSAGE_GOOD),
    ROW("OPT before other records", "\x12\x34\x81\x80\0\1\0\0\0\0\0\2" QUESTION OPT MX,
        MESSAGE_GOOD),
    ROW("TSIG", "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION TSIG, MESSAGE_GOOD),
    ROW("nothing", "", MESSAGE_SHORT),
    ROW("no whole header", "\x12\x34\1\0\0\1\0\0\0\0\0", MESSAGE_SHORT),
    ROW("header only", "\x12\x34\1\0\0\0\0\0\0\0\0\0", MESSAGE_MALFORMED),
    ROW("question missing", "\x12\x34\1\0\0\1\0\0\0\0\0\0", MESSAGE_MALFORMED),
    ROW("two questions", "\x12\x34\1\0\0\2\0\0\0\0\0\0" QUESTION QUESTION, MESSAGE_MALFORMED),
    ROW("record missing", "\x12\x34\x81\x80\0\1\0\1\0\0\0\0" QUESTION, MESSAGE_MALFORMED),
    ROW("trailing byte", "\x12\x34\1\0\0\1\0\0\0\0\0\0" QUESTION "x", MESSAGE_MALFORMED),
    ROW("two OPT", "\x12\x34\1\0\0\1\0\0\0\0\0\2" QUESTION OPT OPT, MESSAGE_MALFORMED),
    ROW("OPT as an answer", "\x12\x34\1\0\0\1\0\1\0\0\0\0" QUESTION OPT, MESSAGE_MALFORMED),
    ROW("OPT as authority", "\x12\x34\1\0\0\1\0\0\0\1\0\0" QUESTION OPT, MESSAGE_MALFORMED),
    ROW("OPT of a name", "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION "\1a\0\0\x29\4\xd0\0\0\0\0\0\0",
        MESSAGE_MALFORMED),
    ROW("OPT of a pointer to the root",
        "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION "\xc0\22\0\x29\4\xd0\0\0\0\0\0\0",
        MESSAGE_MALFORMED),
    ROW("OPT with half an option",
        "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\0\0\0\0\3\0\12\0",
        MESSAGE_MALFORMED),
    ROW("owner points forward",
        "\x12\x34\x81\x80\0\1\0\1\0\0\0\0" QUESTION "\xc0\x40\0\1\0\1\0\0\0\0\0\0",
        MESSAGE_MALFORMED),
    ROW("owner points at itself",
        "\x12\x34\x81\x80\0\1\0\1\0\0\0\0" QUESTION "\xc0\x17\0\1\0\1\0\0\0\0\0\0",
        MESSAGE_MALFORMED),
    ROW("data past the end",
        "\x12\x34\x81\x80\0\1\0\1\0\0\0\0" QUESTION "\xc0\14\0\1\0\1\0\0\0\0\0\5\1\2\3\4",
        MESSAGE_MALFORMED),
};

static void test_verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(message_cases) / sizeof(message_cases[0]); i++) {
        const struct message_case *row = &message_cases[i];
        struct message message;
        enum message_verdict verdict =
            message_read((const uint8_t *)row->bytes, row->len, &message);
        packet_expect(verdict == row->verdict, row->what);
        if (row->verdict == MESSAGE_SHORT) {
            continue;
        }
        assert_int_equal(message.id, 0x1234);
        assert_int_equal(message.flags, bytes_get_u16((const uint8_t *)row->bytes + 2));
        assert_int_equal(message.opcode, OPCODE_QUERY);
        if (row->verdict == MESSAGE_MALFORMED) {
            assert_int_equal(message.edns.is_present, message.question.name_len > 0);
        }
    }
}

static void test_fields(void **state)
{
    static const uint8_t bytes[] =
        "\x12\x34\x81\x83\0\1\0\1\0\0\0\1" QUESTION MX "\0\0\x29\4\0\1\0\x80\0\0\0";
    struct message message;
    (void)state;
    assert_int_equal(message_read(bytes, sizeof(bytes) - 1, &message), MESSAGE_GOOD);
    assert_ptr_equal(message.bytes, bytes);
    assert_int_equal(message.len, sizeof(bytes) - 1);
    assert_int_equal(message.rcode, 0x13);
    assert_int_equal(message.counts[0], 1);
    assert_int_equal(message.counts[1], 1);
    assert_int_equal(message.counts[2], 0);
    assert_int_equal(message.counts[3], 1);
    assert_int_equal(message.question.type, 15);
    assert_int_equal(message.question.name_len, 7);
    assert_true(message.edns.is_present);
    assert_true(message.edns.wants_dnssec);
    assert_int_equal(message.edns.udp_size, 1024);
    assert_int_equal(message.records_at, 12 + 7 + 4);
}

/* Of a wrong OPT, or wrong records behind one, it is known that it was there, with its DO. */
static void test_wrong_opt(void **state)
{
    static const struct message_case cases[] = {
        ROW("two OPT", "\x12\x34\1\0\0\1\0\0\0\0\0\2" QUESTION OPT OPT, true),
        ROW("OPT of a name",
            "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION "\1a\0\0\x29\4\xd0\0\0\x80\0\0\0", true),
        ROW("half an option",
            "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0\0\x80\0\0\3\0\12\0", true),
        ROW("bytes behind it", "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION OPT "x", true),
        ROW("a record behind it cut", "\x12\x34\1\0\0\1\0\0\0\0\0\2" QUESTION OPT "\0\0", true),
        ROW("cut itself", "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\4\xd0\0", false),
        ROW("as an answer", "\x12\x34\1\0\0\1\0\1\0\0\0\0" QUESTION OPT, false),
        ROW("behind two questions", "\x12\x34\1\0\0\2\0\0\0\0\0\1" QUESTION QUESTION OPT, false),
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        bool is_met = cases[i].verdict;
        struct message message;
        packet_expect(
            message_read(bytes, cases[i].len, &message) == MESSAGE_MALFORMED, cases[i].what);
        packet_expect(message.edns.is_present == is_met, cases[i].what);
        packet_expect(message.edns.wants_dnssec == is_met, cases[i].what);
        packet_expect(message.edns.udp_size == (is_met ? 1232 : 0), cases[i].what);
        packet_expect(message.question.name_len == (is_met ? 7 : 0), cases[i].what);
        packet_expect(message.records_at == (is_met ? 12 + 7 + 4 : 0), cases[i].what);
    }
}

/* A malformed message of another opcode still tells its opcode, so that NOTIMP can be sent. */
static void test_opcode_of_garbage(void **state)
{
    static const uint8_t bytes[] = "\x12\x34\x28\0\0\0\0\0\0\0\0\0";
    struct message message;
    (void)state;
    assert_int_equal(message_read(bytes, sizeof(bytes) - 1, &message), MESSAGE_MALFORMED);
    assert_int_equal(message.opcode, 5);
}

/* Every prefix of a good reply is refused, whatever it is cut at. */
static void test_prefixes(void **state)
{
    static struct packet packet;
    const struct packet_lines lines = {
        .question = "example.com. IN MX",
        .wants_dnssec = true,
        .answers = {"example.com. 300 IN MX 10 mx1.example.com.",
            "example.com. 300 IN MX 20 mx2.example.com."},
        .authority = {"example.com. 300 IN NS ns.example.com."},
    };
    struct message message;
    (void)state;
    packet_make(&packet, &lines);
    assert_int_equal(message_read(packet.bytes, packet.len, &message), MESSAGE_GOOD);
    assert_int_equal(message.counts[1], 2);
    assert_int_equal(message.counts[2], 1);
    assert_int_equal(message.counts[3], 1);
    for (size_t len = 0; len < packet.len; len++) {
        assert_true(message_read(packet.bytes, len, &message) != MESSAGE_GOOD);
    }
}

static void test_too_many_records(void **state)
{
    static uint8_t bytes[65535];
    struct writer writer = writer_of(bytes, sizeof(bytes));
    struct message message;
    (void)state;
    writer_bytes(&writer, (const uint8_t *)"\x12\x34\x81\x80\0\1\0\0\0\0\0\0" QUESTION, 23);
    for (unsigned i = 0; i < MESSAGE_RECORDS_MAX; i++) {
        writer_bytes(&writer, (const uint8_t *)"\0\xff\0\0\1\0\0\0\0\0\0", 11);
    }
    bytes_put_u16(bytes + 6, MESSAGE_RECORDS_MAX);
    assert_false(writer.is_cut);
    assert_int_equal(message_read(bytes, writer.len, &message), MESSAGE_GOOD);
    writer_bytes(&writer, (const uint8_t *)"\0\xff\0\0\1\0\0\0\0\0\0", 11);
    bytes_put_u16(bytes + 8, 1);
    assert_int_equal(message_read(bytes, writer.len, &message), MESSAGE_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_wrong_opt),
        cmocka_unit_test(test_opcode_of_garbage),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_too_many_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
