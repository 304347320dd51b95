/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/capture_flow.h"
#include "doctor/capture_packet.h"

/*
 * Makes packets, and pcap files of them, from a table of a conversation: who says what, when. The
 * sequence numbers are kept for both sides; a row may play tricks with them.
 */
#define SCRIPT_PACKET_MAX  9100
#define SCRIPT_FILE_SIZE   (8 * 1024 * 1024)
#define SCRIPT_MESSAGE_LEN 1000

/* What a row does beside its words. */
enum script_flags {
    S_PLAIN = 0,
    S_SYN = 1,
    S_FIN = 2,
    S_RST = 4,
    S_AGAIN = 8,    /* The last segment of that side once more. */
    S_LOST = 16,    /* Sent, but the capture does not have it. */
    S_SHUT = 32,    /* With a window of zero. */
    S_FILL = 64,    /* `fill` bytes of a message before the words. */
    S_BARE = 128,   /* An ACK alone. */
    S_NO_ACK = 256, /* It confirms nothing new. */
    S_HELD = 512,   /* Comes after the next row, though sent before. */
};

struct script_row {
    double at_s;
    char side; /* 'C' or 'S'. */
    const char *words;
    unsigned flags;
    unsigned fill;
};

/* How packets look on the wire. */
struct script_wire {
    enum capture_link link;
    bool is_ipv6;
    bool has_vlan;
    uint32_t snaplen; /* 0: whole packets. */
    uint16_t client_port;
    uint16_t server_port;
    uint8_t client_host; /* The last byte of its address. */
    uint8_t hops[CAPTURE_SIDES];
    uint8_t ipv6_extensions;
};

static const struct script_wire script_wire_plain = {
    .link = CAPTURE_LINK_ETHERNET,
    .client_port = 40001,
    .server_port = 25,
    .client_host = 7,
    .hops = {64, 64},
};

struct script_packet {
    int64_t at_us;
    uint32_t len;
    uint32_t wire_len;
    uint8_t bytes[SCRIPT_PACKET_MAX];
};

struct script {
    struct script_wire wire;
    uint32_t sequence[CAPTURE_SIDES];
    uint32_t confirmed[CAPTURE_SIDES]; /* What that side has confirmed of the other's. */
    uint32_t last_sequence[CAPTURE_SIDES];
    uint8_t last[CAPTURE_SIDES][SCRIPT_PACKET_MAX];
    uint32_t last_len[CAPTURE_SIDES];
    int64_t begin_us;
};

typedef void script_sink(void *context, const struct script_packet *packet, enum capture_link link);

static inline void script_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void script_u32(uint8_t *at, uint32_t value)
{
    script_u16(at, value >> 16);
    script_u16(at + 2, value & 0xffffu);
}

static inline void script_init(struct script *script, const struct script_wire *wire)
{
    memset(script, 0, sizeof *script);
    script->wire = *wire;
    /* Near the end of the numbers, so that they wrap in every test. */
    script->sequence[CAPTURE_CLIENT] = 0xffffff00u;
    script->sequence[CAPTURE_SERVER] = 1000;
    script->begin_us = INT64_C(1760000000) * 1000000;
}

static inline uint32_t script_link(const struct script_wire *wire, uint8_t *at)
{
    unsigned type = wire->is_ipv6 ? 0x86dd : 0x0800;
    switch (wire->link) {
    case CAPTURE_LINK_ETHERNET:
        memset(at, 2, 12);
        if (wire->has_vlan) {
            script_u16(at + 12, 0x8100);
            script_u16(at + 14, 42);
            script_u16(at + 16, type);
            return 18;
        }
        script_u16(at + 12, type);
        return 14;
    case CAPTURE_LINK_COOKED:
        memset(at, 0, 16);
        script_u16(at + 14, type);
        return 16;
    case CAPTURE_LINK_COOKED_2:
        memset(at, 0, 20);
        script_u16(at, type);
        return 20;
    case CAPTURE_LINK_LOOPBACK:
        memset(at, 0, 4);
        at[0] = wire->is_ipv6 ? 24 : 2;
        return 4;
    case CAPTURE_LINK_RAW:
    case CAPTURE_LINK_UNKNOWN:
        break;
    }
    return 0;
}

static inline uint32_t script_ip(
    const struct script_wire *wire, enum capture_side side, uint32_t payload_len, uint8_t *at)
{
    bool is_client = side == CAPTURE_CLIENT;
    uint8_t client[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = wire->client_host};
    uint8_t server[16] = {0x20, 0x01, 0x0d, 0xb8, [14] = 1, [15] = 25};
    if (wire->is_ipv6) {
        uint32_t extended = 8u * wire->ipv6_extensions;
        memset(at, 0, 40 + extended);
        at[0] = 0x60;
        script_u16(at + 4, payload_len + extended);
        at[6] = wire->ipv6_extensions > 0 ? 60 : 6;
        at[7] = wire->hops[side];
        memcpy(at + 8, is_client ? client : server, 16);
        memcpy(at + 24, is_client ? server : client, 16);
        for (unsigned i = 0; i < wire->ipv6_extensions; i++) {
            at[40 + 8 * i] = i + 1 < wire->ipv6_extensions ? 60 : 6;
        }
        return 40 + extended;
    }
    const uint8_t client4[4] = {192, 0, 2, wire->client_host};
    const uint8_t server4[4] = {198, 51, 100, 25};
    memset(at, 0, 20);
    at[0] = 0x45;
    script_u16(at + 2, 20 + payload_len);
    at[8] = wire->hops[side];
    at[9] = 6;
    memcpy(at + 12, is_client ? client4 : server4, 4);
    memcpy(at + 16, is_client ? server4 : client4, 4);
    return 20;
}

static inline uint32_t script_tcp(
    const struct script *script, const struct script_row *row, enum capture_side side, uint8_t *at)
{
    bool is_client = side == CAPTURE_CLIENT;
    uint32_t len = (row->flags & S_SYN) != 0 ? 24 : 20;
    bool is_first = (row->flags & S_SYN) != 0 && is_client;
    uint32_t sequence =
        (row->flags & S_AGAIN) != 0 ? script->last_sequence[side] : script->sequence[side];
    memset(at, 0, len);
    script_u16(at, is_client ? script->wire.client_port : script->wire.server_port);
    script_u16(at + 2, is_client ? script->wire.server_port : script->wire.client_port);
    script_u32(at + 4, sequence);
    script_u32(at + 8, is_first ? 0 : script->confirmed[side]);
    at[12] = (uint8_t)(len / 4 << 4);
    at[13] =
        (uint8_t)((is_first ? 0 : CAPTURE_ACK) | ((row->flags & S_SYN) != 0 ? CAPTURE_SYN : 0) |
                  ((row->flags & S_FIN) != 0 ? CAPTURE_FIN : 0) |
                  ((row->flags & S_RST) != 0 ? CAPTURE_RST : 0));
    script_u16(at + 14, (row->flags & S_SHUT) != 0 ? 0 : 65000);
    if (len == 24) {
        at[20] = 2;
        at[21] = 4;
        script_u16(at + 22, 1460);
    }
    return len;
}

/* The payload of a row, remembered for being sent again. */
static inline void script_payload(
    struct script *script, const struct script_row *row, enum capture_side side)
{
    if ((row->flags & S_AGAIN) != 0) {
        return;
    }
    uint32_t len = (row->flags & S_FILL) != 0 ? row->fill : 0;
    memset(script->last[side], 'x', len);
    size_t words_len = row->words != NULL ? strlen(row->words) : 0;
    if (words_len > 0) {
        memcpy(script->last[side] + len, row->words, words_len);
    }
    script->last_len[side] = len + (uint32_t)words_len;
}

static inline void script_confirm(
    struct script *script, const struct script_row *row, enum capture_side side)
{
    enum capture_side other = side == CAPTURE_CLIENT ? CAPTURE_SERVER : CAPTURE_CLIENT;
    if ((row->flags & S_NO_ACK) == 0) {
        script->confirmed[side] = script->sequence[other];
    }
}

/* One packet of the table. */
static inline void script_row_make(
    struct script *script, const struct script_row *row, struct script_packet *packet)
{
    enum capture_side side = row->side == 'C' ? CAPTURE_CLIENT : CAPTURE_SERVER;
    bool has_payload = (row->flags & (S_SYN | S_RST | S_BARE)) == 0;
    uint8_t tcp[24];
    script_confirm(script, row, side);
    if (has_payload) {
        script_payload(script, row, side);
    }
    uint32_t payload_len = has_payload ? script->last_len[side] : 0;
    uint32_t tcp_len = script_tcp(script, row, side, tcp);
    uint32_t at = script_link(&script->wire, packet->bytes);
    at += script_ip(&script->wire, side, tcp_len + payload_len, packet->bytes + at);
    memcpy(packet->bytes + at, tcp, tcp_len);
    memcpy(packet->bytes + at + tcp_len, script->last[side], payload_len);
    packet->at_us = script->begin_us + (int64_t)(row->at_s * 1e6);
    packet->wire_len = at + tcp_len + payload_len;
    bool is_cut = script->wire.snaplen > 0 && packet->wire_len > script->wire.snaplen;
    packet->len = is_cut ? script->wire.snaplen : packet->wire_len;
    if ((row->flags & S_AGAIN) == 0) {
        script->last_sequence[side] = script->sequence[side];
        script->sequence[side] += payload_len + ((row->flags & (S_SYN | S_FIN)) != 0 ? 1 : 0);
    }
}

/* Plays the table into the sink. */
static inline void script_play(const struct script_row *rows, size_t count,
    const struct script_wire *wire, script_sink *sink, void *context)
{
    struct script *script = malloc(sizeof *script);
    struct script_packet *packets = calloc(2, sizeof *packets);
    bool has_held = false;
    if (script == NULL || packets == NULL) {
        abort();
    }
    script_init(script, wire);
    for (size_t i = 0; i < count; i++) {
        bool is_held = (rows[i].flags & S_HELD) != 0;
        script_row_make(script, &rows[i], &packets[is_held]);
        if (!is_held && (rows[i].flags & S_LOST) == 0) {
            sink(context, &packets[0], wire->link);
        }
        if (!is_held && has_held) {
            sink(context, &packets[1], wire->link);
        }
        has_held = is_held;
    }
    free(packets);
    free(script);
}

/* A pcap file in memory. */
struct script_file {
    uint8_t *bytes;
    size_t len;
};

static inline void script_file_init(struct script_file *file, enum capture_link link)
{
    static const uint32_t numbers[CAPTURE_LINKS] = {
        [CAPTURE_LINK_ETHERNET] = 1,
        [CAPTURE_LINK_COOKED] = 113,
        [CAPTURE_LINK_COOKED_2] = 276,
        [CAPTURE_LINK_RAW] = 101,
        [CAPTURE_LINK_LOOPBACK] = 0,
        [CAPTURE_LINK_UNKNOWN] = 147,
    };
    const uint32_t header[6] = {
        htobe32(0xa1b2c3d4u), htobe32(0x00020004u), 0, 0, htobe32(262144), htobe32(numbers[link])};
    file->bytes = malloc(SCRIPT_FILE_SIZE);
    if (file->bytes == NULL) {
        abort();
    }
    memcpy(file->bytes, header, sizeof header);
    file->len = sizeof header;
}

static inline void script_file_add(
    void *context, const struct script_packet *packet, enum capture_link link)
{
    struct script_file *file = context;
    const uint32_t header[4] = {
        htobe32((uint32_t)(packet->at_us / 1000000)),
        htobe32((uint32_t)(packet->at_us % 1000000)),
        htobe32(packet->len),
        htobe32(packet->wire_len),
    };
    (void)link;
    if (file->len + sizeof header + packet->len > SCRIPT_FILE_SIZE) {
        abort();
    }
    memcpy(file->bytes + file->len, header, sizeof header);
    memcpy(file->bytes + file->len + sizeof header, packet->bytes, packet->len);
    file->len += sizeof header + packet->len;
}

/* Feeds a struct capture_flows. */
static inline void script_flows_add(
    void *context, const struct script_packet *packet, enum capture_link link)
{
    const struct capture_packet captured = {
        .at_us = packet->at_us,
        .link = link,
        .bytes = packet->bytes,
        .len = packet->len,
        .wire_len = packet->wire_len,
    };
    capture_flows_take(context, &captured);
}
