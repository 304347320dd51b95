/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "doctor/capture_ladder.h"
#include "doctor/capture_words.h"

/*
 * One SMTP conversation as its bytes tell it: whose turn it is at any time, to say what, and how
 * long that took. Commands may be pipelined, bytes may be missing, the beginning may be; after
 * STARTTLS only directions and sizes are seen. All time is the capture's. Pure; any bytes are safe.
 */
#define CAPTURE_WAITS         4   /* The longest that are kept. */
#define CAPTURE_ASKED_MAX     128 /* Commands that wait for their replies. */
#define CAPTURE_SMTP_LINE_MAX 512

/* What the one whose turn it is has to say. */
enum capture_phase {
    CAPTURE_PHASE_CONNECT, /* Server: SYN, ACK. */
    CAPTURE_PHASE_BANNER,  /* Server: 220. */
    CAPTURE_PHASE_REPLY,   /* Server: the reply to a verb. */
    CAPTURE_PHASE_COMMAND, /* Client: its next command, after the reply to a verb. */
    CAPTURE_PHASE_FIRST,   /* Client: the first byte of the message, after 354. */
    CAPTURE_PHASE_MESSAGE, /* Client: the rest of the message, up to the dot. */
    CAPTURE_PHASE_TLS,     /* The other one than spoke last, encrypted. */
    CAPTURE_PHASE_UNKNOWN, /* The same where the beginning is missing. */
};

/* How a wait ended. */
enum capture_end {
    CAPTURE_END_SPOKE,
    CAPTURE_END_421,     /* The server said that it gives up. */
    CAPTURE_END_CLOSED,  /* FIN. */
    CAPTURE_END_RESET,   /* RST. */
    CAPTURE_END_CAPTURE, /* The capture ended. */
};

/* What TCP did meanwhile, by side. */
struct capture_net {
    uint32_t repeated[CAPTURE_SIDES];  /* Segments sent again. */
    uint32_t large[CAPTURE_SIDES];     /* Of these, those as long as the path may not take. */
    uint32_t early[CAPTURE_SIDES];     /* Segments after one that is missing. */
    int64_t blocked_us[CAPTURE_SIDES]; /* With a window of zero: it did not read. */
};

struct capture_wait {
    enum capture_side side; /* Whose turn it was. */
    enum capture_phase phase;
    enum capture_verb verb; /* Replied to, or waited for. */
    enum capture_end end;
    enum capture_side ended_by;
    int64_t since_us;
    int64_t us;
    bool is_unacked; /* Something sent had not arrived when it ended. */
    struct capture_net net;
};

enum capture_stage {
    CAPTURE_STAGE_CONNECT,
    CAPTURE_STAGE_BANNER,
    CAPTURE_STAGE_COMMAND,
    CAPTURE_STAGE_MESSAGE, /* DATA has been said; the bytes that follow are the message. */
    CAPTURE_STAGE_CHUNK,   /* BDAT. */
    CAPTURE_STAGE_TLS,
    CAPTURE_STAGE_UNKNOWN,
    CAPTURE_STAGE_OVER,
};

struct capture_speech {
    char line[CAPTURE_SMTP_LINE_MAX];
    size_t len;
};

struct capture_smtp {
    enum capture_stage stage;
    struct capture_speech speech[CAPTURE_SIDES];
    uint8_t asked[CAPTURE_ASKED_MAX]; /* Verbs that wait for a reply: a ring. */
    size_t asked_first;
    size_t asked_count;
    enum capture_verb replied;     /* The last verb that had its reply. */
    enum capture_side last_spoken; /* For TLS and the unknown. */
    bool has_begun_message;        /* A byte of it has been seen. */
    bool has_secret;               /* The next line is a password. */
    bool is_within_reply;          /* A line with a dash has come, the last has not. */
    uint8_t dot_state;             /* How much of CRLF . CRLF stands at the end. */
    bool is_last_chunk;
    uint64_t chunk_left;
    struct capture_wait turn; /* The one under way; side CAPTURE_NOBODY: none. */
    struct capture_net net;   /* Since the beginning. */
    bool is_unacked;
    struct capture_wait waits[CAPTURE_WAITS]; /* Longest first. */
    size_t wait_count;
    int64_t begin_us;
    int64_t teased_us;   /* When 220- came; 0: it did not. */
    int64_t late_us;     /* When the client went on after it had been given up; 0: never. */
    uint16_t code_first; /* Of the banner. */
    uint16_t code_last;  /* The reply that ended it, 421 or 554; 0: none. */
    unsigned mails;      /* Accepted. */
    unsigned greylisted, dns_deferred; /* Replies. */
    unsigned slow_replies;             /* Of a second or more. */
    unsigned replies;
    bool has_begun_mail;        /* MAIL was accepted, and nothing has ended it. */
    enum capture_side cut_side; /* Who closed in the middle of a mail; CAPTURE_NOBODY. */
    bool has_turned_tls;
    uint64_t encrypted[CAPTURE_SIDES];      /* Bytes. */
    char reply[CAPTURE_LINE_TEXT_SIZE * 2]; /* The last that refused, redacted. */
    struct capture_ladder ladder;
};

/* CONNECT at a SYN, TLS on a port that begins so, UNKNOWN in the middle. */
void capture_smtp_init(struct capture_smtp *smtp, enum capture_stage stage, int64_t at_us);

/* The handshake is done: the server's turn. */
void capture_smtp_connected(struct capture_smtp *smtp, enum capture_stage stage, int64_t at_us);

/* `len` bytes of that side, in sequence, then `missing` unknown ones. */
void capture_smtp_take(struct capture_smtp *smtp, const struct capture_stroke *stroke,
    const uint8_t *bytes, uint32_t len, uint32_t missing);

/* FIN or RST of that side, or the end of the capture (CAPTURE_NOBODY). */
void capture_smtp_end(
    struct capture_smtp *smtp, const struct capture_stroke *stroke, enum capture_end end);
