/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/ahead.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "wire/types.h"
#include "mail/habit.h"
#include "mail/list_zone.h"
#include "mail/sequel.h"
#include "cache/cache.h"
#include "conf/settings.h"
#include "resolver/cut.h"
#include "resolver/fetch.h"
#include "resolver/local.h"
#include "resolver/query.h"
#include "resolver/resolver_private.h"

_Static_assert(SEQUEL_STEPS <= CACHE_AHEAD_MAX + 1, "A step is what an entry is marked with.");

bool ahead_init(struct resolver *resolver, const struct settings *settings)
{
    struct ahead *ahead = &resolver->ahead;
    struct hash_key secret = hash_key_new(resolver->random);
    ahead->habit = calloc(1, sizeof *ahead->habit);
    if (ahead->habit == NULL) {
        return false;
    }
    habit_init(ahead->habit, &secret, 0);
    ahead_set_settings(resolver, settings);
    return true;
}

void ahead_fini(struct resolver *resolver)
{
    free(resolver->ahead.habit);
    resolver->ahead.habit = NULL;
}

void ahead_set_settings(struct resolver *resolver, const struct settings *settings)
{
    struct ahead *ahead = &resolver->ahead;
    ahead->is_on = settings->ahead;
    ahead->rate = (int64_t)settings->ahead_rate;
    ahead->habit->worth = (unsigned)settings->ahead_worth;
}

/* ---- May it be asked? ---- */

static void ahead_earn(struct ahead *ahead, int64_t now)
{
    int64_t passed_us = now - ahead->saved_at;
    int64_t most = ahead->rate * CLOCK_US_PER_S;
    ahead->saved_at = now;
    ahead->saved += passed_us < CLOCK_US_PER_S ? passed_us * ahead->rate : most;
    ahead->saved = ahead->saved < most ? ahead->saved : most;
}

/* Is there room, and would nobody's question be worse off? */
static bool ahead_may_ask(const struct resolver *resolver, const struct cache_key *key, int64_t now)
{
    const struct ahead *ahead = &resolver->ahead;
    return ahead->saved >= CLOCK_US_PER_S && ahead->running < resolver->fetches.count / 4 &&
           resolver->queries.in_use < resolver->queries.count / 4 &&
           server_group_is_well(&resolver->servers, fetch_group(resolver, key), now);
}

static bool ahead_is_list(
    const struct resolver *resolver, const struct cache_key *key, struct list_question *list_out)
{
    *list_out = (struct list_question){0};
    bool is_list = list_question_of(key->name, key->name_len, key->type, list_out);
    return lists_recognise(&resolver->lists, key, list_out) || is_list;
}

/* A list that refuses is not to be bothered, and one that counts questions no more than need be. */
static bool ahead_list_is_well(
    const struct resolver *resolver, const struct cache_key *key, int64_t now)
{
    const struct lists *lists = &resolver->lists;
    unsigned place = lists_find(lists, key);
    return place >= LISTS_MAX ||
           (lists->places[place].cause == LIST_CAUSE_NONE && lists_has_quota(lists, place, now));
}

static bool ahead_is_local(
    struct resolver *resolver, const struct cache_key *key, const struct list_question *list)
{
    const struct local_case local = {
        .key = key,
        .list = list,
        .is_configured = route_is_configured(&resolver->route, key->name, key->name_len),
        .private_lists_local = resolver->limits.private_lists_local,
        .version = resolver->version,
    };
    size_t len;
    return local_answer(&local, resolver->found, sizeof resolver->found, &len) != LOCAL_NOT_OURS;
}

static bool ahead_is_fresh(struct resolver *resolver, const struct cache_key *key, int64_t now)
{
    struct cache_found found;
    return cache_peek(resolver->cache, key, now, resolver->found, sizeof resolver->found, &found) ==
           CACHE_FRESH;
}

/* The cache would answer it, from what is known of the name or of one above. */
static bool ahead_is_known(
    struct resolver *resolver, const struct cache_key *key, bool is_list, int64_t now)
{
    struct cache_key above;
    if (ahead_is_fresh(resolver, key, now)) {
        return true;
    }
    if (!cut_is_for(key, is_list)) {
        return false;
    }
    for (unsigned up = 1; cut_key(key, up, &above); up++) {
        if (ahead_is_fresh(resolver, &above, now)) {
            return true;
        }
    }
    return false;
}

/* ---- Asking ---- */

struct ahead_turn {
    struct resolver *resolver;
    int64_t now;
    uint8_t depth; /* Of what is asked now. */
};

/* False: it is not asked, for it is there already or the time is bad. */
static bool ahead_ask(
    const struct ahead_turn *turn, const struct sequel_next *next, bool wants_dnssec)
{
    struct resolver *resolver = turn->resolver;
    struct cache_key key = {.name_len = next->name_len,
        .type = next->type,
        .class = CLASS_IN,
        .wants_dnssec = wants_dnssec};
    memcpy(key.name, next->name, next->name_len);
    struct list_question list;
    bool is_list = ahead_is_list(resolver, &key, &list);
    if (!ahead_may_ask(resolver, &key, turn->now) ||
        (is_list && !ahead_list_is_well(resolver, &key, turn->now)) ||
        ahead_is_local(resolver, &key, is_list ? &list : NULL) ||
        ahead_is_known(resolver, &key, is_list, turn->now)) {
        return false;
    }
    const struct fetch_order order = {
        .key = &key,
        .is_list = is_list,
        .purpose = FETCH_FOR_AHEAD,
        .ahead = (uint8_t)next->step,
        .depth = turn->depth,
    };
    if (fetch_start_unwaited(resolver, &order, turn->now) == NULL) {
        return false;
    }
    resolver->ahead.running++;
    resolver->ahead.saved -= CLOCK_US_PER_S;
    counter_add(&resolver->stats.fetches_ahead, 1);
    resolver_stats_count_ahead(&resolver->stats, next->step, false);
    return true;
}

/* What the host usually asks about a subject that begins as this one did. */
static void ahead_expand(const struct ahead_turn *turn, const struct sequel_subject *subject,
    struct habit_record *record)
{
    struct habit *habit = turn->resolver->ahead.habit;
    uint64_t wanted = habit_wanted(habit, record);
    for (uint8_t target = 0; wanted >> target != 0; target++) {
        if ((wanted >> target & 1u) == 0) {
            continue;
        }
        struct sequel_next next;
        bool wants_dnssec = habit_wants_dnssec(habit, record, target);
        for (unsigned way = 0; habit_compose(habit, subject, target, way, &next); way++) {
            if (ahead_ask(turn, &next, wants_dnssec)) {
                habit_on_asked(record, target);
            }
        }
    }
}

/* What an answer foretells is watched for, and asked if that is the host's habit. */
static void ahead_follow(const struct ahead_turn *turn, const struct sequel_subject *subject,
    const struct sequel_answer *answer)
{
    struct habit *habit = turn->resolver->ahead.habit;
    struct sequel_next next[SEQUEL_NEXT_MAX];
    size_t count = sequel_follow(subject, answer, next);
    for (size_t i = 0; i < count; i++) {
        bool is_wanted;
        struct habit_record *record = habit_foretell(habit, &next[i], turn->now, &is_wanted);
        if (is_wanted && ahead_ask(turn, &next[i], habit_wants_dnssec(habit, record, 0))) {
            habit_on_asked(record, 0);
        }
    }
}

/* ---- Events ---- */

static bool ahead_subject_of(const struct resolver *resolver, const struct cache_key *key,
    bool is_list, struct sequel_subject *subject_out)
{
    struct list_question list;
    is_list = is_list && ahead_is_list(resolver, key, &list);
    return sequel_subject_of(
        key->name, key->name_len, key->type, is_list ? &list : NULL, subject_out);
}

/* Eight bytes at a time; not keyed: whoever makes questions collide keeps us from learning, no
 * more.
 */
static uint32_t ahead_hash(const struct cache_key *key)
{
    uint64_t hash = key->type;
    for (size_t at = 0; at < key->name_len; at += sizeof hash) {
        uint64_t part = 0;
        size_t left = key->name_len - at;
        memcpy(&part, key->name + at, left < sizeof part ? left : sizeof part);
        hash = (hash ^ part) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return (uint32_t)hash;
}

/* A hit of a question that was looked at a moment ago. */
static bool ahead_was_seen(const struct query_turn *turn)
{
    const struct cache_key *key = &turn->query->key;
    uint32_t hash = ahead_hash(key);
    uint32_t at = (uint32_t)(turn->now / AHEAD_RECENT_US);
    struct ahead_recent *recent = &turn->resolver->ahead.recent[hash % AHEAD_RECENT];
    bool is_known = recent->hash == hash && recent->at == at;
    *recent = (struct ahead_recent){.hash = hash, .at = at};
    return is_known && turn->query->outcome == OUTCOME_HIT && turn->foreseen == 0;
}

void ahead_on_question(struct query_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    const struct cache_key *key = &turn->query->key;
    struct ahead *ahead = &resolver->ahead;
    bool is_ours = turn->query->outcome != OUTCOME_LOCAL && key->class == CLASS_IN;
    if (!ahead->is_on || !is_ours || key->checking_disabled || ahead_was_seen(turn)) {
        return;
    }
    ahead_earn(ahead, turn->now);
    struct sequel_subject subject;
    bool has_subject = ahead_subject_of(resolver, key, turn->query->is_list, &subject);
    const struct habit_question question = {
        .subject = has_subject ? &subject : NULL,
        .name = key->name,
        .name_len = key->name_len,
        .type = key->type,
        .wants_dnssec = key->wants_dnssec,
    };
    struct habit_visit visit = habit_on_question(ahead->habit, &question, turn->now);
    if (turn->foreseen != 0) {
        counter_add(&resolver->stats.fetches_ahead_used, 1);
        resolver_stats_count_ahead(&resolver->stats, (enum sequel_step)turn->foreseen, true);
        habit_on_used(&visit);
    }
    if (visit.subject == NULL) {
        return;
    }
    const struct ahead_turn asking = {.resolver = resolver, .now = turn->now, .depth = 1};
    if (turn->query->outcome == OUTCOME_HIT && habit_may_follow(visit.subject, subject.aspect)) {
        const struct sequel_answer answer = {turn->answer, turn->answer_len};
        ahead_follow(&asking, &subject, &answer);
    }
    if (visit.is_first) {
        ahead_expand(&asking, &subject, visit.subject);
    }
}

void ahead_on_answer(struct resolver *resolver, const struct fetch *fetch, const uint8_t *stored,
    size_t len, int64_t now)
{
    const struct cache_key *key = &fetch->inflight.key;
    struct sequel_subject subject;
    bool is_ours = fetch->purpose == FETCH_FOR_CLIENT || fetch->purpose == FETCH_FOR_AHEAD;
    if (!resolver->ahead.is_on || !is_ours || fetch->depth >= AHEAD_DEPTH_MAX ||
        key->class != CLASS_IN || key->checking_disabled ||
        !ahead_subject_of(resolver, key, fetch->is_list, &subject) ||
        !sequel_may_follow(subject.aspect)) {
        return;
    }
    struct habit_record *record = habit_find(resolver->ahead.habit, &subject, now);
    if (record != NULL && !habit_may_follow(record, subject.aspect)) {
        return;
    }
    ahead_earn(&resolver->ahead, now);
    const struct ahead_turn asking = {
        .resolver = resolver, .now = now, .depth = (uint8_t)(fetch->depth + 1)};
    const struct sequel_answer answer = {stored, len};
    ahead_follow(&asking, &subject, &answer);
}

void ahead_on_end(struct resolver *resolver)
{
    must(resolver->ahead.running > 0);
    resolver->ahead.running--;
}
