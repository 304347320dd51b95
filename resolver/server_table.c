/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/server_table.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/origin.h"

static size_t server_table_find(
    const struct server_table *table, const char *group, const struct settings_server *settings)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct server *server = &table->servers[i];
        bool is_group = strcmp(table->groups[server->group].name, group) == 0;
        if (is_group && settings_server_equal(&server->settings, settings)) {
            return i;
        }
    }
    return SERVER_NONE;
}

/* The same server in its new place. What is under way no longer knows it. */
static void server_move(struct server *server, const struct server *before, size_t group)
{
    memcpy(server, before, sizeof *server);
    server->group = group;
    server->owed = 0;
    server->probe = (struct probe){.plain_us = before->probe.plain_us};
}

static void server_table_add_group(struct server_table *fresh, const struct server_table *old,
    const struct settings_group *settings, size_t index)
{
    struct server_group *group = &fresh->groups[index];
    *group = (struct server_group){
        .first = fresh->count, .count = settings->server_count, .used = settings->server_count};
    memcpy(group->name, settings->name, sizeof group->name);
    group->origin = origin_of_group(group->name);
    group->trusts_ad = settings->trust_ad != SETTINGS_TRUST_AD_NO;
    for (size_t i = 0; i < settings->server_count; i++) {
        struct server *server = &fresh->servers[fresh->count++];
        size_t before = server_table_find(old, settings->name, &settings->servers[i]);
        if (before != SERVER_NONE) {
            server_move(server, &old->servers[before], index);
        }
        server->settings = settings->servers[i];
        server->group = index;
    }
}

/* The direct groups as they were, or empty. */
static void server_table_add_direct(struct server_table *fresh, const struct server_table *old)
{
    for (size_t i = 0; i < SERVER_DIRECT_GROUPS; i++) {
        size_t index = fresh->group_count + i;
        struct server_group *group = &fresh->groups[index];
        const struct server_group *before =
            old->groups != NULL ? &old->groups[old->group_count + i] : NULL;
        *group = before != NULL ? *before : (struct server_group){.is_direct = true};
        group->first = fresh->count + i * SERVER_DIRECT_SIZE;
        for (size_t place = 0; place < group->used; place++) {
            const struct server *server = &old->servers[before->first + place];
            server_move(&fresh->servers[group->first + place], server, index);
        }
    }
}

bool server_table_allocate(struct server_table *table, const struct settings *settings)
{
    size_t total = 0;
    for (size_t i = 0; i < settings->group_count; i++) {
        total += settings->groups[i].server_count;
    }
    *table = (struct server_table){.group_count = settings->group_count};
    table->servers = calloc(total + SERVER_DIRECT_MAX, sizeof *table->servers);
    table->groups = calloc(settings->group_count + SERVER_DIRECT_GROUPS, sizeof *table->groups);
    if (table->servers == NULL || table->groups == NULL) {
        server_table_fini(table);
        return false;
    }
    return true;
}

void server_table_fill(
    struct server_table *table, const struct settings *settings, const struct server_table *old)
{
    static const struct server_table none;
    for (size_t i = 0; i < settings->group_count; i++) {
        server_table_add_group(table, old != NULL ? old : &none, &settings->groups[i], i);
    }
    server_table_add_direct(table, old != NULL ? old : &none);
}

bool server_table_init(
    struct server_table *table, const struct settings *settings, const struct server_table *old)
{
    if (!server_table_allocate(table, settings)) {
        return false;
    }
    server_table_fill(table, settings, old);
    return true;
}

void server_table_fini(struct server_table *table)
{
    free(table->servers);
    free(table->groups);
    *table = (struct server_table){0};
}
