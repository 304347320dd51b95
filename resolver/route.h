/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "conf/settings.h"

/*
 * Which upstream group a name is asked at: the [zone] with the longest matching suffix, else group
 * 0. A hash table of the zones, asked for each ending of the name that is as long as one of them.
 * One worker's.
 */
struct random;

struct route_zone {
    uint8_t name[255]; /* Lower case. */
    uint8_t name_len;  /* 0: an empty place in the table. */
    size_t group;
    enum settings_route mode;
};

struct route {
    struct route_zone *table;
    uint32_t size;     /* A power of two, at least twice the zones. */
    bool has_len[256]; /* There is a zone with a name of so many bytes. */
    struct hash_key secret;
};

/* False when memory is short. */
bool route_init(struct route *route, const struct settings *settings, struct random *random);
void route_fini(struct route *route);

/* The index of the group in settings->groups. `name` is lower case. */
size_t route_group(const struct route *route, const uint8_t *name, size_t len);

/* The [zone] that covers the name, or NULL. */
const struct route_zone *route_zone_of(const struct route *route, const uint8_t *name, size_t len);

/* A [zone] section covers the name: whatever is special about it, the operator has spoken. The root
 * covers everything and says nothing special about anything. */
bool route_is_configured(const struct route *route, const uint8_t *name, size_t len);
