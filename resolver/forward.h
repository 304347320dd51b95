/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "resolver/exchange.h"
#include "resolver/port.h"

/*
 * The forwarding source: what a fetch asks a group of upstream servers next, and what it makes of
 * their silence. Tries are never cancelled: a server that was too slow may still answer while the
 * next one is being asked, and the first good answer wins.
 *
 * Patience comes in two lengths. A try that is older than its server's usual tail is hedged:
 * another server is asked, or the only one again on a new line, as far as the budget
 * (resolver/hedge.h) allows. A try that is older than try_timeout allows counts as lost.
 */
struct resolver;
struct fetch;
struct server;

/* The next message: the same server again in another way if the last reply called for it, else the
 * server that pick_server() names. False: nobody is left to ask, or no ask is left. With
 * plan_out->is_gated all that are left rest: probes find out when one is back. A direct group whose
 * servers rest is nobody, and does not get all of the asks. */
bool forward_plan(struct resolver *resolver, const struct fetch *fetch, int64_t now,
    struct exchange_plan *plan_out);

/* Nobody can be asked any more and no reply that may help is awaited, or the fetch's time is over.
 */
bool forward_is_spent(struct resolver *resolver, const struct fetch *fetch, int64_t now);

/* Takes what is known of the group's servers about this question into the fetch's tries. */
void forward_recall(struct resolver *resolver, struct fetch *fetch, int64_t now);

/* The server of the exchange has failed on this question, or helped. */
void forward_remember(struct resolver *resolver, const struct fetch *fetch,
    const struct exchange *exchange, bool has_failed, int64_t now);

/* Sets how long the fetch waits for `exchange`, which has just been sent. */
void forward_set_patience(struct resolver *resolver, struct fetch *fetch, struct exchange *exchange,
    unsigned tries_before);

/* The try is older than is usual: a glance whether its server has fallen silent altogether, then,
 * past the tail, a hedge if the budget pays for it. True: ask another now. False: fetch->wakes_at
 * is set. */
bool forward_may_hedge(struct resolver *resolver, struct fetch *fetch, int64_t now);

/* Somebody waits for the fetch now, and nobody did: what is slower than usual may be hedged again.
 * True: fetch->wakes_at is set. */
bool forward_on_joined(struct resolver *resolver, struct fetch *fetch, int64_t now);

/* When the next open try counts as lost; the fetch's end if none does. */
int64_t forward_timeout_at(const struct fetch *fetch);

/* A reply came on the exchange, which the caller ends. */
void forward_on_reply(
    struct resolver *resolver, const struct exchange *exchange, bool is_usable, int64_t now);

/* A server that rested is back: those who wait for its group are due. Whether it was away, or only
 * silent about their questions, is told by its probe, which has not been told of the reply yet. */
void forward_open_gate(struct resolver *resolver, const struct server *server, int64_t now);

/* The fetch waits for servers that rest: they are to be probed soon. If all of them have missed
 * PROBE_HOPE_MAX probes by now, it waits no longer than FETCH_HOPELESS_US; and not at all when
 * another one has said that it fails. */
void forward_ask_gate(struct resolver *resolver, struct fetch *fetch, int64_t now);

/* Tries that have had their time become late, and their servers are told so. */
void forward_on_timeout(struct resolver *resolver, struct fetch *fetch, int64_t now);

/* When to ask on, after a line broke or nothing could be sent: at once if there is somebody new to
 * ask, else after a pause; if there is nobody, at the end, or now if nothing is awaited. */
int64_t forward_resume_at(struct resolver *resolver, const struct fetch *fetch, int64_t now);

/* The exchange's line is gone; the exchange ends. True: ask on at once. False: the fetch's deadline
 * is set anew if need be, after which it goes on. */
bool forward_on_lost(struct resolver *resolver, struct fetch *fetch, struct exchange *exchange,
    enum line_end end, int64_t now);

/* Tries are open that have not had their time: what becomes of them is worth knowing. */
bool forward_has_losers(const struct fetch *fetch);

/* Ends the tries that have had their time. */
void forward_drop_late(struct resolver *resolver, struct fetch *fetch);
