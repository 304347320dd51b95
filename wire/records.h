/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"

/*
 * Walking and writing resource records (RFC 1035 section 4.1.3). A record is seen as offsets into
 * its message, so nothing is copied; the name at name_at is read with name_read() by whoever needs
 * it.
 */
struct record {
    size_t name_at;
    uint16_t type;
    uint16_t class;
    uint32_t ttl; /* Seconds; more than 2^31-1 is read as that (RFC 8767 section 4). */
    size_t ttl_at;
    size_t rdata_at;
    uint16_t rdata_len;
};

/* Reads one record and steps behind it. False: it does not fit; reader unmoved. */
bool record_read(struct reader *reader, struct record *record_out);

/* Writes a record whose owner is the name at `owner_at` (< 0x4000) of the message being written. */
void record_write(
    struct writer *writer, size_t owner_at, const struct record *record, const uint8_t *rdata);

/* The fields of an SOA record that matter to a cache. */
struct soa {
    uint32_t serial;
    uint32_t minimum; /* RFC 2308 section 4. */
};

/* False: the rdata is not an SOA's. */
bool soa_read(const struct reader *message, const struct record *record, struct soa *soa_out);
