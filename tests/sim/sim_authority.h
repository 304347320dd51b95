/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "tests/support/world.h"

/*
 * A server of the simulated network that serves zones of its own, as a list's name servers do: it
 * knows what lies in them, refers to others below a cut (NS records in the world, below the zone's
 * own name), and refuses everything else. And a resolver that a list refuses: it passes the list's
 * code on. Embedded in its server; pure.
 */
#define SIM_AUTHORITY_ZONES 4

struct world_query;

struct sim_authority {
    struct world_name zones[SIM_AUTHORITY_ZONES];
    size_t zone_count;
    bool has_no_glue;
    bool is_hearsay;     /* No AA, but RA: it asks others. */
    struct address glue; /* With a family: all its referrals give this, for whatever name. */
    bool is_blocked;     /* Refused for questions below `blocked`. */
    struct world_name blocked;
};

/* The reply of an authority; its length. */
size_t sim_authority_write(const struct sim_authority *authority, const struct world *world,
    const struct world_query *query, uint8_t *bytes_out, size_t size);

/* The question is one that gets the refusal's code. */
bool sim_authority_is_blocked(
    const struct sim_authority *authority, const struct world_query *query);
size_t sim_authority_write_block(const struct world_query *query, uint8_t *bytes_out, size_t size);
