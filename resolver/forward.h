/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "resolver/exchange.h"

/*
 * The forwarding source: what a fetch asks a group of upstream servers next, and what it makes of
 * their silence. Tries are never cancelled: a server that was too slow may still answer while the
 * next one is being asked, and the first good answer wins.
 */
struct resolver;
struct fetch;

/* The next message: the same server again in another way if the last reply called for it, else the
 * server that pick_server() names. False: nobody is left to ask, or no ask is left. */
bool forward_plan(struct resolver *resolver, const struct fetch *fetch, int64_t now,
    struct exchange_plan *plan_out);

/* Nobody can be asked any more and nobody's reply is awaited, or the fetch's time is over. */
bool forward_is_spent(struct resolver *resolver, const struct fetch *fetch, int64_t now);

/* The current try has had its time: it becomes late, and its server is told so. */
void forward_on_timeout(struct resolver *resolver, struct fetch *fetch, int64_t now);

/* When to go on after a message that came to nothing, or none was left to send: at once if there is
 * a server that has not been asked yet; after a pause if all have been; when nobody can be asked at
 * the fetch's end, or at once if no reply is awaited either. */
int64_t forward_resume_at(struct resolver *resolver, const struct fetch *fetch, int64_t now);

/* The exchange's line broke; the exchange ends. True: ask on at once. False: the fetch's deadline
 * is set anew if need be, after which it goes on. */
bool forward_on_lost(
    struct resolver *resolver, struct fetch *fetch, struct exchange *exchange, int64_t now);
