/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

/*
 * What the control command `lookup` said about the cache (daemon/control.h), as text for people.
 * Pure; any thread.
 */
struct reply;
struct text;
struct upstream_list;

/* A name and type can be cached up to four times, with and without DO and CD. False: a line cannot
 * be read, or a message is none. */
bool lookup_cached_add(struct text *text, struct reply *reply, const struct upstream_list *servers);
