/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/direct.h"

#include <string.h>

#include "base/text.h"
#include "wire/message.h"
#include "wire/types.h"
#include "mail/list_zone.h"
#include "mail/public_resolver.h"
#include "cache/mark.h"
#include "resolver/direct_learn.h"
#include "resolver/direct_private.h"
#include "resolver/events.h"
#include "resolver/exchange.h"
#include "resolver/fetch.h"
#include "resolver/forward.h"
#include "resolver/origin.h"
#include "resolver/resolver_private.h"

#define DIRECT_GROUP_PREFIX "direct:"

/* What a name says about how it is to be asked. */
struct direct_wish {
    struct delegation_name zone;
    bool is_list;  /* Else the operator has named the zone. */
    bool is_known; /* By the table of lists, or by a [list] section. */
    bool is_open;  /* To everybody, without a key. */
    enum settings_route mode;
};

size_t direct_group(const struct resolver *resolver, size_t index)
{
    return resolver->servers.group_count + index;
}

size_t direct_index(const struct resolver *resolver, size_t group)
{
    bool is_direct = group >= resolver->servers.group_count;
    return is_direct ? group - resolver->servers.group_count : DIRECT_NONE;
}

static struct direct_zone *direct_zone_of(struct resolver *resolver, const struct fetch *fetch)
{
    size_t index = direct_index(resolver, fetch->group);
    return index == DIRECT_NONE ? NULL : &resolver->direct.zones[index];
}

static size_t direct_number(const struct resolver *resolver, const struct direct_zone *zone)
{
    return (size_t)(zone - resolver->direct.zones);
}

/* ---- The table of zones ---- */

static struct direct_zone *direct_find(
    struct resolver *resolver, const struct delegation_name *name)
{
    for (size_t i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        struct direct_zone *zone = &resolver->direct.zones[i];
        if (zone->name.len != 0 && delegation_name_equal(&zone->name, name)) {
            return zone;
        }
    }
    return NULL;
}

static bool direct_is_held(const struct resolver *resolver, size_t index)
{
    size_t group = direct_group(resolver, index);
    for (uint32_t i = 0; i < resolver->fetches.count; i++) {
        const struct fetch *fetch = pool_at(&resolver->fetches, i);
        if (fetch != NULL && fetch->group == group) {
            return true;
        }
    }
    return false;
}

static void direct_free(struct resolver *resolver, size_t index)
{
    struct direct *direct = &resolver->direct;
    struct server_group *group = &resolver->servers.groups[direct_group(resolver, index)];
    direct_learn_forget(resolver, index);
    direct->zones[index] = (struct direct_zone){.name = {.len = 0}};
    memset(group->name, 0, sizeof group->name);
    for (size_t i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        if (direct->zones[i].name.len != 0 && direct->zones[i].root == index) {
            direct->zones[i].fresh_until = 0; /* Nobody leads to that part any more. */
            direct->zones[i].root = i;
        }
    }
}

/* A free place, or that of the zone which has not been asked for the longest time. DIRECT_NONE: all
 * are in use. */
static size_t direct_place(struct resolver *resolver, int64_t now)
{
    size_t oldest = DIRECT_NONE;
    for (size_t i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        const struct direct_zone *zone = &resolver->direct.zones[i];
        if (zone->name.len == 0) {
            return i;
        }
        bool is_idle = now - zone->used_at >= DIRECT_IN_USE_US;
        bool is_older =
            oldest == DIRECT_NONE || zone->used_at < resolver->direct.zones[oldest].used_at;
        if (is_idle && is_older && !direct_is_held(resolver, i)) {
            oldest = i;
        }
    }
    if (oldest != DIRECT_NONE) {
        direct_free(resolver, oldest);
    }
    return oldest;
}

/* A part of a zone goes by the name of the whole: its own name may tell whom a client asked about,
 * or a customer's key. */
static void direct_name_group(struct resolver *resolver, size_t index, size_t root)
{
    const struct delegation_name *name = &resolver->direct.zones[root].name;
    struct server_group *group = &resolver->servers.groups[direct_group(resolver, index)];
    char zone[NAME_TEXT_SIZE];
    struct text text;
    size_t len = name_to_text(name->bytes, name->len, zone, sizeof zone);
    text_init(&text, group->name, sizeof group->name);
    text_add(&text, DIRECT_GROUP_PREFIX);
    text_add_bytes(&text, zone, len > 1 ? len - 1 : len);
    group->origin = origin_of_group(group->name);
}

/* A new zone; NULL: no place. `whole` is NULL, or the zone that it is a part of. */
static struct direct_zone *direct_make(struct resolver *resolver,
    const struct delegation_name *name, const struct direct_zone *whole, int64_t now)
{
    size_t index = direct_place(resolver, now);
    if (index == DIRECT_NONE) {
        return NULL;
    }
    struct direct_zone *zone = &resolver->direct.zones[index];
    *zone = (struct direct_zone){.name = *name,
        .cut = *name,
        .is_list = whole != NULL && whole->is_list,
        .root = whole != NULL ? whole->root : index,
        .mark = cache_mark(resolver->cache),
        .used_at = now,
        .logged_at = now - DIRECT_LOG_US};
    direct_name_group(resolver, index, zone->root);
    return zone;
}

/* The zone that the wish is about; NULL: no place. */
static struct direct_zone *direct_make_wished(
    struct resolver *resolver, const struct direct_wish *wish, int64_t now)
{
    struct direct_zone *zone = direct_find(resolver, &wish->zone);
    if (zone == NULL) {
        zone = direct_make(resolver, &wish->zone, NULL, now);
    }
    if (zone != NULL) {
        zone->is_list = wish->is_list;
    }
    return zone;
}

uint64_t direct_mark(const struct resolver *resolver, size_t group)
{
    size_t index = direct_index(resolver, group);
    return index == DIRECT_NONE ? cache_mark(resolver->cache) : resolver->direct.zones[index].mark;
}

/* Its servers were looked for before it was flushed. */
static bool direct_is_flushed(struct resolver *resolver, struct direct_zone *zone)
{
    uint64_t mark = cache_mark(resolver->cache);
    if (zone->mark == mark) {
        return false;
    }
    struct cache_key key = {.name_len = zone->name.len};
    memcpy(key.name, zone->name.bytes, zone->name.len);
    if (cache_is_flushed(resolver->cache, &key, zone->mark)) {
        return true;
    }
    zone->mark = mark; /* That flush was about something else. */
    return false;
}

/* The smallest known part of the zone that the name lies in. */
static struct direct_zone *direct_part(struct resolver *resolver, struct direct_zone *zone,
    const struct delegation_name *name, int64_t now)
{
    struct direct_zone *best = zone;
    for (size_t i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        struct direct_zone *part = &resolver->direct.zones[i];
        bool is_part = part->name.len != 0 && part->root == direct_number(resolver, zone);
        if (is_part && now < part->fresh_until && part->name.len > best->name.len &&
            delegation_name_is_under(name, &part->name) && !direct_is_flushed(resolver, part)) {
            best = part;
        }
    }
    return best;
}

/* ---- Which way a name goes ---- */

/* False: nothing about the name is special. */
static bool direct_wish_of(const struct resolver *resolver, const struct cache_key *key,
    bool is_list, struct direct_wish *wish_out)
{
    /* A DS record lives in the parent zone (RFC 4035 section 3.1.4.1). */
    size_t at = key->type == TYPE_DS && key->name[0] != 0 ? (size_t)key->name[0] + 1 : 0;
    const struct route_zone *zone =
        route_zone_of(&resolver->route, key->name + at, key->name_len - at);
    *wish_out = (struct direct_wish){.mode = resolver->direct.list_route};
    if (zone != NULL && (zone->name_len > 1 || zone->mode == SETTINGS_ROUTE_DIRECT)) {
        wish_out->mode = zone->mode;
        delegation_name_set(&wish_out->zone, zone->name, zone->name_len);
        if (zone->mode == SETTINGS_ROUTE_DIRECT) {
            return true;
        }
    }
    struct list_question list = {.known = NULL};
    bool has_shape = is_list && list_question_of(key->name, key->name_len, key->type, &list);
    if (!is_list || (!lists_recognise(&resolver->lists, key, &list) && !has_shape)) {
        return false;
    }
    wish_out->is_list = true;
    wish_out->is_known = list.known != NULL;
    wish_out->is_open = wish_out->is_known && list_zone_is_direct(list.known);
    delegation_name_set(&wish_out->zone, key->name + list.zone_at, key->name_len - list.zone_at);
    return true;
}

static bool direct_is_wanted(
    struct resolver *resolver, const struct direct_wish *wish, size_t group, int64_t now)
{
    const struct direct_zone *zone;
    switch (wish->mode) {
    case SETTINGS_ROUTE_UPSTREAM:
        return false;
    case SETTINGS_ROUTE_DIRECT:
        return !wish->is_list || wish->is_known;
    case SETTINGS_ROUTE_AUTO:
        if (wish->is_open && resolver->direct.is_public[group]) {
            return true;
        }
        zone = direct_find(resolver, &wish->zone);
        return zone != NULL && now < zone->refused_until;
    }
    return false;
}

/* Somebody in the group speaks, or may. */
static bool direct_has_hope(const struct resolver *resolver, size_t index)
{
    const struct server_group *group = &resolver->servers.groups[direct_group(resolver, index)];
    for (size_t place = 0; place < group->count; place++) {
        const struct server *server = &resolver->servers.servers[group->first + place];
        if (!server_is_vacant(server) && !server_is_resting(server)) {
            return true;
        }
    }
    return group->count == 0;
}

/* False: the zone's servers are of no use at the moment. */
static bool direct_enter(
    struct resolver *resolver, struct fetch *fetch, struct direct_zone *zone, int64_t now)
{
    size_t index = direct_number(resolver, zone);
    direct_learn_expire(resolver, index, now);
    bool is_known = resolver->servers.groups[direct_group(resolver, index)].count > 0;
    zone->used_at = now;
    resolver->direct.zones[zone->root].used_at = now;
    bool is_due = now >= zone->fresh_until && zone->deadline.position == 0;
    if (zone->root == index && now >= zone->rests_until &&
        (is_due || direct_is_flushed(resolver, zone))) {
        direct_learn_start(resolver, index, now);
    }
    if (now < zone->rests_until || !direct_has_hope(resolver, index)) {
        return false;
    }
    fetch_turn_to(resolver, fetch, direct_group(resolver, index), now);
    fetch->detour.is_awaited = !is_known;
    fetch->detour.ends_at = now + DIRECT_WAIT_US;
    return true;
}

void direct_route(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    struct direct_wish wish;
    struct delegation_name name;
    const struct cache_key *key = &fetch->inflight.key;
    bool is_house = fetch->purpose == FETCH_FOR_HOUSE && !fetch->is_list;
    if (is_house || fetch->detour.is_over ||
        !direct_wish_of(resolver, key, fetch->is_list, &wish) ||
        !direct_is_wanted(resolver, &wish, fetch->group, now)) {
        return;
    }
    struct direct_zone *zone = direct_make_wished(resolver, &wish, now);
    if (zone == NULL) {
        return;
    }
    delegation_name_set(&name, key->name, key->name_len);
    if (direct_enter(resolver, fetch, direct_part(resolver, zone, &name, now), now)) {
        counter_add(&resolver->stats.direct_questions, 1);
    }
}

bool direct_is_used(const struct resolver *resolver, size_t group, int64_t now)
{
    size_t index = direct_index(resolver, group);
    return index == DIRECT_NONE || now - resolver->direct.zones[index].used_at < DIRECT_IN_USE_US;
}

/* ---- When it does not work ---- */

void direct_zone_text(const struct resolver *resolver, const struct delegation_name *name,
    char text_out[REDACT_TEXT_SIZE])
{
    struct redact_case redact = lists_redact(&resolver->lists, name->bytes, name->len);
    redact.shows_subject = true;
    (void)redact_name(&redact, name->bytes, name->len, text_out, REDACT_TEXT_SIZE);
}

void direct_complain(struct resolver *resolver, struct direct_zone *zone, int64_t now)
{
    if (now - zone->logged_at < DIRECT_LOG_US) {
        return;
    }
    zone->logged_at = now;
    const struct delegation_name *name = &resolver->direct.zones[zone->root].name;
    char text[REDACT_TEXT_SIZE];
    direct_zone_text(resolver, name, text);
    log_event(&event_direct_lost, "zone=%s", text);
}

/* The zone's servers did not help with one more question. */
static void direct_lose(struct resolver *resolver, struct direct_zone *zone, int64_t now)
{
    if (++zone->losses < DIRECT_LOSSES_MAX) {
        return;
    }
    zone->losses = 0;
    zone->rests_until = now + DIRECT_REST_US;
    direct_complain(resolver, zone, now);
}

static void direct_turn_back(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    counter_add(&resolver->stats.direct_fallbacks, 1);
    fetch->detour.is_over = true;
    fetch_note(fetch, NULL, TIMELINE_TURNED_BACK, now);
    fetch_turn_to(resolver, fetch, fetch_group(resolver, &fetch->inflight.key), now);
}

static void direct_leave(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    struct direct_zone *zone = direct_zone_of(resolver, fetch);
    if (!fetch->detour.is_awaited) {
        direct_lose(resolver, zone, now);
    } else if (now >= fetch->detour.ends_at && now >= zone->rests_until) {
        zone->rests_until = now + DIRECT_PAUSE_US; /* Its first address ends this. */
    }
    direct_turn_back(resolver, fetch, now);
}

bool direct_is_lost(struct resolver *resolver, const struct fetch *fetch, int64_t now)
{
    struct exchange_plan plan;
    return direct_index(resolver, fetch->group) != DIRECT_NONE && !fetch->is_retired &&
           now < fetch->ends_at && !forward_has_losers(fetch) &&
           !forward_plan(resolver, fetch, now, &plan);
}

bool direct_must_wait(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    struct direct_zone *zone = direct_zone_of(resolver, fetch);
    if (zone == NULL) {
        return false;
    }
    bool is_known = resolver->servers.groups[fetch->group].count > 0;
    if (!is_known && now >= zone->rests_until && zone->learning.phase != DIRECT_PHASE_IDLE) {
        fetch->detour.ends_at =
            fetch->detour.is_awaited ? fetch->detour.ends_at : now + DIRECT_WAIT_US;
        fetch->detour.is_awaited = true;
    }
    if (fetch->detour.is_awaited && !is_known && now < fetch->detour.ends_at &&
        now >= zone->rests_until) {
        return true;
    }
    if (!is_known || direct_is_lost(resolver, fetch, now)) {
        direct_leave(resolver, fetch, now);
    }
    fetch->detour.is_awaited = false;
    return false;
}

void direct_on_answer(struct resolver *resolver, const struct fetch *fetch)
{
    struct direct_zone *zone = direct_zone_of(resolver, fetch);
    if (zone != NULL) {
        zone->losses = 0;
    }
}

static void direct_tell_refused(const struct direct_zone *zone, int64_t now)
{
    char text[NAME_TEXT_SIZE];
    if (now >= zone->refused_until) {
        name_to_text(zone->name.bytes, zone->name.len, text, sizeof text);
        log_event(&event_list_goes_direct, "zone=%s", text);
    }
}

bool direct_on_refusal(struct resolver *resolver, struct fetch *fetch, int64_t now)
{
    struct direct_wish wish;
    struct direct_zone *zone = direct_zone_of(resolver, fetch);
    if (zone != NULL) {
        direct_lose(resolver, zone, now);
        return false;
    }
    if (fetch->detour.is_over || fetch->is_retired ||
        !direct_wish_of(resolver, &fetch->inflight.key, fetch->is_list, &wish) ||
        wish.mode != SETTINGS_ROUTE_AUTO || !wish.is_list) {
        return false;
    }
    zone = direct_make_wished(resolver, &wish, now);
    if (zone == NULL) {
        return false;
    }
    direct_tell_refused(zone, now);
    zone->refused_until = now + DIRECT_REFUSED_US;
    direct_route(resolver, fetch, now);
    bool is_turned = direct_index(resolver, fetch->group) != DIRECT_NONE;
    if (is_turned) {
        fetch_note(fetch, NULL, TIMELINE_TURNED_DIRECT, now);
    }
    return is_turned;
}

/* ---- Referrals ---- */

static size_t direct_parts(const struct resolver *resolver, int64_t now)
{
    size_t count = 0;
    for (size_t i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        const struct direct_zone *zone = &resolver->direct.zones[i];
        bool is_part = zone->name.len != 0 && zone->root != i;
        count += is_part && now - zone->used_at < DIRECT_IN_USE_US ? 1 : 0;
    }
    return count;
}

/* Whose servers the referral names: the zone's own, or those of a part of it. NULL: too much. */
static struct direct_zone *direct_target(struct resolver *resolver, struct direct_zone *zone,
    const struct delegation *delegation, int64_t now)
{
    if (delegation_name_is_under(&zone->name, &delegation->cut)) {
        return zone;
    }
    struct direct_zone *part = direct_find(resolver, &delegation->cut);
    if (part != NULL) {
        return part->root == zone->root ? part : NULL;
    }
    bool has_room = direct_parts(resolver, now) < DIRECT_PARTS_MAX;
    return has_room ? direct_make(resolver, &delegation->cut, zone, now) : NULL;
}

bool direct_follow(
    struct resolver *resolver, struct fetch *fetch, const struct direct_reply *reply, int64_t now)
{
    struct direct_zone *zone = direct_zone_of(resolver, fetch);
    struct delegation delegation;
    struct delegation_name name;
    struct message message;
    if (zone == NULL || fetch->detour.referrals >= DIRECT_DEPTH_MAX ||
        zone->depth >= DIRECT_DEPTH_MAX ||
        message_read(reply->bytes, reply->len, &message) != MESSAGE_GOOD) {
        return false;
    }
    delegation_name_set(&name, fetch->inflight.key.name, fetch->inflight.key.name_len);
    const struct delegation_case asked = {
        .asked = &name, .zone = &zone->cut, .secret = &resolver->direct.secret};
    if (!delegation_read_referral(&message, &asked, &delegation)) {
        return false;
    }
    unsigned depth = zone->depth + 1;
    struct direct_zone *target = direct_target(resolver, zone, &delegation, now);
    if (target == NULL) {
        direct_turn_back(resolver, fetch, now);
        return true;
    }
    fetch->detour.referrals++;
    counter_add(&resolver->stats.direct_referrals, 1);
    bool is_fresh = now < target->fresh_until && !direct_is_flushed(resolver, target);
    bool is_settled =
        target->learning.phase != DIRECT_PHASE_IDLE || is_fresh || now < target->rests_until;
    if (target == zone || !is_settled) {
        target->depth = depth;
        delegation.mark = reply->mark;
        direct_learn_from(resolver, direct_number(resolver, target), &delegation, now);
    }
    if (!direct_enter(resolver, fetch, target, now)) {
        direct_turn_back(resolver, fetch, now);
    }
    return true;
}

/* ---- Settings ---- */

static void direct_take(struct resolver *resolver, const struct settings *settings)
{
    struct direct *direct = &resolver->direct;
    direct->list_route = settings->list_route;
    direct->may_be_private = settings->direct_private;
    direct->own_count = settings->listen_count;
    memcpy(direct->own, settings->listen, sizeof direct->own);
    memset(direct->is_public, 0, sizeof direct->is_public);
    for (size_t i = 0; i < settings->group_count; i++) {
        const struct settings_group *group = &settings->groups[i];
        for (size_t j = 0; j < group->server_count; j++) {
            bool is_public = public_resolver_name(&group->servers[j].address) != NULL;
            direct->is_public[i] = direct->is_public[i] || is_public;
        }
    }
}

void direct_init(struct resolver *resolver, const struct settings *settings)
{
    resolver->direct.secret = hash_key_new(resolver->random);
    direct_take(resolver, settings);
}

/* Could questions for the zone still be asked directly? */
static bool direct_is_kept(const struct resolver *resolver, const struct direct_zone *zone)
{
    const struct route_zone *configured =
        route_zone_of(&resolver->route, zone->name.bytes, zone->name.len);
    bool is_covered = configured != NULL && configured->name_len > 1;
    enum settings_route mode = is_covered ? configured->mode : resolver->direct.list_route;
    return mode == SETTINGS_ROUTE_DIRECT ? zone->is_list || is_covered
                                         : zone->is_list && mode == SETTINGS_ROUTE_AUTO;
}

void direct_set_settings(struct resolver *resolver, const struct settings *settings)
{
    direct_take(resolver, settings);
    for (size_t i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        const struct direct_zone *zone = &resolver->direct.zones[i];
        if (zone->name.len == 0) {
            continue;
        }
        if (direct_is_kept(resolver, zone)) {
            direct_learn_sift(resolver, i);
        } else {
            direct_free(resolver, i);
        }
    }
}
