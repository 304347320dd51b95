/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_tally.h"

#include <stdlib.h>
#include <string.h>

/* The capture has packets of one side alone, and that was no knock at a closed door. */
static bool flow_is_one_sided(const struct capture_flow *flow)
{
    bool lacks_server = flow->hops[CAPTURE_SERVER] == 0;
    bool lacks_client = flow->hops[CAPTURE_CLIENT] == 0;
    bool has_spoken = flow->last_len[CAPTURE_CLIENT] > 0 || flow->last_len[CAPTURE_SERVER] > 0;
    return (lacks_server || lacks_client) && has_spoken;
}

static bool case_is_alike(const struct capture_case *a, const struct capture_case *b)
{
    return a->kind == b->kind && a->culprit == b->culprit && a->wait.phase == b->wait.phase &&
           a->wait.verb == b->wait.verb && a->wait.end == b->wait.end;
}

static bool case_is_worse(const struct capture_case *a, const struct capture_case *b)
{
    return a->level != b->level ? a->level > b->level : a->wait.us > b->wait.us;
}

static struct capture_group *group_of(struct capture_tally *tally, const struct capture_case *found)
{
    for (size_t i = 0; i < tally->group_count; i++) {
        if (case_is_alike(&tally->groups[i].worst, found)) {
            return &tally->groups[i];
        }
    }
    if (tally->group_count == CAPTURE_GROUPS_MAX) {
        return NULL;
    }
    return &tally->groups[tally->group_count++];
}

static void culprit_add(struct capture_group *group, const struct address *address)
{
    struct address host = *address;
    host.port = 0;
    for (size_t i = 0; i < group->culprit_count; i++) {
        if (address_equal(&group->culprits[i], &host)) {
            return;
        }
    }
    if (group->culprit_count < CAPTURE_CULPRITS_MAX) {
        group->culprits[group->culprit_count++] = host;
    }
}

static void group_take(
    struct capture_group *group, const struct capture_flow *flow, const struct capture_case *found)
{
    if (group->count++ == 0 || case_is_worse(found, &group->worst)) {
        group->worst = *found;
        group->home = capture_judge_home(flow);
        group->begin_us = flow->smtp.begin_us;
        group->syn_count = flow->syn_count;
        group->ladder = flow->smtp.ladder;
        memcpy(group->peers, flow->peers, sizeof group->peers);
        memcpy(group->mss, flow->mss, sizeof group->mss);
        memcpy(group->reply, flow->smtp.reply, sizeof group->reply);
    }
    if (found->culprit != CAPTURE_NOBODY) {
        culprit_add(group, &flow->peers[found->culprit]);
    }
}

void capture_tally_take(void *context, const struct capture_flow *flow)
{
    struct capture_tally *tally = context;
    struct capture_case found;
    tally->encrypted += flow->smtp.has_turned_tls;
    tally->mails += flow->smtp.mails;
    if (flow_is_one_sided(flow)) {
        tally->one_sided++;
        return;
    }
    if (!capture_judge(flow, &found)) {
        int64_t longest_us = flow->smtp.wait_count > 0 ? flow->smtp.waits[0].us : 0;
        tally->well++;
        tally->longest_us = longest_us > tally->longest_us ? longest_us : tally->longest_us;
        return;
    }
    tally->troubled++;
    struct capture_group *group = group_of(tally, &found);
    if (group == NULL) {
        tally->dropped++;
        return;
    }
    group_take(group, flow, &found);
}

static int groups_compare(const void *a, const void *b)
{
    const struct capture_group *left = a;
    const struct capture_group *right = b;
    if (left->worst.level != right->worst.level) {
        return left->worst.level > right->worst.level ? -1 : 1;
    }
    if (left->worst.wait.us != right->worst.wait.us) {
        return left->worst.wait.us > right->worst.wait.us ? -1 : 1;
    }
    return left->count > right->count ? -1 : left->count < right->count;
}

void capture_tally_sort(struct capture_tally *tally)
{
    qsort(tally->groups, tally->group_count, sizeof tally->groups[0], groups_compare);
}
