/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/upstreams.h"

#include <stdint.h>
#include <string.h>

#include "base/address.h"
#include "conf/resolv_conf.h"
#include "conf/settings.h"

/* Among the addresses of listen, word for word. */
static bool upstreams_is_listed(const struct settings *settings, const struct address *address)
{
    for (size_t i = 0; i < settings->listen_count; i++) {
        if (address_equal(&settings->listen[i], address)) {
            return true;
        }
    }
    return false;
}

bool upstreams_is_own(const struct settings *settings, const struct address *address)
{
    for (size_t i = 0; i < settings->listen_count; i++) {
        const struct address *own = &settings->listen[i];
        if (address_is_any(own) && own->family == address->family && own->port == address->port &&
            address_is_loopback(address)) {
            return true;
        }
    }
    return upstreams_is_listed(settings, address);
}

bool upstreams_is_stub(const struct address *address)
{
    static const uint8_t stub[4] = {127, 0, 0, 53};
    static const uint8_t stub_plain[4] = {127, 0, 0, 54};
    return address->family == ADDRESS_IPV4 && (memcmp(address->bytes, stub, sizeof stub) == 0 ||
                                                  memcmp(address->bytes, stub_plain, 4) == 0);
}

/* Adds a server that is neither ours nor there already. */
static void upstreams_add(struct settings *settings, const struct address *address)
{
    struct settings_group *group = &settings->groups[0];
    bool is_wanted = !upstreams_is_own(settings, address) && !address_is_any(address) &&
                     group->server_count < SETTINGS_SERVERS_MAX;
    for (size_t i = 0; is_wanted && i < group->server_count; i++) {
        is_wanted = !address_equal(&group->servers[i].address, address);
    }
    if (is_wanted) {
        struct settings_server *server = &group->servers[group->server_count++];
        memset(server, 0, sizeof *server);
        server->address = *address;
    }
}

/* Adds a server of the file; for the stub, the servers behind it. Where the stub's list is not to
 * be had, the stub itself serves. */
static void upstreams_add_from_file(
    struct settings *settings, const struct address *address, const char *stub_list)
{
    struct resolv_conf behind;
    if (!upstreams_is_stub(address) || upstreams_is_listed(settings, address) ||
        !resolv_conf_read(stub_list, &behind) || behind.server_count == 0) {
        upstreams_add(settings, address);
        return;
    }
    for (size_t i = 0; i < behind.server_count; i++) {
        if (!upstreams_is_stub(&behind.servers[i])) {
            upstreams_add(settings, &behind.servers[i]);
        }
    }
}

void upstreams_fill(struct settings *settings, const char *stub_list,
    const struct finding_place *place, struct findings *findings)
{
    struct resolv_conf file;
    bool is_read = resolv_conf_read(settings->upstreams_file, &file);
    settings->upstreams_from_file = true;
    settings->groups[0].server_count = 0;
    for (size_t i = 0; i < file.server_count; i++) {
        upstreams_add_from_file(settings, &file.servers[i], stub_list);
    }
    if (settings->groups[0].server_count == 0) {
        struct finding_quote quote;
        finding_add(findings, FINDING_WARNING, place,
            "no upstream server, and without one mxcache does not start: upstreams is not set, and "
            "%s %s. Write upstreams = ADDRESS... with your provider's or your own resolver",
            finding_quote(settings->upstreams_file, strlen(settings->upstreams_file), &quote),
            is_read ? "names no server but ourselves" : "cannot be read");
    }
}
