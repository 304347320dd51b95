/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/refresh.h"

#include <string.h>

#include "base/clock.h"
#include "cache/cache.h"
#include "resolver/fetch.h"
#include "resolver/query.h"
#include "resolver/resolver_private.h"

#define REFRESH_GAINS_MIN 4  /* So many early refreshes tell what they are good for. */
#define REFRESH_GAINS_MAX 32 /* Then both counts are halved. */
#define REFRESH_EXPLORE   16 /* One plan in so many is an early one all the same. */

/* TTLs are whole seconds, here and there: two that differ by so little may be of one moment. */
#define REFRESH_SLACK_US (2 * CLOCK_US_PER_S)

void refresh_set_settings(struct resolver *resolver, const struct settings *settings)
{
    struct refresh *refresh = &resolver->refresh;
    refresh->rate = (int64_t)settings->refresh_rate;
    memset(refresh->gains, 0, sizeof refresh->gains);
}

/* ---- The table ---- */

static uint64_t refresh_hash(const struct resolver *resolver, const struct cache_key *key)
{
    return cache_key_hash(key, &resolver->inflight.secret);
}

static struct refresh_place *refresh_set_of(struct refresh *refresh, uint64_t hash)
{
    return &refresh->places[hash % REFRESH_SETS * REFRESH_WAYS];
}

static struct refresh_place *refresh_find(struct resolver *resolver, const struct cache_key *key)
{
    uint64_t hash = refresh_hash(resolver, key);
    struct refresh_place *set = refresh_set_of(&resolver->refresh, hash);
    for (unsigned i = 0; i < REFRESH_WAYS; i++) {
        bool is_it = set[i].key.name_len > 0 && set[i].hash == hash;
        if (is_it && cache_key_equal(&set[i].key, key)) {
            return &set[i];
        }
    }
    return NULL;
}

static void refresh_drop(struct resolver *resolver, struct refresh_place *place)
{
    deadlines_clear(&resolver->deadlines, &place->deadline);
    *place = (struct refresh_place){.credits = 0};
}

/* A free place, or that of a name without credit; NULL: there is none. */
static struct refresh_place *refresh_take(struct resolver *resolver, const struct cache_key *key)
{
    uint64_t hash = refresh_hash(resolver, key);
    struct refresh_place *set = refresh_set_of(&resolver->refresh, hash);
    struct refresh_place *least = &set[0];
    for (unsigned i = 1; i < REFRESH_WAYS; i++) {
        least = set[i].credits < least->credits ? &set[i] : least;
    }
    if (least->key.name_len > 0 && least->credits > 0) {
        return NULL;
    }
    refresh_drop(resolver, least);
    least->key = *key;
    least->hash = hash;
    least->credits = 1;
    least->deadline.kind = LIFE_REFRESH;
    least->deadline.id = (uint64_t)(least - resolver->refresh.places);
    return least;
}

/* ---- When ---- */

/* Behind this group an early refresh gains nothing. */
static bool refresh_gains_nothing(const struct refresh_gain *gain)
{
    return gain->asked >= REFRESH_GAINS_MIN && 4u * gain->nothing >= 3u * gain->asked;
}

static bool refresh_is_late(struct refresh *refresh, uint8_t gain)
{
    return refresh_gains_nothing(&refresh->gains[gain]) && ++refresh->plans % REFRESH_EXPLORE != 0;
}

static uint8_t refresh_gain_of(const struct resolver *resolver, size_t group)
{
    return (uint8_t)(group < resolver->servers.group_count ? group : SETTINGS_GROUPS_MAX);
}

/* The answer lives for `ttl_s` in all and ends at `ends_at`. */
static void refresh_plan(struct resolver *resolver, struct refresh_place *place, uint32_t ttl_s,
    bool is_late, int64_t now)
{
    int64_t tenth_us = (int64_t)ttl_s * CLOCK_US_PER_S / 10;
    int64_t at = is_late ? place->ends_at : place->ends_at - tenth_us;
    deadlines_set(&resolver->deadlines, &place->deadline, at > now ? at : now);
}

static void refresh_pay_in(struct refresh_place *place, uint32_t hits)
{
    uint32_t credits = place->credits + (hits < REFRESH_CREDITS_MAX ? hits : REFRESH_CREDITS_MAX);
    place->credits = (uint8_t)(credits < REFRESH_CREDITS_MAX ? credits : REFRESH_CREDITS_MAX);
}

/* ---- Asking ---- */

static bool refresh_may_spend(struct resolver *resolver, int64_t now)
{
    struct refresh *refresh = &resolver->refresh;
    int64_t passed_us = now - refresh->saved_at;
    int64_t most = refresh->rate * CLOCK_US_PER_S;
    refresh->saved_at = now;
    refresh->saved += passed_us < CLOCK_US_PER_S ? passed_us * refresh->rate : most;
    refresh->saved = refresh->saved < most ? refresh->saved : most;
    if (refresh->saved < CLOCK_US_PER_S) {
        counter_add(&resolver->stats.refreshes_unaffordable, 1);
        return false;
    }
    return true;
}

/* True: a fetch for the key is under way now. */
static bool refresh_ask(
    struct resolver *resolver, const struct cache_key *key, bool is_list, int64_t now)
{
    const struct fetch_order order = {
        .key = key,
        .is_list = is_list,
        .purpose = FETCH_FOR_REFRESH,
    };
    if (inflight_find(&resolver->inflight, key) != POOL_NONE) {
        return true;
    }
    if (!server_group_is_well(&resolver->servers, fetch_group(resolver, key), now) ||
        !refresh_may_spend(resolver, now) || fetch_start_unwaited(resolver, &order, now) == NULL) {
        return false;
    }
    resolver->refresh.saved -= CLOCK_US_PER_S;
    counter_add(&resolver->stats.fetches_refresh, 1);
    return true;
}

static void refresh_ask_for(
    struct resolver *resolver, struct refresh_place *place, bool is_early, int64_t now)
{
    if (place->tries == REFRESH_TRIES_MAX ||
        !refresh_ask(resolver, &place->key, place->is_list, now)) {
        refresh_drop(resolver, place);
        return;
    }
    place->is_asked = true;
    place->was_early = is_early;
    place->tries++;
    deadlines_set(&resolver->deadlines, &place->deadline, now + REFRESH_AGAIN_US);
}

void refresh_on_deadline(struct resolver *resolver, uint64_t index, int64_t now)
{
    struct refresh_place *place = &resolver->refresh.places[index];
    struct cache_found found;
    enum cache_verdict verdict = cache_peek(
        resolver->cache, &place->key, now, resolver->found, sizeof resolver->found, &found);
    if (verdict == CACHE_MISS || found.kind == CACHE_KIND_FAILURE ||
        (verdict == CACHE_STALE && found.is_failing)) {
        refresh_drop(resolver, place);
        return;
    }
    refresh_pay_in(place, place->tries == 0 ? found.hits : 0);
    bool is_early = verdict == CACHE_FRESH;
    if (is_early && found.ttl_left_s > found.ttl_s / 10 + 1) {
        /* Somebody else has fetched it. */
        place->ends_at = now + (int64_t)found.ttl_left_s * CLOCK_US_PER_S;
        place->tries = 0;
        refresh_plan(
            resolver, place, found.ttl_s, refresh_is_late(&resolver->refresh, place->gain), now);
        return;
    }
    if (place->credits == 0) {
        refresh_drop(resolver, place);
        return;
    }
    refresh_ask_for(resolver, place, is_early, now);
}

/* ---- What comes of it ---- */

static void refresh_learn(struct resolver *resolver, const struct fetch *fetch, bool has_gained)
{
    struct refresh_gain *gain = &resolver->refresh.gains[refresh_gain_of(resolver, fetch->group)];
    gain->asked++;
    gain->nothing = (uint8_t)(gain->nothing + (has_gained ? 0 : 1));
    if (!has_gained) {
        counter_add(&resolver->stats.refreshes_in_vain, 1);
    }
    if (gain->asked >= REFRESH_GAINS_MAX) {
        gain->asked /= 2;
        gain->nothing /= 2;
    }
}

void refresh_on_answer(
    struct resolver *resolver, const struct fetch *fetch, uint32_t ttl_s, int64_t now)
{
    const struct cache_key *key = &fetch->inflight.key;
    struct refresh_place *place = refresh_find(resolver, key);
    if (place == NULL) {
        return;
    }
    int64_t ends_at = now + (int64_t)ttl_s * CLOCK_US_PER_S;
    bool has_gained = ends_at > place->ends_at + REFRESH_SLACK_US;
    bool is_in_vain = place->is_asked && !has_gained;
    if (place->is_asked && place->was_early) {
        refresh_learn(resolver, fetch, has_gained);
    }
    place->is_asked = false;
    place->gain = refresh_gain_of(resolver, fetch->group);
    if (ttl_s == 0) {
        return; /* It is looked at again in a moment. */
    }
    place->ends_at = ends_at;
    if (is_in_vain) {
        refresh_plan(resolver, place, ttl_s, true, now);
        return;
    }
    place->credits = (uint8_t)(place->credits - (place->credits > 0 && place->tries > 0 ? 1 : 0));
    place->tries = 0;
    refresh_plan(resolver, place, ttl_s, refresh_is_late(&resolver->refresh, place->gain), now);
}

/* ---- Clients ---- */

void refresh_on_hit(struct query_turn *turn)
{
    struct resolver *resolver = turn->resolver;
    const struct cache_found *found = &turn->found;
    const struct query *query = turn->query;
    bool is_new = found->hits == REFRESH_HITS_MIN && found->ttl_s >= REFRESH_TTL_MIN_S;
    if ((!is_new && !found->is_refresh_due) || resolver->refresh.rate == 0) {
        return;
    }
    struct refresh_place *place = refresh_find(resolver, &query->key);
    if (place != NULL) {
        return;
    }
    uint8_t gain = refresh_gain_of(resolver, fetch_group(resolver, &query->key));
    bool is_late = refresh_is_late(&resolver->refresh, gain);
    bool is_due = found->is_refresh_due && !is_late;
    if (is_due && !refresh_ask(resolver, &query->key, query->is_list, turn->now)) {
        return;
    }
    place = refresh_take(resolver, &query->key);
    if (place != NULL) {
        place->is_list = query->is_list;
        place->gain = gain;
        place->ends_at = turn->now + (int64_t)found->ttl_left_s * CLOCK_US_PER_S;
        refresh_plan(resolver, place, found->ttl_s, is_late, turn->now);
    }
}

bool refresh_may_bridge(struct query_turn *turn)
{
    const struct cache_found *found = &turn->found;
    struct resolver *resolver = turn->resolver;
    bool is_listing = found->is_list && found->kind == CACHE_KIND_ANSWER;
    if (found->expired_us > REFRESH_BRIDGE_US || is_listing || found->is_ad) {
        return false;
    }
    struct refresh_place *place = refresh_find(resolver, &turn->query->key);
    if (place == NULL ||
        !refresh_ask(resolver, &turn->query->key, turn->query->is_list, turn->now)) {
        return false;
    }
    counter_add(&resolver->stats.answers_bridged, 1);
    return true;
}
