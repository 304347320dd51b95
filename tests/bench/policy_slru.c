/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "tests/bench/policy.h"
#include "tests/bench/policy_queue.h"

#define SLRU_PROTECTED_PERCENT 80

struct slru {
    struct policy policy;
    struct policy_link *links;
    bool *is_protected;
    struct policy_queue probation;
    struct policy_queue protected;
};

static void slru_add(struct policy *policy, uint32_t slot, const struct policy_item *item)
{
    struct slru *slru = (struct slru *)policy;
    (void)item;
    slru->is_protected[slot] = false;
    policy_queue_push(&slru->probation, slot);
}

static void slru_remove(struct policy *policy, uint32_t slot)
{
    struct slru *slru = (struct slru *)policy;
    policy_queue_remove(slru->is_protected[slot] ? &slru->protected : &slru->probation, slot);
}

/* The share is of what is there, so that a part of a capped pair knows its own. */
static bool slru_is_over(const struct slru *slru)
{
    uint64_t count = (uint64_t)slru->protected.count + slru->probation.count;
    return slru->protected.count * UINT64_C(100) > count * SLRU_PROTECTED_PERCENT;
}

static void slru_hit(struct policy *policy, uint32_t slot)
{
    struct slru *slru = (struct slru *)policy;
    slru_remove(policy, slot);
    slru->is_protected[slot] = true;
    policy_queue_push(&slru->protected, slot);
    if (slru_is_over(slru)) {
        uint32_t oldest = slru->protected.oldest;
        slru_remove(policy, oldest);
        slru->is_protected[oldest] = false;
        policy_queue_push(&slru->probation, oldest);
    }
}

static uint32_t slru_victim(struct policy *policy, const struct policy_item *coming)
{
    struct slru *slru = (struct slru *)policy;
    (void)coming;
    return slru->probation.count > 0 ? slru->probation.oldest : slru->protected.oldest;
}

static void slru_free(struct policy *policy)
{
    struct slru *slru = (struct slru *)policy;
    free(slru->is_protected);
    free(slru->links);
    free(slru);
}

struct policy *policy_slru_new(const struct policy_room *room)
{
    struct slru *slru = calloc(1, sizeof(*slru));
    if (slru == NULL) {
        return NULL;
    }
    slru->policy = (struct policy){slru_add, slru_hit, slru_remove, slru_victim, slru_free};
    slru->links = calloc(room->slots, sizeof(*slru->links));
    slru->is_protected = calloc(room->slots, sizeof(*slru->is_protected));
    slru->probation = policy_queue_make(slru->links);
    slru->protected = policy_queue_make(slru->links);
    if (slru->links == NULL || slru->is_protected == NULL) {
        slru_free(&slru->policy);
        return NULL;
    }
    return &slru->policy;
}
