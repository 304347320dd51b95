/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct question;

/*
 * Is this the reply to what we asked? (RFC 5452 section 9.1: id and question; address and port are
 * the socket's affair.) QR is set, opcode QUERY, the id ours, the question ours. A header-only
 * error reply (QDCOUNT 0, as some servers send with FORMERR, NOTIMP, REFUSED or SERVFAIL) has no
 * question to compare and is told by MATCH_BARE_ERROR: message_read() calls it malformed, the
 * caller gives its bytes here.
 *
 * Nearly every server repeats the question as it was spelled, so letters in random case are as good
 * as more bits of the id (draft-vixie-dnsext-dns0x20). Which server does not, the caller must know
 * to judge MATCH_OTHER_CASE.
 */
enum match_verdict {
    MATCH_YES,        /* The name byte for byte. */
    MATCH_OTHER_CASE, /* The same, but for upper and lower case in the name. */
    MATCH_BARE_ERROR, /* The id is ours, rcode is an error, no question: a failure, never data. */
    MATCH_NO,
};

enum match_verdict match_reply(
    const uint8_t *bytes, size_t len, uint16_t id, const struct question *asked);
