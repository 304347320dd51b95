/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/inflight.h"

#include <stdlib.h>

#include "base/pool.h"

bool inflight_init(struct inflight *inflight, uint32_t entries_max, struct random *random)
{
    uint32_t count = 16;
    while (count < entries_max && count < (UINT32_C(1) << 20)) {
        count *= 2;
    }
    *inflight = (struct inflight){.secret = hash_key_new(random)};
    inflight->chains = calloc(count, sizeof *inflight->chains);
    if (inflight->chains == NULL) {
        return false;
    }
    inflight->chain_count = count;
    for (uint32_t i = 0; i < count; i++) {
        list_init(&inflight->chains[i]);
    }
    return true;
}

void inflight_fini(struct inflight *inflight)
{
    free(inflight->chains);
    *inflight = (struct inflight){0};
}

static struct list *inflight_chain(const struct inflight *inflight, uint64_t hash)
{
    return &inflight->chains[hash & (inflight->chain_count - 1)];
}

uint64_t inflight_find(const struct inflight *inflight, const struct cache_key *key)
{
    uint64_t hash = cache_key_hash(key, &inflight->secret);
    const struct list *chain = inflight_chain(inflight, hash);
    for (struct list *at = chain->next; at != chain; at = at->next) {
        const struct inflight_link *link = list_entry(at, struct inflight_link, link);
        if (link->hash == hash && cache_key_equal(&link->key, key)) {
            return link->id;
        }
    }
    return POOL_NONE;
}

void inflight_add(struct inflight *inflight, struct inflight_link *link)
{
    link->hash = cache_key_hash(&link->key, &inflight->secret);
    list_append(inflight_chain(inflight, link->hash), &link->link);
}

void inflight_remove(struct inflight_link *link)
{
    list_remove(&link->link);
}
