/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Types and classes of records by number and name. Unknown ones are TYPE123 and CLASS123 (RFC 3597
 * section 5). Pure; any thread.
 */
enum type {
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_PTR = 12,
    TYPE_HINFO = 13,
    TYPE_MX = 15,
    TYPE_TXT = 16,
    TYPE_SIG = 24,
    TYPE_AAAA = 28,
    TYPE_SRV = 33,
    TYPE_DNAME = 39,
    TYPE_OPT = 41,
    TYPE_DS = 43,
    TYPE_RRSIG = 46,
    TYPE_NSEC = 47,
    TYPE_DNSKEY = 48,
    TYPE_NSEC3 = 50,
    TYPE_TLSA = 52,
    TYPE_TKEY = 249,
    TYPE_TSIG = 250,
    TYPE_IXFR = 251,
    TYPE_AXFR = 252,
    TYPE_MAILB = 253,
    TYPE_MAILA = 254,
    TYPE_ANY = 255,
};

enum class {
    CLASS_IN = 1,
    CLASS_CH = 3,
    CLASS_NONE = 254,
    CLASS_ANY = 255,
};

/* Longest name of a type or class, NUL included. */
#define TYPE_TEXT_SIZE 16

/* "MX", or "TYPE65280". Returns `text_out`. */
const char *type_to_text(uint16_t type, char text_out[TYPE_TEXT_SIZE]);

/* Any case; also TYPE123. False: no such type. */
bool type_from_text(const char *text, size_t len, uint16_t *type_out);

/* 128 to 255 and OPT: asks about the query or the transaction, not for data (RFC 6895 3.1). */
bool type_is_meta(uint16_t type);

/* "NOERROR", "SERVFAIL", ..., or "RCODE24". */
const char *rcode_to_text(unsigned rcode, char text_out[TYPE_TEXT_SIZE]);
