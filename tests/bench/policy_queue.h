/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Queues of slots that share one array of links, so that a slot stands in at most one of them.
 * Owned by a policy.
 */
struct policy_link {
    uint32_t newer;
    uint32_t older;
};

struct policy_queue {
    struct policy_link *links; /* Owned by the policy, one for each slot. */
    uint32_t newest;
    uint32_t oldest;
    uint32_t count;
};

struct policy_queue policy_queue_make(struct policy_link *links);
void policy_queue_push(struct policy_queue *queue, uint32_t slot);
void policy_queue_remove(struct policy_queue *queue, uint32_t slot);
