/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/policy_replay.h"

#include <stdlib.h>
#include <string.h>

#include "tests/bench/policy.h"
#include "tests/bench/policy_trace.h"

struct replay {
    struct policy *policy;
    uint32_t *slot_of; /* Of a name, plus 1; 0: it is not there. */
    uint32_t *name_of; /* Of a slot. */
    uint32_t *expires; /* Of a slot, in seconds. */
    uint32_t count;
    uint32_t slots;
};

static uint32_t replay_make_room(struct replay *replay, const struct policy_item *coming)
{
    if (replay->count < replay->slots) {
        return replay->count++;
    }
    uint32_t slot = replay->policy->victim(replay->policy, coming);
    replay->policy->remove(replay->policy, slot);
    replay->slot_of[replay->name_of[slot]] = 0;
    return slot;
}

static bool replay_ask(struct replay *replay, const struct policy_ask *ask)
{
    uint32_t slot = 0;
    if (replay->slot_of[ask->name] > 0) {
        slot = replay->slot_of[ask->name] - 1;
        replay->policy->hit(replay->policy, slot);
        if (ask->second < replay->expires[slot]) {
            return true;
        }
    } else {
        struct policy_item item = {.name = ask->name, .is_list = ask->is_list};
        slot = replay_make_room(replay, &item);
        replay->policy->add(replay->policy, slot, &item);
        replay->slot_of[ask->name] = slot + 1;
        replay->name_of[slot] = ask->name;
    }
    replay->expires[slot] = ask->second + ask->ttl_s;
    return false;
}

static void replay_run(
    struct replay *replay, const struct policy_trace *trace, struct policy_score *score)
{
    for (uint32_t i = 0; i < trace->count; i++) {
        const struct policy_ask *ask = &trace->asks[i];
        bool is_hit = replay_ask(replay, ask);
        score->asks++;
        score->hits += is_hit;
        score->other_asks += !ask->is_list;
        score->other_hits += is_hit && !ask->is_list;
    }
    score->entries = replay->count;
}

bool policy_replay(const struct policy_trace *trace, const struct policy_room *room,
    struct policy *policy, struct policy_score *score_out)
{
    struct replay replay = {.policy = policy, .slots = room->slots};
    replay.slot_of = calloc(room->names, sizeof(*replay.slot_of));
    replay.name_of = calloc(room->slots, sizeof(*replay.name_of));
    replay.expires = calloc(room->slots, sizeof(*replay.expires));
    bool is_ready = replay.slot_of != NULL && replay.name_of != NULL && replay.expires != NULL;
    *score_out = (struct policy_score){.asks = 0};
    if (is_ready) {
        replay_run(&replay, trace, score_out);
    }
    free(replay.expires);
    free(replay.name_of);
    free(replay.slot_of);
    return is_ready;
}
