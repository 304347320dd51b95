/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/list_answer.h"
#include "resolver/lists.h"

/*
 * An answer of a DNS list on its way from upstream to the cache: is it one, or does the list refuse
 * (mail/list_answer.h), has it ended, does it list the world? Then clients get `list_action`
 * instead of it, and that is kept by the clock of the refusal, not by the answer's TTL: a minute at
 * first, up to five when the list goes on refusing. Also the bounds of what list answers that are
 * some are kept.
 */
#define REFUSAL_KEEP_MIN_S 60
#define REFUSAL_KEEP_MAX_S 300

/* "Not listed" is kept so long, whatever the list says (and within negative_ttl_max). */
#define REFUSAL_NEGATIVE_MIN_S 30
#define REFUSAL_NEGATIVE_MAX_S 3600

struct normalised;
struct resolver;

/* Zeroed: none. */
struct refusal {
    enum list_cause cause; /* NONE: the answer stands. */
    enum lists_action action;
    uint32_t keep_s;
    const char *sentence; /* For the extended error; until the next refusal is judged. */
};

/* What the stored form in resolver->normalised, `len` bytes, means for the list at `place`. Counts,
 * learns and logs. */
struct refusal refusal_judge(struct resolver *resolver, unsigned place, const struct cache_key *key,
    size_t len, int64_t now);

/* Instead of a cached answer of a list that lists_is_world(). */
struct refusal refusal_of_world(struct resolver *resolver, unsigned place, int64_t now);

/* Puts NXDOMAIN for `key` in place of the answer. Returns its length. */
size_t refusal_deny(struct resolver *resolver, const struct refusal *refusal,
    const struct cache_key *key, uint8_t *stored_out);

/* Brings the TTLs of all records between the bounds. */
void refusal_bound_ttls(uint8_t *stored, size_t len, uint32_t min_s, uint32_t max_s);

/* Why failures of the list at `place` are remembered; NULL: no refusal of its own. */
const char *refusal_sentence(struct resolver *resolver, unsigned place);
