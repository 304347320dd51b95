/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "tests/sim/sim.h"

/* The inside of the simulation: what its files want of each other. */

struct port sim_port(struct sim *sim);

/* When the next event happens; INT64_MAX: never. */
int64_t sim_event_next(const struct sim *sim);

/* Lets the first event happen; the clock stands at its time already. */
void sim_event_run(struct sim *sim);

/* The host slept until `end`: replies that would have come by then are lost, and what clients had
 * in mind they do so much later. */
void sim_events_sleep(struct sim *sim, int64_t end, int64_t duration_us);

/* Adds bytes and the time to the digest. */
void sim_digest(struct sim *sim, const uint8_t *bytes, size_t len);

/* ---- What comes of a transmission, `delay` from now ---- */

void sim_reply_add(struct sim *sim, const struct transmission *transmission, int64_t delay,
    const uint8_t *bytes, size_t len);

/* A reply that arrives on the line of another exchange, if there is one that waits. */
void sim_reply_astray(struct sim *sim, const struct transmission *transmission, int64_t delay,
    const uint8_t *bytes, size_t len);

/* The line breaks. */
void sim_line_lose(struct sim *sim, const struct transmission *transmission, int64_t delay);

/* The message reaches the resolver as a client's question; its answer will be the reply. */
void sim_loop_add(struct sim *sim, const struct transmission *transmission, int64_t delay);

/* The resolver has answered a server that asked it. */
void sim_loop_answer(struct sim *sim, const struct sim_client *client);

/* ---- Clients, sim_clients.c ---- */

/* Something that a client does at a time of its own. `serial` tells outdated plans. */
void sim_call_add(
    struct sim *sim, int64_t at, enum sim_asker_kind kind, size_t subject, unsigned serial);
void sim_call_run(struct sim *sim, enum sim_asker_kind kind, size_t subject, unsigned serial);

/* The client has its answer. */
void sim_client_take(struct sim *sim, uint64_t number, const uint8_t *bytes, size_t len);

/* Sends the bytes as a question of `asker`; the client's number. */
size_t sim_ask_as(struct sim *sim, const uint8_t *bytes, size_t len, bool is_stream,
    const struct sim_asker *asker);

/* What the asker makes of the answer that client `number` has had. */
void sim_asker_on_answer(struct sim *sim, size_t number);
