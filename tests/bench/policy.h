/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Policies of eviction, to be compared: which entry of a full cache makes room for the next one? A
 * policy sees entries as slots, numbered from 0 below the room it was made for, and keeps them in
 * an order of its own. Memory is taken when it is made. One owner, one thread.
 */
#define POLICY_NONE UINT32_MAX

struct policy_item {
    uint32_t name; /* Below the names it was made for; what a policy may remember of the gone. */
    bool is_list;
};

struct policy {
    /* The slot, which was free, now holds the item. */
    void (*add)(struct policy *policy, uint32_t slot, const struct policy_item *item);
    /* It was asked again, be it fresh or expired. */
    void (*hit)(struct policy *policy, uint32_t slot);
    /* It is free again. */
    void (*remove)(struct policy *policy, uint32_t slot);
    /* Of a full cache: the slot that should make room for the item. It is removed next. */
    uint32_t (*victim)(struct policy *policy, const struct policy_item *coming);
    void (*free)(struct policy *policy);
};

struct policy_room {
    uint32_t slots;
    uint32_t names;
};

/* A policy, to be ended by its own free(); or NULL when memory is short. */
typedef struct policy *policy_maker(const struct policy_room *room);

/* Least recently used. */
policy_maker policy_lru_new;

/* Segmented LRU: a first hit moves from the probation to the protected segment, which has four
 * fifths of the room and gives its oldest back to probation. */
policy_maker policy_slru_new;

/* Three queues (Yang et al., SOSP 2023): a tenth is a queue for the new, whoever is hit there goes
 * on to the main queue, in which hits give a second chance; who comes back soon goes there, too. */
policy_maker policy_s3fifo_new;

/* One queue and a hand that passes over who was hit (Zhang et al., NSDI 2024). */
policy_maker policy_sieve_new;

/* Two policies side by side, one of them for the questions to lists, which make room among
 * themselves as soon as they hold more than `percent` of the room. */
struct policy_cap {
    policy_maker *others;
    policy_maker *lists;
    unsigned percent;
};
struct policy *policy_capped_new(const struct policy_room *room, const struct policy_cap *cap);
