/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/normalise.h"

/*
 * What does this reply mean? Pure: bytes in, verdict out; no server, no fetch, no clock.
 */
struct question;

struct judge_case {
    const uint8_t *bytes;
    size_t len;
    uint16_t id;                  /* That we sent. */
    const struct question *asked; /* That we sent. */
    bool has_edns;                /* We sent an OPT record. */
    bool is_stream;
    struct normalise_limits limits;
};

enum judge_verdict {
    JUDGE_ANSWER,    /* The records asked for. */
    JUDGE_NODATA,    /* The name exists, not with this type. */
    JUDGE_NXDOMAIN,  /* The name does not exist. */
    JUDGE_TRUNCATED, /* Ask again over TCP. */
    JUDGE_NO_EDNS,   /* The server does not take our OPT record (RFC 6891 section 7). */
    JUDGE_SERVFAIL,  /* Or another rcode that is no answer. */
    JUDGE_REFUSED,   /* It will not answer us. */
    JUDGE_LAME,      /* A referral, or nothing: no forwarder for this name. */
    JUDGE_MALFORMED, /* It has our id and question, but cannot be read, or is cut on a stream. */
    JUDGE_STRANGER,  /* Not the reply to what we asked. */
};

/* With ANSWER, NODATA and NXDOMAIN the stored form is in stored_out (room: MESSAGE_SIZE_MAX). */
enum judge_verdict judge_reply(
    const struct judge_case *judged, uint8_t *stored_out, struct normalised *normalised_out);
