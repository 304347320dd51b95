/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "conf/settings.h"

/*
 * The upstream servers of the running daemon, as the control command `upstreams` names them. Plain
 * data, bounded; the parser is pure.
 */
struct reply;

#define UPSTREAM_LIST_MAX (SETTINGS_GROUPS_MAX * SETTINGS_SERVERS_MAX)

struct upstream {
    char group[SETTINGS_NAME_SIZE];
    struct address address;
    char tls_name[SETTINGS_TLS_SIZE]; /* Empty: plain. */
};

struct upstream_list {
    struct upstream items[UPSTREAM_LIST_MAX];
    size_t count;
};

/* False: a line cannot be read. Further servers than there is room for are left out. */
bool upstream_list_read(struct reply *reply, struct upstream_list *list_out);

/* The name of the group that a cache entry keeps as its origin (resolver/origin.h), or words that
 * say that there is none of that name. */
const char *upstream_list_group(const struct upstream_list *list, uint16_t origin);
