/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/direct_learn.h"

#include <string.h>

#include "base/must.h"
#include "base/text.h"
#include "wire/message.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "cache/mark.h"
#include "resolver/direct_private.h"
#include "resolver/events.h"
#include "resolver/exchange.h"
#include "resolver/fetch.h"
#include "resolver/probe.h"
#include "resolver/resolver_private.h"

/* Of the addresses of one name, so that no name takes all the places. */
#define DIRECT_OF_NAME_MAX 2

static const uint16_t direct_learn_types[2] = {TYPE_A, TYPE_AAAA};

static struct direct_zone *direct_learn_zone(struct resolver *resolver, size_t index)
{
    return &resolver->direct.zones[index];
}

static struct server_group *direct_learn_group(struct resolver *resolver, size_t index)
{
    return &resolver->servers.groups[direct_group(resolver, index)];
}

static void direct_learn_arm(struct resolver *resolver, size_t index, int64_t at)
{
    struct deadline *deadline = &direct_learn_zone(resolver, index)->deadline;
    deadline->kind = LIFE_DIRECT;
    deadline->id = index;
    deadlines_set(&resolver->deadlines, deadline, at);
}

static void direct_learn_set_phase(
    struct resolver *resolver, struct direct_zone *zone, enum direct_phase phase)
{
    bool was_idle = zone->learning.phase == DIRECT_PHASE_IDLE;
    bool is_idle = phase == DIRECT_PHASE_IDLE;
    zone->learning.phase = phase;
    resolver->direct.learning_count += was_idle && !is_idle ? 1 : 0;
    resolver->direct.learning_count -= is_idle && !was_idle ? 1 : 0;
}

/* ---- The servers of a zone ---- */

static bool direct_learn_is_own(const struct direct *direct, const struct address *address)
{
    for (size_t i = 0; i < direct->own_count; i++) {
        if (address_equal(&direct->own[i], address)) {
            return true;
        }
    }
    return false;
}

bool direct_learn_may_ask(const struct direct *direct, const struct address *address)
{
    static const struct network unicast = {{.family = ADDRESS_IPV6, .bytes = {0x20}}, 3};
    static const struct network tunnels = {{.family = ADDRESS_IPV6, .bytes = {0x20, 0x02}}, 16};
    bool is_inner = address_is_loopback(address) || address_is_private(address);
    bool is_ipv4 = address->family == ADDRESS_IPV4;
    if (direct_learn_is_own(direct, address) || address_is_any(address)) {
        return false;
    }
    if (is_inner && direct->may_be_private) {
        return true;
    }
    bool is_host =
        is_ipv4 ? address->bytes[0] < 224
                : network_contains(&unicast, address) && !network_contains(&tunnels, address);
    return is_host && !is_inner;
}

/* The place of the server with that address, or DIRECT_NONE. ADDRESS_NONE: a vacant one. */
static size_t direct_learn_find(
    const struct resolver *resolver, size_t index, const struct address *address)
{
    const struct server_table *table = &resolver->servers;
    size_t first = table->groups[direct_group(resolver, index)].first;
    for (size_t place = 0; place < SERVER_DIRECT_SIZE; place++) {
        const struct address *there = &table->servers[first + place].settings.address;
        if (address->family == ADDRESS_NONE ? there->family == ADDRESS_NONE
                                            : address_equal(there, address)) {
            return place;
        }
    }
    return DIRECT_NONE;
}

static void direct_learn_count(struct resolver *resolver, size_t index)
{
    struct server_group *group = direct_learn_group(resolver, index);
    group->count = 0;
    for (size_t place = 0; place < SERVER_DIRECT_SIZE; place++) {
        if (!server_is_vacant(&resolver->servers.servers[group->first + place])) {
            group->count = place + 1;
        }
    }
    if (group->used < group->count) {
        group->used = group->count;
    }
}

/* Nobody who holds the server's index or place may go on with it. */
static void direct_learn_detach(struct resolver *resolver, size_t group, size_t place)
{
    size_t index = resolver->servers.groups[group].first + place;
    for (uint32_t i = 0; i < resolver->exchanges.count; i++) {
        struct exchange *exchange = pool_at(&resolver->exchanges, i);
        if (exchange != NULL && exchange->server == index) {
            exchange->server = SERVER_NONE;
            exchange->place = SERVER_NONE;
        }
    }
    for (uint32_t i = 0; i < resolver->fetches.count; i++) {
        struct fetch *fetch = pool_at(&resolver->fetches, i);
        if (fetch == NULL || fetch->group != group) {
            continue;
        }
        fetch->has_again = fetch->has_again && fetch->again.server != index;
        fetch->tries.asked[place] = 0;
        fetch->tries.silent[place] = 0;
        fetch->tries.has_broken[place] = false;
        fetch->tries.is_doubtful[place] = false;
        fetch->tries.has_failed[place] = false;
        fetch->tries.is_plain[place] = false;
    }
}

static void direct_learn_remove(struct resolver *resolver, size_t index, size_t place)
{
    size_t group = direct_group(resolver, index);
    size_t at = resolver->servers.groups[group].first + place;
    struct server *server = &resolver->servers.servers[at];
    probe_stop(resolver, at);
    direct_learn_detach(resolver, group, place);
    *server = (struct server){.generation = server->generation + 1};
    direct_learn_count(resolver, index);
}

/* False: it may not be asked, or there is no place for it. */
static bool direct_learn_add(
    struct resolver *resolver, size_t index, const struct address *address, int64_t now)
{
    static const struct address nobody;
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    if (!direct_learn_may_ask(&resolver->direct, address)) {
        counter_add(&resolver->stats.direct_addresses_refused, 1);
        return false;
    }
    size_t place = direct_learn_find(resolver, index, address);
    if (place != DIRECT_NONE) {
        zone->named_at[place] = now;
        return true;
    }
    place = direct_learn_find(resolver, index, &nobody);
    if (place == DIRECT_NONE) {
        return false;
    }
    zone->named_at[place] = now;
    size_t group = direct_group(resolver, index);
    struct server *server =
        &resolver->servers.servers[resolver->servers.groups[group].first + place];
    server->settings.address = *address;
    server->group = group;
    direct_learn_count(resolver, index);
    return true;
}

static bool direct_learn_is_found(
    const struct direct_learning *learning, const struct address *address)
{
    for (size_t i = 0; i < learning->found_count; i++) {
        if (address_equal(&learning->found[i], address)) {
            return true;
        }
    }
    return false;
}

/* Takes out the servers that are not among those found. */
static void direct_learn_remove_others(
    struct resolver *resolver, size_t index, const struct direct_learning *learning)
{
    const struct server_group *group = direct_learn_group(resolver, index);
    for (size_t place = 0; place < group->used; place++) {
        const struct server *server = &resolver->servers.servers[group->first + place];
        if (!server_is_vacant(server) &&
            !direct_learn_is_found(learning, &server->settings.address)) {
            direct_learn_remove(resolver, index, place);
        }
    }
}

void direct_learn_expire(struct resolver *resolver, size_t index, int64_t now)
{
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    const struct server_group *group = direct_learn_group(resolver, index);
    bool had_any = group->count > 0;
    for (size_t place = 0; place < group->used; place++) {
        if (!server_is_vacant(&resolver->servers.servers[group->first + place]) &&
            now - zone->named_at[place] >= DIRECT_LIFE_MAX_US) {
            direct_learn_remove(resolver, index, place);
        }
    }
    if (had_any && group->count == 0 && zone->learning.phase == DIRECT_PHASE_IDLE) {
        deadlines_clear(&resolver->deadlines, &zone->deadline); /* The next look is due now. */
    }
}

void direct_learn_forget(struct resolver *resolver, size_t index)
{
    static const struct direct_learning nothing;
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    direct_learn_set_phase(resolver, zone, DIRECT_PHASE_IDLE);
    direct_learn_remove_others(resolver, index, &nothing);
    deadlines_clear(&resolver->deadlines, &zone->deadline);
    zone->learning = nothing;
}

void direct_learn_sift(struct resolver *resolver, size_t index)
{
    const struct server_group *group = direct_learn_group(resolver, index);
    for (size_t place = 0; place < group->used; place++) {
        const struct server *server = &resolver->servers.servers[group->first + place];
        if (!server_is_vacant(server) &&
            !direct_learn_may_ask(&resolver->direct, &server->settings.address)) {
            direct_learn_remove(resolver, index, place);
        }
    }
}

/* ---- The end ---- */

/* Whoever waits for the zone's servers looks again. */
static void direct_learn_wake(struct resolver *resolver, size_t index, int64_t now)
{
    size_t group = direct_group(resolver, index);
    for (uint32_t i = 0; i < resolver->fetches.count; i++) {
        struct fetch *fetch = pool_at(&resolver->fetches, i);
        if (fetch != NULL && fetch->group == group && fetch->detour.is_awaited) {
            deadlines_set(&resolver->deadlines, &fetch->deadline, now);
        }
    }
}

static int64_t direct_learn_life(uint32_t ttl_s)
{
    int64_t life = (int64_t)ttl_s * 1000000;
    life = life < DIRECT_LIFE_MIN_US ? DIRECT_LIFE_MIN_US : life;
    return life < DIRECT_LIFE_MAX_US ? life : DIRECT_LIFE_MAX_US;
}

static int64_t direct_learn_pause(const struct direct_zone *zone)
{
    unsigned doubled =
        zone->failures < DIRECT_AGAIN_DOUBLED ? zone->failures : DIRECT_AGAIN_DOUBLED;
    return DIRECT_AGAIN_US << (doubled - 1);
}

static void direct_learn_tell(const struct resolver *resolver, size_t index)
{
    const struct delegation_name *name = &resolver->direct.zones[index].name;
    char text[REDACT_TEXT_SIZE];
    direct_zone_text(resolver, name, text);
    log_event(&event_direct_learned, "zone=%s servers=%u", text,
        (unsigned)resolver->direct.zones[index].learning.found_count);
}

static void direct_learn_end(struct resolver *resolver, size_t index, int64_t now)
{
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    struct direct_learning *learning = &zone->learning;
    direct_learn_set_phase(resolver, zone, DIRECT_PHASE_IDLE);
    zone->mark = learning->mark;
    if (learning->found_count > 0 && !learning->has_failed) {
        direct_learn_remove_others(resolver, index, learning);
    }
    for (size_t i = 0; i < learning->found_count; i++) {
        direct_learn_add(resolver, index, &learning->found[i], now);
    }
    direct_learn_expire(resolver, index, now);
    zone->failures = learning->found_count > 0 && !learning->has_failed ? 0 : zone->failures + 1;
    if (zone->failures == 0) {
        int64_t life = direct_learn_life(learning->ttl);
        zone->fresh_until = now + life;
        direct_learn_tell(resolver, index);
        direct_learn_arm(resolver, index, now + life - life / 10);
    } else if (direct_learn_group(resolver, index)->count > 0) {
        direct_learn_arm(resolver, index, now + direct_learn_pause(zone));
    } else {
        zone->rests_until = now + DIRECT_REST_US; /* The next question after that tries again. */
        deadlines_clear(&resolver->deadlines, &zone->deadline);
        direct_complain(resolver, zone, now);
    }
    direct_learn_wake(resolver, index, now);
}

/* ---- What comes back ---- */

static void direct_learn_found(struct resolver *resolver, size_t index,
    const struct address *addresses, size_t count, int64_t now)
{
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    struct direct_learning *learning = &zone->learning;
    for (size_t i = 0; i < count && learning->found_count < SERVER_DIRECT_SIZE; i++) {
        if (!direct_learn_may_ask(&resolver->direct, &addresses[i])) {
            counter_add(&resolver->stats.direct_addresses_refused, 1);
        } else if (!direct_learn_is_found(learning, &addresses[i])) {
            learning->found[learning->found_count++] = addresses[i];
            direct_learn_add(resolver, index, &addresses[i], now);
            zone->rests_until = 0;
        }
    }
}

/* The name to ask for NS after `asked` had none: the zone that its denial names, else one label
 * less; but no top-level domain. False: none is left. */
static bool direct_learn_climb(struct direct_learning *learning, const struct message *denial)
{
    struct delegation_name next;
    const struct delegation_name *asked = &learning->asked;
    bool is_told =
        denial != NULL && delegation_read_zone(denial, asked, &next) && next.len < asked->len;
    if (!is_told) {
        size_t skipped = (size_t)asked->bytes[0] + 1;
        if (asked->bytes[0] == 0) {
            return false;
        }
        delegation_name_set(&next, asked->bytes + skipped, asked->len - skipped);
    }
    learning->asked = next;
    return ++learning->steps < DIRECT_CUTS_MAX && name_label_count(next.bytes, next.len) >= 2;
}

static void direct_learn_take_ns(
    struct resolver *resolver, size_t index, const struct message *reply, int64_t now)
{
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    struct direct_learning *learning = &zone->learning;
    struct delegation delegation;
    const struct delegation_case asked = {
        .asked = &learning->asked, .secret = &resolver->direct.secret};
    if (reply != NULL && delegation_read_answer(reply, &asked, &delegation)) {
        zone->cut = learning->asked;
        zone->depth = 0;
        memcpy(learning->names, delegation.names, sizeof learning->names);
        learning->name_count = delegation.name_count;
        learning->ttl = delegation.ttl;
        direct_learn_set_phase(resolver, zone, DIRECT_PHASE_ASK_ADDRESSES);
    } else if (direct_learn_climb(learning, reply)) {
        direct_learn_set_phase(resolver, zone, DIRECT_PHASE_ASK_NS);
    } else {
        learning->has_failed = true;
        direct_learn_set_phase(resolver, zone, DIRECT_PHASE_AWAIT_ADDRESSES);
    }
    direct_learn_arm(resolver, index, now);
}

/* Number `slot` of the addresses that are looked up. */
static void direct_learn_take_addresses(struct resolver *resolver, size_t index, unsigned slot,
    const struct message *reply, int64_t now)
{
    struct direct_learning *learning = &direct_learn_zone(resolver, index)->learning;
    struct address addresses[DIRECT_OF_NAME_MAX];
    learning->pending &= ~(1u << slot);
    if (reply == NULL) {
        learning->has_failed = true;
        return;
    }
    size_t count = delegation_read_addresses(
        reply, direct_learn_types[slot % 2], &learning->ttl, addresses, DIRECT_OF_NAME_MAX);
    direct_learn_found(resolver, index, addresses, count, now);
}

static bool direct_learn_is_key(
    const struct cache_key *key, const struct delegation_name *name, uint16_t type)
{
    return key->type == type && key->class == CLASS_IN && key->name_len == name->len &&
           memcmp(key->name, name->bytes, name->len) == 0;
}

/* What the key has brought to this zone; NULL: nothing, it failed. */
static void direct_learn_take(struct resolver *resolver, size_t index, const struct cache_key *key,
    const struct message *reply, int64_t now)
{
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    struct direct_learning *learning = &zone->learning;
    if (learning->phase == DIRECT_PHASE_AWAIT_NS &&
        direct_learn_is_key(key, &learning->asked, TYPE_NS)) {
        direct_learn_take_ns(resolver, index, reply, now);
        return;
    }
    for (unsigned slot = 0; slot < 2 * learning->name_count; slot++) {
        bool is_pending = (learning->pending >> slot & 1) != 0;
        if (is_pending &&
            direct_learn_is_key(key, &learning->names[slot / 2], direct_learn_types[slot % 2])) {
            direct_learn_take_addresses(resolver, index, slot, reply, now);
            direct_learn_wake(resolver, index, now);
            direct_learn_arm(resolver, index, learning->pending == 0 ? now : learning->ends_at);
        }
    }
}

void direct_learn_on_published(struct resolver *resolver, const struct cache_key *key,
    const struct publication *publication, int64_t now)
{
    struct message reply;
    bool is_wanted = key->type == TYPE_NS || key->type == TYPE_A || key->type == TYPE_AAAA;
    if (resolver->direct.learning_count == 0 || !is_wanted) {
        return;
    }
    bool has_reply =
        publication->stored != NULL &&
        message_read(publication->stored, publication->stored_len, &reply) == MESSAGE_GOOD;
    for (size_t i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        if (resolver->direct.zones[i].learning.phase != DIRECT_PHASE_IDLE) {
            direct_learn_take(resolver, i, key, has_reply ? &reply : NULL, now);
        }
    }
}

/* ---- What is asked ---- */

/* The cache knows, or somebody asks already, or we do. */
static void direct_learn_ask(struct resolver *resolver, size_t index,
    const struct delegation_name *name, uint16_t type, int64_t now)
{
    struct cache_key key = {.name_len = name->len, .type = type, .class = CLASS_IN};
    memcpy(key.name, name->bytes, name->len);
    const struct fetch_order order = {.key = &key, .purpose = FETCH_FOR_HOUSE};
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    struct cache_found found;
    struct message reply;
    bool is_known = direct_learn_group(resolver, index)->count == 0 &&
                    cache_peek(resolver->cache, &key, now, resolver->found, sizeof resolver->found,
                        &found) == CACHE_FRESH &&
                    found.kind != CACHE_KIND_FAILURE;
    if (is_known && message_read(resolver->found, found.len, &reply) == MESSAGE_GOOD) {
        zone->learning.ttl =
            found.ttl_left_s < zone->learning.ttl ? found.ttl_left_s : zone->learning.ttl;
        direct_learn_take(resolver, index, &key, &reply, now);
        return;
    }
    if (fetch_start_unwaited(resolver, &order, now) != NULL) {
        counter_add(&resolver->stats.direct_lookups, 1);
        return;
    }
    struct fetch *fetch = pool_find(&resolver->fetches, inflight_find(&resolver->inflight, &key));
    if (fetch != NULL) {
        fetch_ask_anew(resolver, fetch, now);
    } else {
        direct_learn_take(resolver, index, &key, NULL, now);
    }
}

static void direct_learn_ask_addresses(struct resolver *resolver, size_t index, int64_t now)
{
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    struct direct_learning *learning = &zone->learning;
    unsigned slots = 2 * (unsigned)learning->name_count;
    direct_learn_set_phase(resolver, zone, DIRECT_PHASE_AWAIT_ADDRESSES);
    learning->pending = (1u << slots) - 1;
    /* IPv4 first: it stands in the first places, which are tried first as long as nothing is known.
     */
    for (unsigned i = 0; i < slots; i++) {
        unsigned slot = i < slots / 2 ? 2 * i : 2 * (i - slots / 2) + 1;
        direct_learn_ask(
            resolver, index, &learning->names[slot / 2], direct_learn_types[slot % 2], now);
    }
}

void direct_learn_start(struct resolver *resolver, size_t index, int64_t now)
{
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    if (zone->learning.phase != DIRECT_PHASE_IDLE) {
        return;
    }
    zone->learning = (struct direct_learning){.asked = zone->name,
        .ttl = UINT32_MAX,
        .mark = cache_mark(resolver->cache),
        .ends_at = now + DIRECT_LEARN_US};
    direct_learn_set_phase(resolver, zone, DIRECT_PHASE_ASK_NS);
    direct_learn_arm(resolver, index, now);
}

void direct_learn_from(
    struct resolver *resolver, size_t index, const struct delegation *delegation, int64_t now)
{
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    direct_learn_forget(resolver, index);
    zone->cut = delegation->cut;
    zone->losses = 0;
    zone->mark = delegation->mark;
    zone->learning = (struct direct_learning){
        .ttl = delegation->ttl, .mark = delegation->mark, .ends_at = now + DIRECT_LEARN_US};
    direct_learn_set_phase(resolver, zone, DIRECT_PHASE_ASK_ADDRESSES);
    direct_learn_found(resolver, index, delegation->addresses, delegation->address_count, now);
    if (zone->learning.found_count == 0) {
        memcpy(zone->learning.names, delegation->names, sizeof zone->learning.names);
        zone->learning.name_count = delegation->name_count;
    }
    direct_learn_arm(resolver, index, now);
}

/* If nobody has asked lately, the next question will see that the servers are old. Those of a part
 * are named anew by the servers of the whole. */
static void direct_learn_renew(struct resolver *resolver, size_t index, int64_t now)
{
    const struct direct_zone *zone = direct_learn_zone(resolver, index);
    if (zone->root == index && now - zone->used_at < DIRECT_IDLE_US) {
        direct_learn_start(resolver, index, now);
    }
}

void direct_learn_on_deadline(struct resolver *resolver, size_t index, int64_t now)
{
    struct direct_zone *zone = direct_learn_zone(resolver, index);
    struct direct_learning *learning = &zone->learning;
    if (learning->phase == DIRECT_PHASE_IDLE) {
        direct_learn_renew(resolver, index, now);
        return;
    }
    direct_learn_arm(resolver, index, learning->ends_at);
    if (now >= learning->ends_at) {
        learning->has_failed = true;
        direct_learn_end(resolver, index, now);
    } else if (learning->phase == DIRECT_PHASE_ASK_NS) {
        direct_learn_set_phase(resolver, zone, DIRECT_PHASE_AWAIT_NS);
        direct_learn_ask(resolver, index, &learning->asked, TYPE_NS, now);
    } else if (learning->phase == DIRECT_PHASE_ASK_ADDRESSES) {
        direct_learn_ask_addresses(resolver, index, now);
    }
    if (learning->phase == DIRECT_PHASE_AWAIT_ADDRESSES && learning->pending == 0) {
        direct_learn_end(resolver, index, now);
    }
}
