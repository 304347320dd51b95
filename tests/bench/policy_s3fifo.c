/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "tests/bench/policy.h"
#include "tests/bench/policy_queue.h"

#define S3FIFO_SMALL_PERCENT 10
#define S3FIFO_HITS_MAX      3

/* Names that left the small queue without a hit are remembered in a ring of as many places as the
 * main queue has: left_at is one more than the turn in which a name left, 0 for never. */
struct s3fifo {
    struct policy policy;
    struct policy_link *links;
    uint32_t *names; /* Of the slots. */
    uint8_t *hits;
    bool *is_main;
    uint32_t *left_at; /* Of the names. */
    uint32_t turn;
    struct policy_queue small;
    struct policy_queue main;
};

/* The ghosts are as many as the main queue could hold of what is there now. */
static bool s3fifo_is_ghost(const struct s3fifo *s3fifo, uint32_t name)
{
    uint64_t count = (uint64_t)s3fifo->small.count + s3fifo->main.count;
    uint64_t ghosts = count * (100 - S3FIFO_SMALL_PERCENT) / 100;
    uint32_t left_at = s3fifo->left_at[name];
    return left_at > 0 && s3fifo->turn - (left_at - 1) <= ghosts;
}

static void s3fifo_add(struct policy *policy, uint32_t slot, const struct policy_item *item)
{
    struct s3fifo *s3fifo = (struct s3fifo *)policy;
    s3fifo->names[slot] = item->name;
    s3fifo->hits[slot] = 0;
    s3fifo->is_main[slot] = s3fifo_is_ghost(s3fifo, item->name);
    policy_queue_push(s3fifo->is_main[slot] ? &s3fifo->main : &s3fifo->small, slot);
}

static void s3fifo_hit(struct policy *policy, uint32_t slot)
{
    struct s3fifo *s3fifo = (struct s3fifo *)policy;
    if (s3fifo->hits[slot] < S3FIFO_HITS_MAX) {
        s3fifo->hits[slot]++;
    }
}

static void s3fifo_remove(struct policy *policy, uint32_t slot)
{
    struct s3fifo *s3fifo = (struct s3fifo *)policy;
    policy_queue_remove(s3fifo->is_main[slot] ? &s3fifo->main : &s3fifo->small, slot);
}

static void s3fifo_promote(struct s3fifo *s3fifo, uint32_t slot)
{
    policy_queue_remove(&s3fifo->small, slot);
    s3fifo->is_main[slot] = true;
    s3fifo->hits[slot] = 0;
    policy_queue_push(&s3fifo->main, slot);
}

static uint32_t s3fifo_main_victim(struct s3fifo *s3fifo)
{
    uint32_t slot = s3fifo->main.oldest;
    while (slot != POLICY_NONE && s3fifo->hits[slot] > 0) {
        s3fifo->hits[slot]--;
        policy_queue_remove(&s3fifo->main, slot);
        policy_queue_push(&s3fifo->main, slot);
        slot = s3fifo->main.oldest;
    }
    return slot;
}

/* POLICY_NONE: all of the small queue had been hit, and went to the main one. */
static uint32_t s3fifo_small_victim(struct s3fifo *s3fifo)
{
    uint32_t slot = s3fifo->small.oldest;
    while (slot != POLICY_NONE && s3fifo->hits[slot] > 0) {
        s3fifo_promote(s3fifo, slot);
        slot = s3fifo->small.oldest;
    }
    if (slot != POLICY_NONE) {
        s3fifo->left_at[s3fifo->names[slot]] = s3fifo->turn + 1;
        s3fifo->turn++;
    }
    return slot;
}

static uint32_t s3fifo_victim(struct policy *policy, const struct policy_item *coming)
{
    struct s3fifo *s3fifo = (struct s3fifo *)policy;
    uint64_t count = (uint64_t)s3fifo->small.count + s3fifo->main.count;
    uint32_t slot = POLICY_NONE;
    (void)coming;
    if (s3fifo->small.count * UINT64_C(100) >= count * S3FIFO_SMALL_PERCENT) {
        slot = s3fifo_small_victim(s3fifo);
    }
    if (slot == POLICY_NONE) {
        slot = s3fifo_main_victim(s3fifo);
    }
    return slot != POLICY_NONE ? slot : s3fifo_small_victim(s3fifo);
}

static void s3fifo_free(struct policy *policy)
{
    struct s3fifo *s3fifo = (struct s3fifo *)policy;
    free(s3fifo->left_at);
    free(s3fifo->is_main);
    free(s3fifo->hits);
    free(s3fifo->names);
    free(s3fifo->links);
    free(s3fifo);
}

struct policy *policy_s3fifo_new(const struct policy_room *room)
{
    struct s3fifo *s3fifo = calloc(1, sizeof(*s3fifo));
    if (s3fifo == NULL) {
        return NULL;
    }
    s3fifo->policy =
        (struct policy){s3fifo_add, s3fifo_hit, s3fifo_remove, s3fifo_victim, s3fifo_free};
    s3fifo->links = calloc(room->slots, sizeof(*s3fifo->links));
    s3fifo->names = calloc(room->slots, sizeof(*s3fifo->names));
    s3fifo->hits = calloc(room->slots, sizeof(*s3fifo->hits));
    s3fifo->is_main = calloc(room->slots, sizeof(*s3fifo->is_main));
    s3fifo->left_at = calloc(room->names, sizeof(*s3fifo->left_at));
    s3fifo->small = policy_queue_make(s3fifo->links);
    s3fifo->main = policy_queue_make(s3fifo->links);
    if (s3fifo->links == NULL || s3fifo->names == NULL || s3fifo->hits == NULL ||
        s3fifo->is_main == NULL || s3fifo->left_at == NULL) {
        s3fifo_free(&s3fifo->policy);
        return NULL;
    }
    return &s3fifo->policy;
}
