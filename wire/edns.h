/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"

/*
 * The OPT record (RFC 6891) and the options that mxcache speaks: cookies (RFC 7873), padding (RFC
 * 7830) and extended errors (RFC 8914). Unknown options are ignored on reading, as section 6.1.2
 * demands.
 */
#define EDNS_UDP_SIZE       1232 /* What we announce upstream and to clients: no fragments. */
#define EDNS_UDP_SIZE_FLOOR 512  /* Smaller announcements count as this (section 6.2.3). */

/* Bytes of a COOKIE option: the client's part, alone or with 8 to 32 of the server's. */
#define EDNS_COOKIE_CLIENT_SIZE 8
#define EDNS_COOKIE_SIZE_MIN    16 /* With a server's part. */
#define EDNS_COOKIE_SIZE_MAX    40

/* Code and length that open each option. */
#define EDNS_OPTION_HEADER_SIZE 4

enum ede {
    EDE_NONE = -1,
    EDE_OTHER = 0,
    EDE_UNSUPPORTED_DNSKEY = 1,
    EDE_UNSUPPORTED_DS = 2,
    EDE_STALE_ANSWER = 3,
    EDE_INDETERMINATE = 5,
    EDE_BOGUS = 6,
    EDE_SIGNATURE_EXPIRED = 7,
    EDE_SIGNATURE_NOT_YET = 8,
    EDE_DNSKEY_MISSING = 9,
    EDE_RRSIGS_MISSING = 10,
    EDE_NO_ZONE_KEY = 11,
    EDE_NSEC_MISSING = 12,
    EDE_CACHED_ERROR = 13,
    EDE_BLOCKED = 15,
    EDE_CENSORED = 16,
    EDE_FILTERED = 17,
    EDE_PROHIBITED = 18,
    EDE_STALE_NXDOMAIN = 19,
    EDE_NOT_AUTHORITATIVE = 20,
    EDE_NOT_SUPPORTED = 21,
    EDE_NO_REACHABLE_AUTHORITY = 22,
    EDE_NETWORK_ERROR = 23,
    EDE_SYNTHESIZED = 29, /* Of the registry that RFC 8914 opened. */
};

/* What an OPT record said. Zeroed: there was none. */
struct edns {
    bool is_present;
    uint8_t version;
    uint8_t rcode_upper; /* Bits 4 to 11 of the extended rcode. */
    bool wants_dnssec;   /* DO. */
    uint16_t udp_size;   /* At least EDNS_UDP_SIZE_FLOOR. */
    bool has_bad_cookie; /* Of a length that none can have; cookie_len is 0. */
    uint8_t cookie_len;  /* 0: none; else one of edns_cookie_len_is_valid(). */
    uint8_t cookie[EDNS_COOKIE_SIZE_MAX];
    bool has_ede;
    uint16_t ede; /* The first of them; any number, not only one of enum ede. */
};

/* 8, or 16 to 40 (RFC 7873 section 4). */
bool edns_cookie_len_is_valid(size_t len);

/* Reads an OPT record's class, TTL and options; `rdata` is checked for well-formed options, unless
 * the version is one whose layout we do not know (BADVERS). Of several COOKIE options only the
 * first counts (RFC 7873 section 5.2). False: an option runs past the end. A cookie of a wrong
 * length is no such error: in a reply it is not to be believed (section 5.3), in a question it is
 * ignored by who gives no cookies (section 5.2). What the class and the TTL say is written out in
 * either case, for an error's answer needs it. */
bool edns_read(
    uint16_t class, uint32_t ttl, const uint8_t *rdata, size_t len, struct edns *edns_out);

/* What we say in an OPT record of ours. */
struct edns_reply {
    uint16_t udp_size;
    unsigned rcode; /* The whole extended rcode; the header keeps the lower four bits. */
    bool wants_dnssec;
    enum ede ede;         /* EDE_NONE: no such option. */
    const char *ede_text; /* NULL: code only. ASCII, at most 160 bytes are written. */
    const uint8_t *cookie;
    size_t cookie_len; /* 0: none; else one of edns_cookie_len_is_valid(). */
    bool is_padded;
    uint16_t padding_len; /* Zero bytes in the padding option, without its header. */
};

/* Bytes that edns_write() will take. */
size_t edns_size(const struct edns_reply *reply);
void edns_write(struct writer *writer, const struct edns_reply *reply);
