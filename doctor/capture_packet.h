/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

/*
 * From the bytes of a captured packet to its TCP segment: the link layers that tcpdump writes on
 * Linux and BSD (Ethernet with VLAN tags or PPPoE, Linux "cooked" v1 and v2, raw IP, loopback),
 * IPv4, IPv6 with extension headers, TCP. Checksums are not looked at, for the network card often
 * fills them in after the capture. Any bytes are safe. Pure.
 */
enum capture_link {
    CAPTURE_LINK_ETHERNET,
    CAPTURE_LINK_COOKED,   /* LINUX_SLL: `tcpdump -i any`, before libpcap 1.10. */
    CAPTURE_LINK_COOKED_2, /* LINUX_SLL2. */
    CAPTURE_LINK_RAW,      /* IPv4 or IPv6 at once. */
    CAPTURE_LINK_LOOPBACK, /* NULL or LOOP: four bytes of a family before. */
    CAPTURE_LINK_UNKNOWN,
};
#define CAPTURE_LINKS 6

struct capture_packet {
    int64_t at_us; /* Wall clock. */
    enum capture_link link;
    const uint8_t *bytes;
    uint32_t len;      /* As captured. */
    uint32_t wire_len; /* As it was on the wire; at least `len`. */
};

enum capture_flag {
    CAPTURE_FIN = 0x01,
    CAPTURE_SYN = 0x02,
    CAPTURE_RST = 0x04,
    CAPTURE_ACK = 0x10,
};

struct capture_segment {
    int64_t at_us;
    struct address from; /* With ports. */
    struct address to;
    uint32_t sequence;
    uint32_t acknowledgement;
    uint16_t window; /* As sent, not scaled. */
    uint16_t mss;    /* Of the option; 0: none. */
    uint8_t flags;   /* enum capture_flag. */
    uint8_t hops;    /* TTL or hop limit. */
    const uint8_t *bytes;
    uint32_t len;      /* Payload that was captured. */
    uint32_t wire_len; /* Payload that was sent. */
};

enum capture_verdict {
    CAPTURE_SEGMENT,  /* Here it is. */
    CAPTURE_OTHER,    /* Something else than TCP. */
    CAPTURE_FRAGMENT, /* A fragment of a datagram: these are not put together. */
    CAPTURE_BROKEN,   /* The headers are cut off, or make no sense. */
};

enum capture_verdict capture_packet_read(
    const struct capture_packet *packet, struct capture_segment *segment_out);
