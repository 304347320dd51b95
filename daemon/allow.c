/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/allow.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "conf/settings.h"

bool allow_admits(const struct settings *settings, const struct address *client)
{
    for (size_t i = 0; i < settings->allow_count; i++) {
        if (network_contains(&settings->allow[i], client)) {
            return true;
        }
    }
    return false;
}

bool allow_is_ourselves(const struct address *client, const struct address *asked)
{
    return client->family != ADDRESS_NONE && client->family == asked->family &&
           client->scope_id == asked->scope_id &&
           memcmp(client->bytes, asked->bytes, sizeof client->bytes) == 0;
}

bool allow_admits_connection(const struct settings *settings, const struct address *client, int fd)
{
    struct sockaddr_storage end = {0};
    socklen_t len = sizeof end;
    if (allow_admits(settings, client)) {
        return true;
    }
    if (getsockname(fd, (struct sockaddr *)&end, &len) != 0) {
        return false;
    }
    struct address asked = address_from_sockaddr((const struct sockaddr *)&end);
    return allow_is_ourselves(client, &asked);
}
