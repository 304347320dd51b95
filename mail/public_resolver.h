/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

/*
 * Is this the address of a resolver that serves the public? The table is public_resolvers.def. Pure
 * knowledge, no state; any thread. Not for the hot path: the rows are read anew each time.
 */
struct address;

/* Whose resolver it is, or NULL. Ports do not matter. */
const char *public_resolver_name(const struct address *address);

/* How many rows there are, and the network of a row as it is written in the table. */
size_t public_resolver_count(void);
const char *public_resolver_network(size_t index);
