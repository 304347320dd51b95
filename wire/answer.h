/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/edns.h"

struct message;
struct question;

/*
 * Composing what a client gets: its id, its own spelling of the question, RD and CD as it sent
 * them, RA always (a reply without RA counts as lame in libc), TTLs aged, an OPT record if it sent
 * one, and TC with the answer left out when it does not fit (RFC 2181 section 9); over a stream the
 * OPT record is left out instead. Pure, no allocation.
 */

/* What a client's query asks of the form of its answer. Copyable; kept by a waiting query. */
struct answer_form {
    uint16_t id;
    uint16_t flags; /* The query's: RD, CD and AD are looked at. */
    bool has_edns;
    bool wants_dnssec; /* DO. */
    uint16_t size_max; /* Bytes that the client (UDP) or the framing (TCP) can take. */
};

/* `udp_answer_max`: our own bound for UDP; `is_stream`: TCP, no bound but the framing's. */
struct answer_form answer_form_of(
    const struct message *query, bool is_stream, uint16_t udp_answer_max);

/* How a stored answer is to be presented. */
struct answer_extra {
    uint32_t age_s;   /* Taken off each TTL, which stops at 0. */
    uint32_t ttl_cap; /* Upper bound of each TTL; UINT32_MAX: none. For stale answers. */
    bool is_ad;       /* May be called authentic; set only if the client asked with AD or DO. */
    enum ede ede;     /* EDE_NONE: none. */
    const char *ede_text;
};

/* An answer that stands ready: the stored form (wire/normalise.h) of the question's own answer,
 * which must be whole. It may stand where the composed one goes. */
struct answer_stored {
    const uint8_t *bytes;
    size_t len;
    struct answer_extra extra;
};

/* Returns the length, 0 if `size` (at least 512) cannot even hold header and question. `question`
 * is in the client's spelling. */
size_t answer_from_stored(const struct answer_form *form, const struct question *question,
    const struct answer_stored *stored, uint8_t *bytes_out, size_t size);

/* Why there are no records. */
struct answer_error {
    unsigned rcode;
    enum ede ede; /* EDE_NONE: none. */
    const char *ede_text;
};

/* An answer without records. `question` NULL: it could not be read, only the header is sent back.
 */
size_t answer_error(const struct answer_form *form, const struct question *question,
    const struct answer_error *error, uint8_t *bytes_out, size_t size);
