/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/wire/packet.h"

#include "base/text.h"
#include "wire/message.h"
#include "wire/types.h"
#include "cmd/lookup_hide.h"
#include "cmd/lookup_show.h"

static char output[1 << 16];
static struct lookup_hide hide; /* Of no name in particular. */

static const char *show(const uint8_t *bytes, size_t len, uint32_t age_s)
{
    struct message message;
    struct text text;
    assert_int_equal(message_read(bytes, len, &message), MESSAGE_GOOD);
    text_init(&text, output, sizeof output);
    lookup_show_records(&text, &hide, &message, age_s);
    return output;
}

static void test_records_in_presentation_form(void **state)
{
    static struct packet packet;
    (void)state;
    packet_make(&packet,
        &(struct packet_lines){
            .question = "example.org. IN MX",
            .answers =
                {
                    "example.org. 300 IN MX 10 mx1.example.org.",
                    "mx1.example.org. 300 IN A 192.0.2.25",
                    "mx1.example.org. 300 IN AAAA 2001:db8::25",
                    "a.example.org. 300 IN CNAME b.example.org.",
                    "example.org. 300 IN TXT \"v=spf1 -all\" \"two\"",
                    "s.example.org. 300 IN SRV 1 2 25 mx1.example.org.",
                    "_25._tcp.mx1.example.org. 300 IN TLSA 3 1 1 abcd",
                    "d.example.org. 300 IN TYPE65280 \\# 3 010203",
                },
            .authority = {"example.org. 60 IN SOA ns.example.org. h.example.org. 1 2 3 4 5"},
        });
    assert_string_equal(show(packet.bytes, packet.len, 100),
        "    example.org. 200 MX 10 mx1.example.org.\n"
        "    mx1.example.org. 200 A 192.0.2.25\n"
        "    mx1.example.org. 200 AAAA 2001:db8::25\n"
        "    a.example.org. 200 CNAME b.example.org.\n"
        "    example.org. 200 TXT \"v=spf1 -all\" \"two\"\n"
        "    s.example.org. 200 SRV 1 2 25 mx1.example.org.\n"
        "    _25._tcp.mx1.example.org. 200 TLSA 3 1 1 abcd\n"
        "    d.example.org. 200 TYPE65280 \\# 3 010203\n"
        "  authority:\n"
        "    example.org. 0 SOA ns.example.org. h.example.org. 1 2 3 4 5\n");
}

/* The subject is what was asked for; the key before a paid list's zone is nobody's business. */
static void test_keys_are_not_shown(void **state)
{
    static struct packet packet;
    (void)state;
    packet_make(&packet, &(struct packet_lines){
                             .question = "2.0.0.127.s3cret.zen.dq.spamhaus.net. IN A",
                             .answers = {"2.0.0.127.s3cret.zen.dq.spamhaus.net. 60 IN A 127.0.0.2"},
                         });
    assert_string_equal(
        show(packet.bytes, packet.len, 0), "    2.0.0.127.*.zen.dq.spamhaus.net. 60 A 127.0.0.2\n");
}

static void test_no_records(void **state)
{
    static struct packet packet;
    (void)state;
    packet_make(&packet, &(struct packet_lines){.question = "example.org. IN MX"});
    assert_string_equal(show(packet.bytes, packet.len, 0), "");
}

/* One record for the name of the question, with the data as it is given. */
static size_t write_record(
    uint8_t *bytes, size_t size, uint16_t type, const uint8_t *data, uint16_t data_len)
{
    static const uint8_t question[] = {1, 'a', 0, 0, TYPE_A, 0, CLASS_IN};
    static const uint16_t counts[4] = {1, 1, 0, 0};
    struct writer writer = writer_of(bytes, size);
    uint8_t *header = writer_take(&writer, HEADER_SIZE);
    header_set_id(header, 0);
    header_set_flags(header, HEADER_QR);
    header_set_counts(header, counts);
    writer_bytes(&writer, question, sizeof question);
    writer_u16(&writer, 0xc000 | HEADER_SIZE);
    writer_u16(&writer, type);
    writer_u16(&writer, CLASS_IN);
    writer_u32(&writer, 60);
    writer_u16(&writer, data_len);
    writer_bytes(&writer, data, data_len);
    assert_false(writer.is_cut);
    return writer.len;
}

/* Where the data of that record begins. */
#define DATA_AT (HEADER_SIZE + 7 + 12)

struct odd_case {
    uint16_t type;
    uint16_t len;
    uint8_t data[16];
    const char *line;
};

static void test_odd_data_never_reaches_ldns(void **state)
{
    static const struct odd_case cases[] = {
        {TYPE_TSIG, 2, {1, 2}, "    a. 60 TSIG \\# 2 0102\n"},
        {TYPE_NSEC3, 5, {9, 0, 0, 0, 0}, "    a. 60 NSEC3 \\# 5 0900000000\n"},
        {TYPE_A, 0, {0}, "    a. 60 A \\# 0 \n"},
        {TYPE_A, 3, {1, 2, 3}, "    a. 60 A \\# 3 010203\n"},
        {TYPE_A, 5, {1, 2, 3, 4, 5}, "    a. 60 A \\# 5 0102030405\n"},
        {TYPE_TLSA, 2, {3, 1}, "    a. 60 TLSA \\# 2 0301\n"},
        {TYPE_MX, 2, {0, 10}, "    a. 60 MX \\# 2 000a\n"},
        {TYPE_MX, 1, {0}, "    a. 60 MX \\# 1 00\n"},
        /* A pointer to itself, one past the end, and a name with a byte too many behind it. */
        {TYPE_NS, 2, {0xc0, DATA_AT}, "    a. 60 NS \\# 2 c01f\n"},
        {TYPE_NS, 2, {0xc0, 0xff}, "    a. 60 NS \\# 2 c0ff\n"},
        {TYPE_NS, 3, {0xc0, HEADER_SIZE, 0}, "    a. 60 NS \\# 3 c00c00\n"},
        {TYPE_SOA, 2, {0, 0}, "    a. 60 SOA \\# 2 0000\n"},
        {TYPE_TXT, 3, {9, 'a', 'b'}, "    a. 60 TXT \\# 3 096162\n"},
        {TYPE_TXT, 4, {3, 0x1b, '[', 'J'}, "    a. 60 TXT \"\\027[J\"\n"},
        {TYPE_NS, 2, {0xc0, HEADER_SIZE}, "    a. 60 NS a.\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[128];
        size_t len = write_record(bytes, sizeof bytes, cases[i].type, cases[i].data, cases[i].len);
        assert_string_equal(show(bytes, len, 0), cases[i].line);
    }
}

static void test_a_flood_is_counted(void **state)
{
    static uint8_t bytes[65535];
    static const uint16_t counts[4] = {1, LOOKUP_SHOW_RECORDS_MAX + 3, 0, 0};
    static const uint8_t address[4] = {192, 0, 2, 1};
    size_t len = write_record(bytes, sizeof bytes, TYPE_A, address, sizeof address);
    size_t record_len = len - (HEADER_SIZE + 7);
    (void)state;
    for (unsigned i = 1; i < counts[1]; i++) {
        memcpy(bytes + len, bytes + HEADER_SIZE + 7, record_len);
        len += record_len;
    }
    header_set_counts(bytes, counts);
    const char *text = show(bytes, len, 0);
    const char *last = strstr(text, "    and 3 more\n");
    assert_non_null(last);
    assert_string_equal(last, "    and 3 more\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_in_presentation_form),
        cmocka_unit_test(test_keys_are_not_shown),
        cmocka_unit_test(test_no_records),
        cmocka_unit_test(test_odd_data_never_reaches_ldns),
        cmocka_unit_test(test_a_flood_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
