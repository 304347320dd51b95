/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/edns.h"
#include "wire/header.h"
#include "wire/question.h"

/*
 * One look over a whole message from the network, before anybody believes a byte of it: header, one
 * question, every record in bounds, at most one OPT (in the additional section, owner root),
 * nothing after the last record. Offsets and values only; the bytes stay the caller's.
 */
struct message {
    const uint8_t *bytes;
    size_t len;
    uint16_t id;
    uint16_t flags;
    unsigned opcode;
    unsigned rcode; /* With the upper bits of EDNS. */
    uint16_t counts[4];
    struct question question;
    struct edns edns;
    size_t records_at; /* Behind the question. */
};

enum message_verdict {
    MESSAGE_GOOD,
    MESSAGE_SHORT,     /* Not even a header: cannot be answered. */
    MESSAGE_MALFORMED, /* A header, then garbage: FORMERR. The header fields are valid; and, if an
                        * OPT was met, so are question and EDNS, which have to be in the answer
                        * then (RFC 6891 section 7). Else they are zero. */
};

/* At most this many records are looked at in one message; more is MALFORMED. */
#define MESSAGE_RECORDS_MAX 4096

enum message_verdict message_read(const uint8_t *bytes, size_t len, struct message *message_out);
