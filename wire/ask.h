/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct question;

/*
 * Composing a question to an upstream server, or to a name server of the zone. Cookie and padding
 * are EDNS options: without EDNS there are none. Pure, no allocation.
 */
struct ask_form {
    uint16_t id;            /* Unpredictable (RFC 5452 section 9.2). */
    bool is_final;          /* RD=0: we ask a name server for what it knows itself. */
    bool wants_ad;          /* AD=1: tell me if you have validated (RFC 6840 section 5.7). */
    bool wants_dnssec;      /* DO. */
    bool checking_disabled; /* CD. */
    bool has_edns;
    const uint8_t *cookie; /* As in wire/cookie.h: our part, and the server's if it is known. */
    size_t cookie_len;     /* 0: none. */
    uint16_t pad_to;       /* The whole message becomes a multiple of this (RFC 8467 section 4.1:
                              128, on encrypted connections only); 0: no padding. */
};

/* Header, question and OPT never take more. Without padding they take at most 326 bytes. */
#define ASK_SIZE_MAX 512

/* Returns the length; 0 if `size` is too small for the message without padding. Where the next
 * multiple of `pad_to` exceeds `size` or ASK_SIZE_MAX, the padding ends there. */
size_t ask_write(
    const struct ask_form *form, const struct question *question, uint8_t *bytes_out, size_t size);
