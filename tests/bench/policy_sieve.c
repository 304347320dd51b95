/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "tests/bench/policy.h"
#include "tests/bench/policy_queue.h"

struct sieve {
    struct policy policy;
    struct policy_link *links;
    bool *was_hit;
    struct policy_queue queue;
    uint32_t hand; /* Where it goes on, or POLICY_NONE: at the oldest. */
};

static void sieve_add(struct policy *policy, uint32_t slot, const struct policy_item *item)
{
    struct sieve *sieve = (struct sieve *)policy;
    (void)item;
    sieve->was_hit[slot] = false;
    policy_queue_push(&sieve->queue, slot);
}

static void sieve_hit(struct policy *policy, uint32_t slot)
{
    ((struct sieve *)policy)->was_hit[slot] = true;
}

static void sieve_remove(struct policy *policy, uint32_t slot)
{
    struct sieve *sieve = (struct sieve *)policy;
    if (sieve->hand == slot) {
        sieve->hand = sieve->links[slot].newer;
    }
    policy_queue_remove(&sieve->queue, slot);
}

static uint32_t sieve_victim(struct policy *policy, const struct policy_item *coming)
{
    struct sieve *sieve = (struct sieve *)policy;
    uint32_t slot = sieve->hand != POLICY_NONE ? sieve->hand : sieve->queue.oldest;
    (void)coming;
    while (slot != POLICY_NONE && sieve->was_hit[slot]) {
        sieve->was_hit[slot] = false;
        slot = sieve->links[slot].newer != POLICY_NONE ? sieve->links[slot].newer
                                                       : sieve->queue.oldest;
    }
    sieve->hand = slot;
    return slot;
}

static void sieve_free(struct policy *policy)
{
    struct sieve *sieve = (struct sieve *)policy;
    free(sieve->was_hit);
    free(sieve->links);
    free(sieve);
}

struct policy *policy_sieve_new(const struct policy_room *room)
{
    struct sieve *sieve = calloc(1, sizeof(*sieve));
    if (sieve == NULL) {
        return NULL;
    }
    sieve->policy = (struct policy){sieve_add, sieve_hit, sieve_remove, sieve_victim, sieve_free};
    sieve->links = calloc(room->slots, sizeof(*sieve->links));
    sieve->was_hit = calloc(room->slots, sizeof(*sieve->was_hit));
    sieve->queue = policy_queue_make(sieve->links);
    sieve->hand = POLICY_NONE;
    if (sieve->links == NULL || sieve->was_hit == NULL) {
        sieve_free(&sieve->policy);
        return NULL;
    }
    return &sieve->policy;
}
