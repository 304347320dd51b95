/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "tests/sim/sim.h"

/* The inside of the simulation: what sim.c and sim_network.c want of each other. */

struct port sim_port(struct sim *sim);

/* When the next event happens; INT64_MAX: never. */
int64_t sim_event_next(const struct sim *sim);

/* Lets the first event happen; the clock stands at its time already. */
void sim_event_run(struct sim *sim);

/* Adds bytes and the time to the digest. */
void sim_digest(struct sim *sim, const uint8_t *bytes, size_t len);

/* The client has its answer. */
void sim_client_take(struct sim *sim, uint64_t number, const uint8_t *bytes, size_t len);
