/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The words of SMTP (RFC 5321): what a line of the client asks, what a line of the server answers
 * and what it means for somebody who looks for delays. Pure; any bytes are safe.
 */
enum capture_verb {
    CAPTURE_HELO, /* Or EHLO, LHLO. */
    CAPTURE_STARTTLS,
    CAPTURE_AUTH,
    CAPTURE_MAIL,
    CAPTURE_RCPT,
    CAPTURE_DATA,
    CAPTURE_BDAT,
    CAPTURE_DOT, /* The end of a message, by dot or last chunk. */
    CAPTURE_RSET,
    CAPTURE_QUIT,
    CAPTURE_OTHER_VERB, /* Another one of the standard. */
    CAPTURE_NO_VERB,    /* No command at all. */
};

/* The verb that a line without its end begins with. */
enum capture_verb capture_verb_read(const char *line, size_t len);

/* EHLO, RCPT TO, "the end of the message", ... for sentences. */
const char *capture_verb_name(enum capture_verb verb);

/* The size and whether it is the last one, of BDAT. False: it makes no sense. */
bool capture_chunk_read(const char *line, size_t len, uint64_t *size_out, bool *is_last_out);

struct capture_reply {
    uint16_t code; /* 0: not a reply. */
    bool is_last;  /* No further line belongs to it. */
};

struct capture_reply capture_reply_read(const char *line, size_t len);

/* "Come back later", for everybody who is new: greylisting. */
bool capture_reply_is_greylist(uint16_t code, const char *line, size_t len);

/* "My name server does not answer me", in the words of Postfix, Exim and others. */
bool capture_reply_is_dns(uint16_t code, const char *line, size_t len);
