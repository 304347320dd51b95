/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/capture_packet.h"
#include "tests/support/capture_writer.h"

/* One packet, whole, cut at every length, and bent. */

static void make(const struct script_wire *wire, struct script_packet *packet)
{
    struct script script;
    const struct script_row row = {1.5, 'C', "EHLO a.example\r\n", S_PLAIN, 0};
    script_init(&script, wire);
    script_row_make(&script, &row, packet);
}

static enum capture_verdict read_packet(
    const struct script_packet *packet, enum capture_link link, struct capture_segment *segment)
{
    const struct capture_packet captured = {
        .at_us = packet->at_us,
        .link = link,
        .bytes = packet->bytes,
        .len = packet->len,
        .wire_len = packet->wire_len,
    };
    return capture_packet_read(&captured, segment);
}

static void test_links(void **state)
{
    (void)state;
    for (int i = 0; i < CAPTURE_LINK_UNKNOWN * 4; i++) {
        struct script_packet packet;
        struct capture_segment segment;
        struct script_wire wire = script_wire_plain;
        wire.link = (enum capture_link)(i / 4);
        wire.is_ipv6 = (i & 1) != 0;
        wire.has_vlan = (i & 2) != 0;
        wire.ipv6_extensions = (i & 2) != 0 ? 3 : 0;
        make(&wire, &packet);
        assert_int_equal(read_packet(&packet, wire.link, &segment), CAPTURE_SEGMENT);
        assert_int_equal(segment.from.port, 40001);
        assert_int_equal(segment.to.port, 25);
        assert_int_equal(segment.from.family, wire.is_ipv6 ? ADDRESS_IPV6 : ADDRESS_IPV4);
        assert_int_equal(segment.hops, 64);
        assert_int_equal(segment.sequence, 0xffffff00u);
        assert_int_equal(segment.len, 16);
        assert_int_equal(segment.wire_len, 16);
        assert_memory_equal(segment.bytes, "EHLO a.example\r\n", 16);
    }
}

/* What is cut off is known by its length, or not at all. */
static void test_cut(void **state)
{
    (void)state;
    for (int i = 0; i < CAPTURE_LINK_UNKNOWN * 2; i++) {
        struct script_packet packet;
        struct capture_segment segment;
        struct script_wire wire = script_wire_plain;
        wire.link = (enum capture_link)(i / 2);
        wire.is_ipv6 = (i & 1) != 0;
        make(&wire, &packet);
        uint32_t head = packet.wire_len - 16;
        for (packet.len = 0; packet.len < packet.wire_len; packet.len++) {
            /* In a block of its own, so that a read past its end is seen. */
            uint8_t *bytes = malloc(packet.len + 1);
            assert_non_null(bytes);
            memcpy(bytes, packet.bytes, packet.len);
            const struct capture_packet captured = {
                0, wire.link, bytes, packet.len, packet.wire_len};
            enum capture_verdict verdict = capture_packet_read(&captured, &segment);
            assert_int_equal(verdict, packet.len < head ? CAPTURE_BROKEN : CAPTURE_SEGMENT);
            if (verdict == CAPTURE_SEGMENT) {
                assert_int_equal(segment.len, packet.len - head);
                assert_int_equal(segment.wire_len, 16);
            }
            free(bytes);
        }
    }
}

struct bend {
    uint32_t at; /* In a packet of Ethernet and IPv4. */
    uint8_t byte;
    enum capture_verdict verdict;
};

static void test_bent(void **state)
{
    static const struct bend bends[] = {
        {12, 0x12, CAPTURE_OTHER},    /* Another EtherType. */
        {14, 0x75, CAPTURE_OTHER},    /* Version. */
        {14, 0x44, CAPTURE_BROKEN},   /* A header of 16 bytes. */
        {14, 0x4f, CAPTURE_BROKEN},   /* Of 60, which leaves too little for TCP. */
        {17, 39, CAPTURE_BROKEN},     /* A total length without a TCP header. */
        {17, 0, CAPTURE_SEGMENT},     /* None said: the network card fills it in. */
        {17, 255, CAPTURE_SEGMENT},   /* More than there is. */
        {20, 0x20, CAPTURE_FRAGMENT}, /* More fragments. */
        {21, 0x09, CAPTURE_FRAGMENT}, /* Not the first. */
        {20, 0x40, CAPTURE_SEGMENT},  /* Only "don't fragment". */
        {23, 17, CAPTURE_OTHER},      /* UDP. */
        {46, 0x40, CAPTURE_BROKEN},   /* A TCP header of 16 bytes. */
        {46, 0xf0, CAPTURE_BROKEN},   /* Of 60, longer than the packet. */
    };
    (void)state;
    for (size_t i = 0; i < sizeof bends / sizeof bends[0]; i++) {
        struct script_packet packet;
        struct capture_segment segment;
        make(&script_wire_plain, &packet);
        packet.bytes[bends[i].at] = bends[i].byte;
        if (read_packet(&packet, CAPTURE_LINK_ETHERNET, &segment) != bends[i].verdict) {
            fail_msg("byte %u as %u is not %d", bends[i].at, bends[i].byte, bends[i].verdict);
        }
    }
}

static void test_ipv6(void **state)
{
    struct script_packet packet;
    struct capture_segment segment;
    struct script_wire wire = script_wire_plain;
    (void)state;
    wire.link = CAPTURE_LINK_RAW;
    wire.is_ipv6 = true;
    wire.ipv6_extensions = 1;
    make(&wire, &packet);
    packet.bytes[6] = 44;
    assert_int_equal(read_packet(&packet, CAPTURE_LINK_RAW, &segment), CAPTURE_SEGMENT);
    packet.bytes[43] = 1;
    assert_int_equal(read_packet(&packet, CAPTURE_LINK_RAW, &segment), CAPTURE_FRAGMENT);
    packet.bytes[6] = 51;
    packet.bytes[41] = 0;
    assert_int_equal(read_packet(&packet, CAPTURE_LINK_RAW, &segment), CAPTURE_SEGMENT);
    packet.bytes[6] = 50;
    assert_int_equal(read_packet(&packet, CAPTURE_LINK_RAW, &segment), CAPTURE_OTHER);
    wire.ipv6_extensions = 9;
    make(&wire, &packet);
    assert_int_equal(read_packet(&packet, CAPTURE_LINK_RAW, &segment), CAPTURE_BROKEN);
}

static void test_options(void **state)
{
    struct script script;
    struct script_packet packet;
    struct capture_segment segment;
    const struct script_row row = {0, 'C', NULL, S_SYN, 0};
    (void)state;
    script_init(&script, &script_wire_plain);
    script_row_make(&script, &row, &packet);
    assert_int_equal(read_packet(&packet, CAPTURE_LINK_ETHERNET, &segment), CAPTURE_SEGMENT);
    assert_int_equal(segment.mss, 1460);
    assert_int_equal(segment.flags, CAPTURE_SYN);
    packet.bytes[55] = 0;
    assert_int_equal(read_packet(&packet, CAPTURE_LINK_ETHERNET, &segment), CAPTURE_SEGMENT);
    assert_int_equal(segment.mss, 0);
}

static void test_pppoe(void **state)
{
    struct script_packet packet;
    struct capture_segment segment;
    struct script_wire wire = script_wire_plain;
    uint8_t bytes[256] = {0};
    (void)state;
    wire.link = CAPTURE_LINK_RAW;
    make(&wire, &packet);
    script_u16(bytes + 12, 0x8864);
    script_u16(bytes + 20, 0x0021);
    memcpy(bytes + 22, packet.bytes, packet.len);
    const struct capture_packet captured = {
        0, CAPTURE_LINK_ETHERNET, bytes, packet.len + 22, packet.len + 22};
    assert_int_equal(capture_packet_read(&captured, &segment), CAPTURE_SEGMENT);
    assert_int_equal(segment.len, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bent),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_pppoe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
