/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/compress.h"
#include "wire/message.h"
#include "wire/rdata.h"
#include "wire/records.h"
#include "wire/types.h"

#include "packet.h"

/* One of each type that mail, or an old zone, may show: data that reads, moves and reads again. */
static const char *const rdata_lines[] = {
    "x.at. 60 IN A 192.0.2.1",
    "x.at. 60 IN NS ns.x.at.",
    "x.at. 60 IN CNAME y.at.",
    "x.at. 60 IN SOA ns.x.at. post.x.at. 1 2 3 4 5",
    "x.at. 60 IN MB m.x.at.",
    "x.at. 60 IN PTR mx.x.at.",
    "x.at. 60 IN HINFO \"a\" \"b\"",
    "x.at. 60 IN MINFO a.x.at. b.x.at.",
    "x.at. 60 IN MX 10 mx.x.at.",
    "x.at. 60 IN TXT \"v=spf1\" \"-all\"",
    "x.at. 60 IN RP a.x.at. b.x.at.",
    "x.at. 60 IN AFSDB 1 a.x.at.",
    "x.at. 60 IN RT 1 a.x.at.",
    "x.at. 60 IN PX 1 a.x.at. b.x.at.",
    "x.at. 60 IN AAAA 2001:db8::1",
    "x.at. 60 IN SRV 1 2 25 mx.x.at.",
    "x.at. 60 IN NAPTR 1 2 \"s\" \"SIP+D2U\" \"\" r.x.at.",
    "x.at. 60 IN KX 1 a.x.at.",
    "x.at. 60 IN DNAME y.at.",
    "x.at. 60 IN DS 1 8 2 00112233",
    "x.at. 60 IN RRSIG A 8 2 300 20300101000000 20200101000000 4711 x.at. AAEC",
    "x.at. 60 IN NSEC a.x.at. A MX RRSIG NSEC ",
    "x.at. 60 IN TLSA 3 1 1 00ff",
    "x.at. 60 IN TYPE65280 \\# 3 c0ffee",
};

#define RDATA_LINES (sizeof(rdata_lines) / sizeof(rdata_lines[0]))

static void rdata_read_line(const char *line, struct packet *packet, struct record *record_out)
{
    const struct packet_lines lines = {.question = "x.at. IN A", .answers = {line}};
    struct message message;
    packet_make(packet, &lines);
    assert_int_equal(message_read(packet->bytes, packet->len, &message), MESSAGE_GOOD);
    struct reader reader = reader_of(packet->bytes, packet->len);
    reader.at = message.records_at;
    assert_true(record_read(&reader, record_out));
}

/* Copies the header, question and owner, then moves the data; ldns must read the same record. */
static void test_moves(void **state)
{
    static struct packet packet;
    static struct compress compress;
    (void)state;
    for (size_t i = 0; i < RDATA_LINES; i++) {
        struct record record;
        uint8_t bytes[512];
        char text[512];
        rdata_read_line(rdata_lines[i], &packet, &record);
        struct reader message = reader_of(packet.bytes, packet.len);
        struct writer writer = writer_of(bytes, sizeof(bytes));
        compress_init(&compress);
        assert_true(rdata_is_valid(&message, &record));
        writer_bytes(&writer, packet.bytes, record.rdata_at);
        assert_true(rdata_write(&message, &record, &compress, &writer));
        assert_false(writer.is_cut);
        bytes_put_u16(bytes + record.rdata_at - 2, (uint16_t)(writer.len - record.rdata_at));
        packet_text(bytes, writer.len, LDNS_SECTION_ANSWER, text, sizeof(text));
        text[strcspn(text, "\n")] = '\0';
        assert_string_equal(text, rdata_lines[i]);
    }
}

/* Data cut by a byte, or with one too many, is noticed wherever the type has a form. */
static void test_lengths(void **state)
{
    static struct packet packet;
    (void)state;
    for (size_t i = 0; i < RDATA_LINES; i++) {
        struct record record;
        rdata_read_line(rdata_lines[i], &packet, &record);
        bool is_open = record.type == TYPE_DS || record.type == TYPE_RRSIG ||
                       record.type == TYPE_NSEC || record.type == TYPE_TLSA || record.type == 65280;
        struct reader message = reader_of(packet.bytes, packet.len);
        record.rdata_len--;
        packet_expect(rdata_is_valid(&message, &record) == is_open, rdata_lines[i]);
        record.rdata_len += 2;
        packet.bytes[packet.len] = 1;
        message.len++;
        packet_expect(rdata_is_valid(&message, &record) == is_open, rdata_lines[i]);
    }
}

/* A text has one string at least, which may be empty (RFC 1035 section 3.3.14). */
static void test_text_has_a_string(void **state)
{
    static const uint8_t bytes[] = {0};
    const struct record none = {.type = TYPE_TXT, .class = CLASS_IN};
    const struct record empty = {.type = TYPE_TXT, .class = CLASS_IN, .rdata_len = 1};
    struct reader message = reader_of(bytes, sizeof(bytes));
    (void)state;
    assert_false(rdata_is_valid(&message, &none));
    assert_true(rdata_is_valid(&message, &empty));
}

/* Every pair of lines: equal to itself only; equal data have equal hashes. */
static void test_equal(void **state)
{
    static struct packet packet;
    (void)state;
    for (size_t i = 0; i < RDATA_LINES; i++) {
        for (size_t j = 0; j < RDATA_LINES; j++) {
            const struct packet_lines lines = {
                .question = "x.at. IN A", .answers = {rdata_lines[i], rdata_lines[j]}};
            struct record a;
            struct record b;
            packet_make(&packet, &lines);
            struct reader message = reader_of(packet.bytes, packet.len);
            message.at = HEADER_SIZE + 6 + 4;
            assert_true(record_read(&message, &a));
            assert_true(record_read(&message, &b));
            assert_int_equal(rdata_equal(&message, &a, &b), i == j);
            if (i == j) {
                size_t work;
                uint32_t hash = rdata_hash(&message, &a, &work);
                assert_int_equal(hash, rdata_hash(&message, &b, &work));
            }
        }
    }
}

static void test_equal_ignores_case_and_compression(void **state)
{
    static const uint8_t bytes[] = "\0\0\0\0\0\0\0\0\0\0\0\0\2at\0"
                                   "\0\12\2mx\xc0\14"   /* At 16. */
                                   "\0\12\2MX\2At\0"    /* At 23. */
                                   "\0\13\2mx\xc0\14"   /* At 32. */
                                   "\0\12\2mx\xc0\xff"; /* At 39. */
    const struct reader message = reader_of(bytes, sizeof(bytes) - 1);
    const struct record pointer = {.type = TYPE_MX, .class = 1, .rdata_at = 16, .rdata_len = 7};
    const struct record full = {.type = TYPE_MX, .class = 1, .rdata_at = 23, .rdata_len = 9};
    const struct record other = {.type = TYPE_MX, .class = 1, .rdata_at = 32, .rdata_len = 7};
    const struct record bad = {.type = TYPE_MX, .class = 1, .rdata_at = 39, .rdata_len = 7};
    (void)state;
    assert_true(rdata_equal(&message, &pointer, &full));
    size_t work = 0;
    uint32_t hash = rdata_hash(&message, &pointer, &work);
    assert_int_equal(work, 2 + 7 + 1);
    assert_int_equal(hash, rdata_hash(&message, &full, &work));
    assert_int_equal(work, 2 + 7);
    assert_false(rdata_equal(&message, &pointer, &other));
    assert_false(rdata_equal(&message, &pointer, &bad));
    assert_true(rdata_equal(&message, &bad, &bad));
}

/* A name that borrowed the random spelling of the question is written in full without it; one that
 * was sent in full keeps its own (RFC 4343). */
static void test_borrowed_spelling(void **state)
{
    static const uint8_t bytes[] = "\0\0\0\0\0\0\0\0\0\0\0\0\2aT\0"
                                   "\0\1\0\2\0\31\2Mx\xc0\14" /* At 16. */
                                   "\0\1\0\2\0\31\2Mx\2aT\0"; /* At 27. */
    static struct compress compress;
    const struct reader message = reader_of(bytes, sizeof(bytes) - 1);
    const struct record pointer = {.type = TYPE_SRV, .class = 1, .rdata_at = 16, .rdata_len = 11};
    const struct record full = {.type = TYPE_SRV, .class = 1, .rdata_at = 27, .rdata_len = 13};
    uint8_t written[64];
    struct writer writer = writer_of(written, sizeof(written));
    (void)state;
    compress_init(&compress);
    assert_true(rdata_write(&message, &pointer, &compress, &writer));
    assert_true(rdata_write(&message, &full, &compress, &writer));
    assert_int_equal(writer.len, 26);
    assert_memory_equal(written, "\0\1\0\2\0\31\2mx\2at\0\0\1\0\2\0\31\2Mx\2aT\0", writer.len);
}

/* An address of the Chaos class is a name and a number: bytes to us. */
static void test_other_class(void **state)
{
    const struct reader message = reader_of((const uint8_t *)"\1a\0\0\7", 5);
    struct record record = {.type = TYPE_A, .class = CLASS_CH, .rdata_len = 5};
    (void)state;
    assert_true(rdata_is_valid(&message, &record));
    record.class = CLASS_IN;
    assert_false(rdata_is_valid(&message, &record));
}

static void test_read_name(void **state)
{
    static struct packet packet;
    struct record record;
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    (void)state;
    rdata_read_line("x.at. 60 IN CNAME y.at.", &packet, &record);
    struct reader message = reader_of(packet.bytes, packet.len);
    assert_true(rdata_read_name(&message, &record, name, &len));
    assert_int_equal(len, 6);
    assert_memory_equal(name, "\1y\2at\0", 6);
    record.rdata_len = 1;
    assert_false(rdata_read_name(&message, &record, name, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_text_has_a_string),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_equal_ignores_case_and_compression),
        cmocka_unit_test(test_borrowed_spelling),
        cmocka_unit_test(test_other_class),
        cmocka_unit_test(test_read_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
