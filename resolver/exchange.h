/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "wire/edns.h"
#include "wire/name.h"
#include "resolver/judge.h"

/*
 * An exchange: one message to one server, and the wait for its reply. It belongs to its fetch and
 * stays open after its try has timed out, since a late reply is still an answer; it ends with a
 * reply, a lost line or the fetch. The line below holds its id.
 *
 * By UDP it carries what a forger would have to guess: the spelling of the name, which is drawn by
 * lot, unless it is a DNS list's (whose servers may compare bytes), and with EDNS a cookie. Probes
 * carry neither.
 */
#define EXCHANGE_CAPITALS_SIZE ((NAME_SIZE_MAX + 7) / 8)
#define EXCHANGE_PAD_TO        128 /* Over TLS (RFC 8467 section 4.1). */

struct resolver;
struct fetch;
struct question;
struct server_reply;

struct exchange {
    struct list link; /* In its fetch. */
    uint64_t id;
    uint64_t fetch;
    uint64_t line;
    uint64_t mark; /* The cache's when it was sent; of a zone's servers, when they were found. */
    size_t server; /* Index in the table; SERVER_NONE: gone with a reload. */
    size_t place;  /* In its group, for the fetch's tries; SERVER_NONE after a reload. */
    uint16_t wire_id;
    bool is_stream;
    bool has_edns;
    bool is_direct;  /* A name server of the zone was asked. */
    bool trusts_ad;  /* As its group was configured when it was sent. */
    bool is_late;    /* Its try has timed out. */
    bool is_hedged;  /* Another server was asked before this try had its time. */
    bool is_spelled; /* There are capitals in the name as sent. */
    bool has_cookie;
    bool is_recookied; /* Sent anew for a cookie that the server had asked for. */
    bool is_overslept; /* Nobody was there while it was open: its time tells nothing. */
    bool is_doubted;   /* A reply came with a wrong spelling or cookie. */
    uint8_t told_as;   /* Its server in the fetch's timeline. */
    uint8_t transport; /* enum timeline_transport. */
    uint8_t cookie[EDNS_COOKIE_CLIENT_SIZE];
    uint8_t capitals[EXCHANGE_CAPITALS_SIZE]; /* A bit for each byte of the name. */
    int64_t sent_at;
    int64_t hedge_at;     /* Older than this, it is slower than usual. */
    int64_t times_out_at; /* Older than this, it counts as lost. */
};

/* What is asked, and for whom. */
struct exchange_form {
    const struct question *question;
    bool wants_dnssec;
    bool checking_disabled;
    bool trusts_ad;
    struct fetch *fetch; /* NULL: a probe's. */
};

struct exchange_plan {
    size_t server;
    size_t place;
    bool is_stream;
    bool has_edns;
    bool is_recookied;
    bool is_gated; /* The server rests; it is asked by probes only. */
};

/* Composes and transmits. NULL: no room, or it cannot be sent. */
struct exchange *exchange_start(struct resolver *resolver, const struct exchange_form *form,
    const struct exchange_plan *plan, int64_t now);

/* What `judged`, the bytes of a reply, the question in lower case and the limits, means for this
 * exchange; what it tells of the server's manners is remembered. The stored form goes to
 * resolver->normalised. JUDGE_OTHER_CASE or JUDGE_NO_COOKIE is told once: what comes later like it
 * is a stranger's. */
enum judge_verdict exchange_judge(struct resolver *resolver, struct exchange *exchange,
    struct judge_case *judged, struct normalised *normalised_out, int64_t now);

/* What its reply, come in now, is to the server: how long it took, and by which way. */
struct server_reply exchange_as_reply(const struct exchange *exchange, bool is_usable, int64_t now);

/* Withdraws its line and gives it back. */
void exchange_end(struct resolver *resolver, struct exchange *exchange);

/* The same for a line that has already gone. */
void exchange_forget(struct resolver *resolver, struct exchange *exchange);

/* `seen` is the question that the exchange sent, letter for letter, and its letters were drawn at
 * random: so it is our own message, come back. `asked` is the question as it was before the draw.
 */
bool exchange_is_echoed(const struct exchange *exchange, const struct question *asked,
    const struct question *seen, uint16_t seen_id);
