/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cache/key.h"

/*
 * What is asked upstream before a flush may be answered after it, with what was to be forgotten. So
 * whoever asks takes the mark, which each flush changes, and gives it back with what comes (struct
 * cache_fill). Any thread.
 */
struct cache;

#define CACHE_MARK_NEW      0 /* Of what nobody had to ask for. */
#define CACHE_MARK_OUTDATED 1 /* Older than any flush. */
#define CACHE_MARK_START    2 /* Of a new cache. */

uint64_t cache_mark(const struct cache *cache);

/* What was asked about this name at `mark` has been flushed since. */
bool cache_is_flushed(struct cache *cache, const struct cache_key *key, uint64_t mark);
