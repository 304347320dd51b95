/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "tests/bench/policy.h"

struct capped {
    struct policy policy;
    struct policy *others;
    struct policy *lists;
    bool *is_list; /* Of the slots. */
    uint32_t list_count;
    uint32_t list_max;
    uint32_t count;
};

static struct policy *capped_of(const struct capped *capped, uint32_t slot)
{
    return capped->is_list[slot] ? capped->lists : capped->others;
}

static void capped_add(struct policy *policy, uint32_t slot, const struct policy_item *item)
{
    struct capped *capped = (struct capped *)policy;
    struct policy *part = item->is_list ? capped->lists : capped->others;
    capped->is_list[slot] = item->is_list;
    capped->list_count += item->is_list;
    capped->count++;
    part->add(part, slot, item);
}

static void capped_hit(struct policy *policy, uint32_t slot)
{
    struct policy *part = capped_of((struct capped *)policy, slot);
    part->hit(part, slot);
}

static void capped_remove(struct policy *policy, uint32_t slot)
{
    struct capped *capped = (struct capped *)policy;
    struct policy *part = capped_of(capped, slot);
    part->remove(part, slot);
    capped->list_count -= capped->is_list[slot];
    capped->count--;
}

/* Lists may have all the room that nobody else wants; when room is short, their cap holds. */
static uint32_t capped_victim(struct policy *policy, const struct policy_item *coming)
{
    struct capped *capped = (struct capped *)policy;
    bool is_over = capped->list_count + coming->is_list > capped->list_max;
    bool has_others = capped->list_count < capped->count;
    struct policy *part =
        (is_over && capped->list_count > 0) || !has_others ? capped->lists : capped->others;
    return part->victim(part, coming);
}

static void capped_free(struct policy *policy)
{
    struct capped *capped = (struct capped *)policy;
    if (capped->others != NULL) {
        capped->others->free(capped->others);
    }
    if (capped->lists != NULL) {
        capped->lists->free(capped->lists);
    }
    free(capped->is_list);
    free(capped);
}

struct policy *policy_capped_new(const struct policy_room *room, const struct policy_cap *cap)
{
    struct capped *capped = calloc(1, sizeof(*capped));
    if (capped == NULL) {
        return NULL;
    }
    capped->policy =
        (struct policy){capped_add, capped_hit, capped_remove, capped_victim, capped_free};
    capped->others = cap->others(room);
    capped->lists = cap->lists(room);
    capped->is_list = calloc(room->slots, sizeof(*capped->is_list));
    capped->list_max = (uint32_t)((uint64_t)room->slots * cap->percent / 100);
    if (capped->others == NULL || capped->lists == NULL || capped->is_list == NULL) {
        capped_free(&capped->policy);
        return NULL;
    }
    return &capped->policy;
}
