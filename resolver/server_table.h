/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "resolver/server.h"

/*
 * The table of all servers of a worker, as it is made from settings at start and at each reload.
 * Owned by the resolver; its thread.
 */

/* Builds the table for `settings`, with the health of those servers that stood in `old` (NULL:
 * none) under the same address, TLS name and group name. False when memory is short. */
bool server_table_init(
    struct server_table *table, const struct settings *settings, const struct server_table *old);
void server_table_fini(struct server_table *table);

/* The same in two steps, of which only the first one can fail. */
bool server_table_allocate(struct server_table *table, const struct settings *settings);
void server_table_fill(
    struct server_table *table, const struct settings *settings, const struct server_table *old);
