/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct question;

/*
 * Composing a question to an upstream server. RD is always set: we forward.
 */
struct ask_form {
    uint16_t id;            /* Unpredictable (RFC 5452 section 4.3). */
    bool wants_ad;          /* AD=1: tell me if you have validated (RFC 6840 section 5.7). */
    bool wants_dnssec;      /* DO. */
    bool checking_disabled; /* CD. */
    bool has_edns;
};

/* Header, question and OPT never take more. */
#define ASK_SIZE_MAX 512

/* Returns the length; 0 if `size` is too small. */
size_t ask_write(
    const struct ask_form *form, const struct question *question, uint8_t *bytes_out, size_t size);
