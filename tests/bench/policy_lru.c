/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "tests/bench/policy.h"
#include "tests/bench/policy_queue.h"

struct lru {
    struct policy policy;
    struct policy_link *links;
    struct policy_queue queue;
};

static void lru_add(struct policy *policy, uint32_t slot, const struct policy_item *item)
{
    struct lru *lru = (struct lru *)policy;
    (void)item;
    policy_queue_push(&lru->queue, slot);
}

static void lru_hit(struct policy *policy, uint32_t slot)
{
    struct lru *lru = (struct lru *)policy;
    policy_queue_remove(&lru->queue, slot);
    policy_queue_push(&lru->queue, slot);
}

static void lru_remove(struct policy *policy, uint32_t slot)
{
    policy_queue_remove(&((struct lru *)policy)->queue, slot);
}

static uint32_t lru_victim(struct policy *policy, const struct policy_item *coming)
{
    (void)coming;
    return ((struct lru *)policy)->queue.oldest;
}

static void lru_free(struct policy *policy)
{
    struct lru *lru = (struct lru *)policy;
    free(lru->links);
    free(lru);
}

struct policy *policy_lru_new(const struct policy_room *room)
{
    struct lru *lru = calloc(1, sizeof(*lru));
    if (lru == NULL) {
        return NULL;
    }
    lru->policy = (struct policy){lru_add, lru_hit, lru_remove, lru_victim, lru_free};
    lru->links = calloc(room->slots, sizeof(*lru->links));
    lru->queue = policy_queue_make(lru->links);
    if (lru->links == NULL) {
        lru_free(&lru->policy);
        return NULL;
    }
    return &lru->policy;
}
