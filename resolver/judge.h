/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/cookie.h"
#include "wire/edns.h"
#include "wire/normalise.h"

/*
 * What does this reply mean? Pure: bytes in, verdict out; no server, no fetch, no clock.
 */
struct question;

/* The cookie sent with the question, and what came back. */
struct judge_cookie {
    uint8_t client[EDNS_COOKIE_CLIENT_SIZE];
    bool is_expected;            /* The server has given one before. */
    bool is_checked;             /* The reply came far enough for `verdict` to mean something. */
    enum cookie_verdict verdict; /* With COOKIE_GOOD, `received` is to be kept. */
    uint8_t received[EDNS_COOKIE_SIZE_MAX];
    size_t received_len;
};

struct judge_case {
    const uint8_t *bytes;
    size_t len;
    uint16_t id;                  /* That we sent. */
    const struct question *asked; /* That we sent. */
    bool has_edns;                /* We sent an OPT record. */
    bool wants_dnssec;            /* Asked with DO. */
    bool is_stream;
    bool is_direct;  /* A name server of the zone was asked: it is to know, not to ask. */
    bool is_spelled; /* With letters in random case, which are to come back. */
    struct judge_cookie *cookie; /* NULL: none was sent. */
    struct normalise_limits limits;
};

enum judge_verdict {
    JUDGE_ANSWER,     /* The records asked for. */
    JUDGE_NODATA,     /* The name exists, not with this type. */
    JUDGE_NXDOMAIN,   /* The name does not exist. */
    JUDGE_TRUNCATED,  /* Ask again over TCP. */
    JUDGE_NO_EDNS,    /* The server does not take our OPT record (RFC 6891 section 7). */
    JUDGE_BAD_COOKIE, /* It wants to see its cookie first (RFC 7873 section 5.3). */
    JUDGE_OTHER_CASE, /* Right but for the spelling: a forgery, or it does not keep letters. */
    JUDGE_NO_COOKIE,  /* Right but for the cookie: a forgery, or the server has lost it. */
    JUDGE_SERVFAIL,   /* Or another rcode that is no answer. */
    JUDGE_REFUSED,    /* It will not answer us. */
    JUDGE_LAME,       /* A referral, or nothing: no forwarder, or no authority, for this name. */
    JUDGE_REFERRAL,   /* Of a name server: others know. */
    JUDGE_MALFORMED,  /* It has our id and question, but cannot be read, or is cut on a stream. */
    JUDGE_STRANGER,   /* Not the reply to what we asked. */
};

/* "answer", "nodata", ...: the words of the control protocol. */
const char *judge_verdict_name(enum judge_verdict verdict);

/* With ANSWER, NODATA and NXDOMAIN the stored form is in stored_out (room: MESSAGE_SIZE_MAX). */
enum judge_verdict judge_reply(
    const struct judge_case *judged, uint8_t *stored_out, struct normalised *normalised_out);
