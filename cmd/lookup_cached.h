/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * What the control command `lookup` said about the cache (daemon/control.h), as text for people.
 * Pure; any thread.
 */
struct lookup_hide;
struct reply;
struct text;
struct upstream_list;

/* Where the words go, and what they need. */
struct lookup_cached {
    struct text *text;
    const struct upstream_list *servers;
    struct lookup_hide *hide; /* Learns of the list that the daemon names. */
};

/* A name and type can be cached up to four times, with and without DO and CD. False: a line cannot
 * be read, or a message is none. */
bool lookup_cached_add(const struct lookup_cached *cached, struct reply *reply);

/* `word` is the HEX of a line `message`: its records, TTLs less `age_s`. False: it is none. */
bool lookup_cached_add_message(
    struct text *text, const struct lookup_hide *hide, char *word, uint32_t age_s);
