/* SPDX-License-Identifier: BSD-2-Clause */
#include "mail/public_resolver.h"

#include <string.h>

#include "base/address.h"
#include "base/must.h"

struct public_resolver {
    const char *name;
    const char *network;
};

static const struct public_resolver public_resolvers[] = {
#define PUBLIC_RESOLVER(name, network) {name, network},
#include "mail/public_resolvers.def"
#undef PUBLIC_RESOLVER
};

#define PUBLIC_RESOLVERS (sizeof public_resolvers / sizeof public_resolvers[0])

const char *public_resolver_name(const struct address *address)
{
    for (size_t i = 0; i < PUBLIC_RESOLVERS; i++) {
        const char *text = public_resolvers[i].network;
        struct network network;
        must(network_parse(text, strlen(text), &network));
        if (network_contains(&network, address)) {
            return public_resolvers[i].name;
        }
    }
    return NULL;
}

size_t public_resolver_count(void)
{
    return PUBLIC_RESOLVERS;
}

const char *public_resolver_network(size_t index)
{
    must(index < PUBLIC_RESOLVERS);
    return public_resolvers[index].network;
}
