/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/route.h"

#include <stdlib.h>
#include <string.h>

static struct route_zone *route_place(const struct route *route, const uint8_t *name, size_t len)
{
    uint64_t hash = hash_siphash13(&route->secret, name, len);
    for (uint32_t i = (uint32_t)hash;; i++) {
        struct route_zone *zone = &route->table[i & (route->size - 1)];
        bool is_same = zone->name_len == len && memcmp(zone->name, name, len) == 0;
        if (zone->name_len == 0 || is_same) {
            return zone;
        }
    }
}

bool route_init(struct route *route, const struct settings *settings, struct random *random)
{
    *route = (struct route){.size = 16, .secret = hash_key_new(random)};
    while (route->size < 2 * settings->zone_count) {
        route->size *= 2;
    }
    route->table = calloc(route->size, sizeof *route->table);
    if (route->table == NULL) {
        return false;
    }
    for (size_t i = 0; i < settings->zone_count; i++) {
        const struct settings_zone *zone = &settings->zones[i];
        struct route_zone *place = route_place(route, zone->name, zone->name_len);
        memcpy(place->name, zone->name, zone->name_len);
        place->name_len = zone->name_len;
        route->has_len[zone->name_len] = true;
        place->group = zone->group;
        place->mode = zone->route;
    }
    return true;
}

void route_fini(struct route *route)
{
    free(route->table);
    *route = (struct route){0};
}

const struct route_zone *route_zone_of(const struct route *route, const uint8_t *name, size_t len)
{
    for (size_t at = 0; at < len; at += (size_t)name[at] + 1) {
        if (len - at > UINT8_MAX || !route->has_len[len - at]) {
            continue;
        }
        const struct route_zone *zone = route_place(route, name + at, len - at);
        if (zone->name_len != 0) {
            return zone;
        }
    }
    return NULL;
}

size_t route_group(const struct route *route, const uint8_t *name, size_t len)
{
    const struct route_zone *zone = route_zone_of(route, name, len);
    return zone != NULL ? zone->group : 0;
}

bool route_is_configured(const struct route *route, const uint8_t *name, size_t len)
{
    const struct route_zone *zone = route_zone_of(route, name, len);
    return zone != NULL && zone->name_len > 1;
}
