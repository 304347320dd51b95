/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"
#include "wire/name.h"

struct compress;
struct record;

/*
 * The data of a record, as far as it must be understood to be moved to another message: where
 * domain names stand in it. The types of RFC 1035 may carry compressed names, and old servers also
 * compressed some younger ones (RFC 3597 section 4), so those are read through their pointers; only
 * the former are written compressed. Any other type is bytes. Pure, no allocation.
 *
 * A compressed name may end in the question of its message, whose spelling is random (RFC 5452
 * section 9.1 and draft-vixie-dnsext-dns0x20); where such a name must be written in full it is
 * written in lower case.
 */

/* The data fits its type: nothing missing, nothing left over, each name a name. */
bool rdata_is_valid(const struct reader *message, const struct record *record);

/* Writes the data of `record`, which stands in `message`, without its length. False: not valid. */
bool rdata_write(const struct reader *message, const struct record *record,
    struct compress *compress, struct writer *writer);

/* Equal type and data, names in any case and compressed in any way. Data that is not valid equals
 * only its own bytes. */
bool rdata_equal(const struct reader *message, const struct record *a, const struct record *b);

/* Equal data have equal hashes. Not keyed: to skip comparisons, not to trust. `work_out`: bytes
 * that were looked at, names uncompressed, and pointers followed. */
uint32_t rdata_hash(const struct reader *message, const struct record *record, size_t *work_out);

/* The name that is the first field of the data of an NS, CNAME, PTR, DNAME or SOA record. */
bool rdata_read_name(const struct reader *message, const struct record *record,
    uint8_t name_out[NAME_SIZE_MAX], size_t *len_out);
