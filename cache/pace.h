/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Flushing and shrinking go through all that is remembered, which may take many seconds. `pace` is
 * called meanwhile, thousands of times a second, by the thread that asked for it and without a
 * lock, so that it can show that it lives. It must not call the cache. To be set before any of them
 * is called.
 */
struct cache;

typedef void cache_pace(void *world);
void cache_set_pace(struct cache *cache, cache_pace *pace, void *world);
