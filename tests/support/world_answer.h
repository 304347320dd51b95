/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/question.h"
#include "tests/support/world.h"

/*
 * From a query's bytes to a reply's bytes, out of a world. The reply repeats the question byte for
 * byte, follows CNAMEs inside the world, has AA and RA, and a negative one carries the SOA of the
 * closest zone. Names outside every zone are REFUSED. Pure.
 */
struct world_query {
    uint16_t id;
    uint16_t flags;
    struct question question;
    bool has_edns;
    bool wants_dnssec;
    size_t udp_size; /* What the asker takes over UDP. */
};

/* False: not a query, to be dropped. */
bool world_query_read(const uint8_t *bytes, size_t len, struct world_query *query_out);

/* Returns the reply's length; 0: the asker gets nothing. */
size_t world_answer_write(const struct world *world, const struct world_query *query, bool is_udp,
    uint8_t *bytes_out, size_t size);
