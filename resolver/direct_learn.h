/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

/*
 * How the name servers of a direct zone are found, and found again. The zone itself is asked for
 * NS, then the zone that its denial names, or what stands one label above, DIRECT_CUTS_MAX names in
 * all; then up to four of the servers' names for A and AAAA. All this goes to the upstream servers
 * as work of the house, which has no priority. Each address serves as soon as it is known. In the
 * last tenth of their lifetime the servers are looked up again if the zone is in use; when that
 * fails, the old ones stay, and it is tried again after DIRECT_AGAIN_US, twice as long
 * each time. But none is asked longer than DIRECT_LIFE_MAX_US after it was last named: else one
 * that a lie has named could stay for good. A referral from the zone's servers (resolver/direct.h)
 * begins with the names that it gives.
 */
#define DIRECT_CUTS_MAX      4
#define DIRECT_LEARN_US      (INT64_C(8) * 1000000)
#define DIRECT_AGAIN_US      (INT64_C(60) * 1000000)
#define DIRECT_AGAIN_DOUBLED 6 /* To half an hour. */
#define DIRECT_IDLE_US       (INT64_C(3600) * 1000000)
#define DIRECT_LIFE_MIN_US   (INT64_C(300) * 1000000)
#define DIRECT_LIFE_MAX_US   (INT64_C(86400) * 1000000)

struct address;
struct cache_key;
struct delegation;
struct direct;
struct direct_zone;
struct publication;
struct resolver;

/* Begins to look for the zone's servers, in a turn of its own; if it does already, goes on. */
void direct_learn_start(struct resolver *resolver, size_t index, int64_t now);

/* The same with the servers that a referral has named. */
void direct_learn_from(
    struct resolver *resolver, size_t index, const struct delegation *delegation, int64_t now);

/* Forgets the zone's servers and what is being looked for. */
void direct_learn_forget(struct resolver *resolver, size_t index);

/* Takes out the servers that nobody has named for DIRECT_LIFE_MAX_US. */
void direct_learn_expire(struct resolver *resolver, size_t index, int64_t now);

/* Takes out the servers that may not be asked under new settings. */
void direct_learn_sift(struct resolver *resolver, size_t index);

/* Events. A fetch has ended: is it one that some zone waits for? */
void direct_learn_on_published(struct resolver *resolver, const struct cache_key *key,
    const struct publication *publication, int64_t now);
void direct_learn_on_deadline(struct resolver *resolver, size_t index, int64_t now);

/* May an address that strangers have named be asked? Not one in this host or its own network, nor
 * one that leads there through a translator. */
bool direct_learn_may_ask(const struct direct *direct, const struct address *address);
