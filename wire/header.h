/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/bytes.h"

/*
 * The twelve bytes that open every message (RFC 1035 section 4.1.1; AD and CD: RFC 4035 section
 * 3.2). Accessors on the raw bytes; the caller has checked that there are HEADER_SIZE of them.
 */
#define HEADER_SIZE      12
#define MESSAGE_SIZE_MAX 65535

#define HEADER_QR 0x8000u
#define HEADER_AA 0x0400u
#define HEADER_TC 0x0200u
#define HEADER_RD 0x0100u
#define HEADER_RA 0x0080u
#define HEADER_AD 0x0020u
#define HEADER_CD 0x0010u

#define OPCODE_QUERY 0

enum rcode {
    RCODE_NOERROR = 0,
    RCODE_FORMERR = 1,
    RCODE_SERVFAIL = 2,
    RCODE_NXDOMAIN = 3,
    RCODE_NOTIMP = 4,
    RCODE_REFUSED = 5,
    RCODE_BADVERS = 16,   /* Needs EDNS: the upper eight bits stand in the OPT record. */
    RCODE_BADCOOKIE = 23, /* The same; ask again with the cookie of this reply. */
};

static inline uint16_t header_id(const uint8_t *message)
{
    return bytes_get_u16(message);
}

static inline uint16_t header_flags(const uint8_t *message)
{
    return bytes_get_u16(message + 2);
}

static inline unsigned header_opcode(const uint8_t *message)
{
    return (header_flags(message) >> 11) & 0xfu;
}

/* The lower four bits only. */
static inline unsigned header_rcode(const uint8_t *message)
{
    return header_flags(message) & 0xfu;
}

static inline uint16_t header_qdcount(const uint8_t *message)
{
    return bytes_get_u16(message + 4);
}

static inline uint16_t header_ancount(const uint8_t *message)
{
    return bytes_get_u16(message + 6);
}

static inline uint16_t header_nscount(const uint8_t *message)
{
    return bytes_get_u16(message + 8);
}

static inline uint16_t header_arcount(const uint8_t *message)
{
    return bytes_get_u16(message + 10);
}

static inline void header_set_id(uint8_t *message, uint16_t id)
{
    bytes_put_u16(message, id);
}

static inline void header_set_flags(uint8_t *message, uint16_t flags)
{
    bytes_put_u16(message + 2, flags);
}

static inline void header_set_counts(uint8_t *message, const uint16_t counts[4])
{
    for (unsigned i = 0; i < 4; i++) {
        bytes_put_u16(message + 4 + 2 * i, counts[i]);
    }
}
