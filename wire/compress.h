/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"

/*
 * Name compression on writing (RFC 1035 section 4.1.4): a fixed table of the names, and ends of
 * names, that already stand in the message. It may forget (a crowded slot, a spent work cap); a
 * name then is written in full, which is always right. Embedded by whoever writes a message; no
 * allocation. The work is counted, so that it can be bounded from outside too.
 *
 * Invariant: each offset in the table is at least HEADER_SIZE and below 0x4000, and the name there
 * is read with at most COMPRESS_DEPTH_MAX pointers.
 */
#define COMPRESS_SLOTS     512 /* A power of two. */
#define COMPRESS_PROBES    8   /* Slots that are looked at for one name. */
#define COMPRESS_DEPTH_MAX 8   /* Some readers follow no more than ten pointers. */
#define COMPRESS_WORK_MAX  (1u << 18)

struct compress_slot {
    uint16_t at; /* 0: free. */
    uint8_t depth;
    uint8_t tag; /* Bits of the hash that did not choose the slot. */
};

struct compress {
    struct compress_slot slots[COMPRESS_SLOTS];
    uint32_t work; /* Bytes of names that were hashed or compared. */
};

void compress_init(struct compress *compress);

/* Writes the name with a pointer to its longest known end, and learns the rest of it. */
void compress_write(
    struct compress *compress, struct writer *writer, const uint8_t *name, size_t len);
