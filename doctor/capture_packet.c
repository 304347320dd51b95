/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_packet.h"

#include <string.h>

#define ETHERTYPE_IPV4   0x0800
#define ETHERTYPE_IPV6   0x86dd
#define ETHERTYPE_VLAN   0x8100
#define ETHERTYPE_QINQ   0x88a8
#define ETHERTYPE_QINQ_2 0x9100
#define ETHERTYPE_PPPOE  0x8864
#define PPP_IPV4         0x0021
#define PPP_IPV6         0x0057
#define TAGS_MAX         3
#define EXTENSIONS_MAX   8
#define PROTOCOL_TCP     6
#define IPV4_LEN_MIN     20
#define IPV6_LEN         40
#define TCP_LEN_MIN      20
#define OPTION_END       0
#define OPTION_NOTHING   1
#define OPTION_MSS       2

/* IPv6 extension headers, RFC 8200 section 4. */
enum ipv6_next {
    IPV6_HOP_BY_HOP = 0,
    IPV6_ROUTING = 43,
    IPV6_FRAGMENT = 44,
    IPV6_AUTHENTICATION = 51,
    IPV6_DESTINATION = 60,
};

/* What is left to read: `len` bytes were captured of `wire_len`. */
struct rest {
    const uint8_t *bytes;
    uint32_t len;
    uint32_t wire_len;
};

static uint16_t read_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)read_u16(bytes) << 16 | read_u16(bytes + 2);
}

static bool rest_skip(struct rest *rest, uint32_t count)
{
    if (rest->len < count) {
        return false;
    }
    rest->bytes += count;
    rest->len -= count;
    rest->wire_len -= count;
    return true;
}

/* What the header says about the length counts, unless more than the packet. 0 stands in headers
 * that the network card completes. */
static void rest_limit(struct rest *rest, uint32_t said)
{
    if (said > 0 && said < rest->wire_len) {
        rest->wire_len = said;
        rest->len = rest->len < said ? rest->len : said;
    }
}

static enum capture_verdict read_options(
    const uint8_t *options, uint32_t len, struct capture_segment *segment)
{
    uint32_t at = 0;
    while (at + 1 < len && options[at] != OPTION_END) {
        if (options[at] == OPTION_NOTHING) {
            at++;
            continue;
        }
        if (options[at] == OPTION_MSS && options[at + 1] == 4 && at + 4 <= len) {
            segment->mss = read_u16(options + at + 2);
        }
        at += options[at + 1] < 2 ? len : options[at + 1];
    }
    return CAPTURE_SEGMENT;
}

static enum capture_verdict read_tcp(struct rest rest, struct capture_segment *segment)
{
    const uint8_t *header = rest.bytes;
    if (rest.len < TCP_LEN_MIN) {
        return CAPTURE_BROKEN;
    }
    uint32_t header_len = (uint32_t)(header[12] >> 4) * 4;
    if (header_len < TCP_LEN_MIN || header_len > rest.wire_len) {
        return CAPTURE_BROKEN;
    }
    segment->from.port = read_u16(header);
    segment->to.port = read_u16(header + 2);
    segment->sequence = read_u32(header + 4);
    segment->acknowledgement = read_u32(header + 8);
    segment->flags = header[13];
    segment->window = read_u16(header + 14);
    segment->wire_len = rest.wire_len - header_len;
    /* A snap length may end within the options. */
    uint32_t captured_len = rest.len < header_len ? rest.len : header_len;
    segment->bytes = header + captured_len;
    segment->len = rest.len - captured_len;
    return read_options(header + TCP_LEN_MIN, captured_len - TCP_LEN_MIN, segment);
}

static void take_addresses(struct capture_segment *segment, enum address_family family,
    const uint8_t *from, const uint8_t *to)
{
    size_t size = family == ADDRESS_IPV4 ? 4 : 16;
    segment->from.family = segment->to.family = (uint8_t)family;
    memcpy(segment->from.bytes, from, size);
    memcpy(segment->to.bytes, to, size);
}

static enum capture_verdict read_ipv4(struct rest rest, struct capture_segment *segment)
{
    const uint8_t *header = rest.bytes;
    if (rest.len < IPV4_LEN_MIN) {
        return CAPTURE_BROKEN;
    }
    uint32_t header_len = (uint32_t)(header[0] & 0x0fu) * 4;
    rest_limit(&rest, read_u16(header + 2));
    if (header_len < IPV4_LEN_MIN || !rest_skip(&rest, header_len)) {
        return CAPTURE_BROKEN;
    }
    if (header[9] != PROTOCOL_TCP) {
        return CAPTURE_OTHER;
    }
    /* More to come, or not the first. */
    if ((read_u16(header + 6) & 0x3fffu) != 0) {
        return CAPTURE_FRAGMENT;
    }
    segment->hops = header[8];
    take_addresses(segment, ADDRESS_IPV4, header + 12, header + 16);
    return read_tcp(rest, segment);
}

/* Skips one extension header. */
static enum capture_verdict skip_extension(struct rest *rest, uint8_t *next_inout)
{
    if (rest->len < 8) {
        return CAPTURE_BROKEN;
    }
    const uint8_t *header = rest->bytes;
    uint32_t len = ((uint32_t)header[1] + 1) * 8;
    switch (*next_inout) {
    case IPV6_FRAGMENT:
        if ((read_u16(header + 2) & 0xfff9u) != 0) {
            return CAPTURE_FRAGMENT;
        }
        len = 8;
        break;
    case IPV6_AUTHENTICATION:
        len = ((uint32_t)header[1] + 2) * 4;
        break;
    case IPV6_HOP_BY_HOP:
    case IPV6_ROUTING:
    case IPV6_DESTINATION:
        break;
    default:
        return CAPTURE_OTHER;
    }
    *next_inout = header[0];
    return rest_skip(rest, len) ? CAPTURE_SEGMENT : CAPTURE_BROKEN;
}

static enum capture_verdict read_ipv6(struct rest rest, struct capture_segment *segment)
{
    const uint8_t *header = rest.bytes;
    if (rest.len < IPV6_LEN) {
        return CAPTURE_BROKEN;
    }
    uint8_t next = header[6];
    uint32_t payload_len = read_u16(header + 4);
    rest_limit(&rest, payload_len > 0 ? IPV6_LEN + payload_len : 0);
    (void)rest_skip(&rest, IPV6_LEN);
    for (int i = 0; next != PROTOCOL_TCP; i++) {
        enum capture_verdict verdict =
            i < EXTENSIONS_MAX ? skip_extension(&rest, &next) : CAPTURE_BROKEN;
        if (verdict != CAPTURE_SEGMENT) {
            return verdict;
        }
    }
    segment->hops = header[7];
    take_addresses(segment, ADDRESS_IPV6, header + 8, header + 24);
    return read_tcp(rest, segment);
}

static enum capture_verdict read_ip(struct rest rest, struct capture_segment *segment)
{
    if (rest.len == 0) {
        return CAPTURE_BROKEN;
    }
    switch (rest.bytes[0] >> 4) {
    case 4:
        return read_ipv4(rest, segment);
    case 6:
        return read_ipv6(rest, segment);
    default:
        return CAPTURE_OTHER;
    }
}

/* What follows a field of type, with the tags of VLANs in between. */
static enum capture_verdict read_typed(
    uint16_t type, struct rest rest, struct capture_segment *segment)
{
    for (int i = 0; i < TAGS_MAX; i++) {
        if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ && type != ETHERTYPE_QINQ_2) {
            break;
        }
        if (rest.len < 4) {
            return CAPTURE_BROKEN;
        }
        type = read_u16(rest.bytes + 2);
        (void)rest_skip(&rest, 4);
    }
    if (type == ETHERTYPE_PPPOE && rest.len >= 8) {
        uint16_t inner = read_u16(rest.bytes + 6);
        (void)rest_skip(&rest, 8);
        type = inner == PPP_IPV4 ? ETHERTYPE_IPV4 : inner == PPP_IPV6 ? ETHERTYPE_IPV6 : inner;
    }
    bool is_ip = type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6;
    return is_ip ? read_ip(rest, segment) : CAPTURE_OTHER;
}

/* The type stands at `type_at` of a link header of `len` bytes. */
static enum capture_verdict read_link(
    struct rest rest, uint32_t type_at, uint32_t len, struct capture_segment *segment)
{
    if (rest.len < len) {
        return CAPTURE_BROKEN;
    }
    uint16_t type = read_u16(rest.bytes + type_at);
    (void)rest_skip(&rest, len);
    return read_typed(type, rest, segment);
}

enum capture_verdict capture_packet_read(
    const struct capture_packet *packet, struct capture_segment *segment_out)
{
    struct rest rest = {
        .bytes = packet->bytes,
        .len = packet->len,
        .wire_len = packet->wire_len > packet->len ? packet->wire_len : packet->len,
    };
    *segment_out = (struct capture_segment){.at_us = packet->at_us};
    switch (packet->link) {
    case CAPTURE_LINK_ETHERNET:
        return read_link(rest, 12, 14, segment_out);
    case CAPTURE_LINK_COOKED:
        return read_link(rest, 14, 16, segment_out);
    case CAPTURE_LINK_COOKED_2:
        return read_link(rest, 0, 20, segment_out);
    case CAPTURE_LINK_LOOPBACK:
        return rest_skip(&rest, 4) ? read_ip(rest, segment_out) : CAPTURE_BROKEN;
    case CAPTURE_LINK_RAW:
        return read_ip(rest, segment_out);
    case CAPTURE_LINK_UNKNOWN:
        return CAPTURE_OTHER;
    }
    return CAPTURE_OTHER;
}
