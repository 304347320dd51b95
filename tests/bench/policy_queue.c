/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/policy_queue.h"

#include "base/must.h"
#include "tests/bench/policy.h"

struct policy_queue policy_queue_make(struct policy_link *links)
{
    return (struct policy_queue){.links = links, .newest = POLICY_NONE, .oldest = POLICY_NONE};
}

void policy_queue_push(struct policy_queue *queue, uint32_t slot)
{
    queue->links[slot] = (struct policy_link){.newer = POLICY_NONE, .older = queue->newest};
    if (queue->newest != POLICY_NONE) {
        queue->links[queue->newest].newer = slot;
    } else {
        queue->oldest = slot;
    }
    queue->newest = slot;
    queue->count++;
}

void policy_queue_remove(struct policy_queue *queue, uint32_t slot)
{
    struct policy_link link = queue->links[slot];
    must(queue->count > 0);
    if (link.newer != POLICY_NONE) {
        queue->links[link.newer].older = link.older;
    } else {
        queue->newest = link.older;
    }
    if (link.older != POLICY_NONE) {
        queue->links[link.older].newer = link.newer;
    } else {
        queue->oldest = link.newer;
    }
    queue->count--;
}
