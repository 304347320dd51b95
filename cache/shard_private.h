/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "base/must.h"

#include "cache/shard.h"

/* What shard.c (one question at a time) and shard_upkeep.c (the whole shelf, some at a time) have
 * in common. */

static inline void shard_lock(struct shard *shard)
{
    must(pthread_mutex_lock(&shard->lock) == 0);
}

static inline void shard_unlock(struct shard *shard)
{
    must(pthread_mutex_unlock(&shard->lock) == 0);
}
