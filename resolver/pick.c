/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/pick.h"

#include "base/random.h"
#include "resolver/server.h"

/* What is compared, most important first; smaller is better. */
struct rank {
    bool is_resting;
    bool is_silent;
    bool is_doubtful;
    unsigned asked;
    bool is_failing;
    bool has_streak;
    int64_t latency_us;
};

static bool rank_is_better(const struct rank *a, const struct rank *b)
{
    if (a->is_resting != b->is_resting) {
        return b->is_resting;
    }
    if (a->is_silent != b->is_silent) {
        return b->is_silent;
    }
    if (a->is_doubtful != b->is_doubtful) {
        return b->is_doubtful;
    }
    if (a->asked != b->asked) {
        return a->asked < b->asked;
    }
    if (a->is_failing != b->is_failing) {
        return b->is_failing;
    }
    if (a->has_streak != b->has_streak) {
        return b->has_streak;
    }
    return a->latency_us < b->latency_us;
}

/* A random server in place of the best one, for the first try of a question now and then. */
static size_t pick_explore(const struct server_table *table, const struct server_group *group,
    const struct tries *tries, struct random *random, int64_t now)
{
    if (group->count < 2 || random_below(random, PICK_EXPLORE) != 0) {
        return SERVER_NONE;
    }
    size_t place = random_below(random, (uint32_t)group->count);
    const struct server *server = &table->servers[group->first + place];
    if (tries->is_doubtful[place] || tries->has_failed[place]) {
        return SERVER_NONE;
    }
    bool is_well = !server_is_resting(server) && !server_is_silent(server, now);
    return is_well && !(group->is_direct && server_is_vacant(server)) ? place : SERVER_NONE;
}

static bool tries_are_none(const struct tries *tries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (tries->asked[i] != 0) {
            return false;
        }
    }
    return true;
}

size_t pick_server(const struct server_table *table, const struct server_group *group,
    const struct tries *tries, struct random *random, int64_t now)
{
    if (tries_are_none(tries, group->count)) {
        size_t explored = pick_explore(table, group, tries, random, now);
        if (explored != SERVER_NONE) {
            return explored;
        }
    }
    size_t best = SERVER_NONE;
    struct rank best_rank = {0};
    for (size_t place = 0; place < group->count; place++) {
        const struct server *server = &table->servers[group->first + place];
        bool is_out = tries->has_failed[place] || tries->silent[place] >= PICK_SILENT_MAX;
        if (is_out || (group->is_direct && server_is_vacant(server))) {
            continue;
        }
        struct rank rank = {
            .is_doubtful = tries->is_doubtful[place],
            .asked = tries->asked[place],
            .is_resting = server_is_resting(server),
            .is_failing = server_is_failing(server),
            .is_silent = server_is_silent(server, now),
            .has_streak = server->streak > 0,
            .latency_us = server->latency_us,
        };
        if (best == SERVER_NONE || rank_is_better(&rank, &best_rank)) {
            best = place;
            best_rank = rank;
        }
    }
    return best;
}
