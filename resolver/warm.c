/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/warm.h"

#include "base/clock.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "resolver/fetch.h"
#include "resolver/resolver_private.h"

static const struct cache_key warm_key = {
    .name = {0}, .name_len = 1, .type = TYPE_NS, .class = CLASS_IN, .wants_dnssec = true};

static void warm_arm(struct resolver *resolver, int64_t at)
{
    struct deadline *deadline = &resolver->warm.deadline;
    deadline->kind = LIFE_WARM;
    deadlines_set(&resolver->deadlines, deadline, at);
}

void warm_start(struct resolver *resolver, int64_t now)
{
    struct warm *warm = &resolver->warm;
    deadlines_clear(&resolver->deadlines, &warm->deadline);
    *warm = (struct warm){.is_new = true};
    if (resolver->servers.groups[0].trusts_ad) {
        warm_arm(resolver, now);
    }
}

/* Seconds until the cache's answer is to be fetched anew; 0: now. */
static uint32_t warm_rest_s(struct resolver *resolver, int64_t now)
{
    struct cache_found found;
    enum cache_verdict verdict = cache_peek(
        resolver->cache, &warm_key, now, resolver->found, sizeof resolver->found, &found);
    if (verdict != CACHE_FRESH || found.kind == CACHE_KIND_FAILURE) {
        return 0;
    }
    if (resolver->warm.is_new && !found.is_ad) {
        return 0;
    }
    uint32_t tenth_s = (found.ttl_left_s + found.age_s) / 10;
    return found.ttl_left_s > tenth_s ? found.ttl_left_s - tenth_s : 0;
}

/* A client may be waiting for the same answer: then that fetch is ours too. */
static void warm_fetch(struct resolver *resolver, int64_t now)
{
    struct warm *warm = &resolver->warm;
    warm->is_asked = true;
    warm->asked_at = now;
    const struct fetch_order order = {.key = &warm_key, .purpose = FETCH_FOR_HOUSE};
    if (fetch_start_unwaited(resolver, &order, now) != NULL) {
        warm->is_new = false;
        counter_add(&resolver->stats.fetches_refresh, 1);
    }
}

void warm_on_deadline(struct resolver *resolver, int64_t now)
{
    struct warm *warm = &resolver->warm;
    uint32_t rest_s = warm_rest_s(resolver, now);
    if (rest_s > 0) {
        warm->is_asked = false;
        warm->is_new = false;
        uint32_t look_s = rest_s < WARM_LOOK_MAX_S ? rest_s : WARM_LOOK_MAX_S;
        warm_arm(resolver, now + (int64_t)look_s * CLOCK_US_PER_S);
        return;
    }
    if (warm->is_asked && now < warm->asked_at + WARM_PAUSE_US) {
        warm_arm(resolver, warm->asked_at + WARM_PAUSE_US);
        return;
    }
    warm_fetch(resolver, now);
    warm_arm(resolver, now + WARM_SETTLE_US);
}
