/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "tests/support/world_answer.h"

/*
 * The world of the lies about zones that are asked directly: an upstream server that knows nearly
 * all, the true name servers of some zones, and at every other address somebody evil, who answers
 * whatever he is asked, with authority and false data, or does what his address stands for.
 *
 *     list.example          two servers that upstream knows
 *     203.list.example      a part of it, served elsewhere
 *     bl.victim.example     upstream knows only the servers of the zone above; referral with glue
 *     away.victim.example   likewise; referral to a name in another zone
 *     zen.spamhaus.org      known as a list; one server, in another zone
 */
#define NET_UPSTREAM "192.0.2.1"
#define NET_OWN      "192.0.2.99" /* Where the resolver itself listens. */

/* Of 203.0.113.*, what the evil do who do more than answer. */
enum net_evil {
    NET_EVIL_ANSWERS = 66,
    NET_EVIL_REFERS_DEEPER =
        70, /* To the next address, for one label more; and so on, ten times. */
    NET_EVIL_REFERS_TO_ITSELF = 80,
    NET_EVIL_REFERS_UP = 81,
    NET_EVIL_IS_SILENT = 82,
    NET_EVIL_REFERS_TO_MANY = 83, /* Name servers without addresses, in the victim's zone. */
    NET_EVIL_REFUSES = 84,
};

void net_open(void);
void net_close(void);

struct address net_address(const char *text);

/* The zones that are asked directly; NULL behind the last one. */
extern const char *const net_zones[];

/* Those who know; NULL behind the last one. The first is upstream. */
extern const char *const net_servers[];

/* What the server at the address truly (or evilly) says; 0: nothing. */
size_t net_answer(
    const struct address *server, const struct world_query *query, uint8_t *bytes_out, size_t size);
