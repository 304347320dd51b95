/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/host_dns.h"

#include <string.h>

#include "base/clock.h"
#include "conf/settings.h"
#include "conf/upstreams.h"
#include "doctor/doctor.h"

#define PORT_DNS 53

static const struct resolv_conf *libc_conf(const struct doctor *doctor)
{
    return &doctor->facts.resolver.files[0].conf;
}

bool host_dns_is_own(const struct doctor *doctor, const struct address *address)
{
    static const char *const defaults[] = {"127.0.0.1", "::1"};
    if (doctor->options.settings != NULL) {
        return upstreams_is_own(doctor->options.settings, address);
    }
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        struct address own;
        if (address_parse(defaults[i], strlen(defaults[i]), PORT_DNS, &own) &&
            address_equal(&own, address)) {
            return true;
        }
    }
    return false;
}

static bool is_held(const struct doctor *doctor, const struct address *address)
{
    size_t at = 0;
    const struct net_socket *socket;
    while ((socket = net_sockets_next(&doctor->facts.sockets, NET_UDP, PORT_DNS, &at)) != NULL) {
        if (address_is_any(&socket->local) || address_equal(&socket->local, address)) {
            return true;
        }
    }
    return false;
}

/* A host with a resolver of its own at 127.0.0.1 does not ask mxcache, though it looks like it;
 * where `mxcache setup` wrote that address it is mxcache that is meant. */
bool host_dns_is_us(const struct doctor *doctor, const struct address *address)
{
    const struct doctor_daemon *daemon = doctor->options.daemon;
    const struct processes *processes = &doctor->facts.processes;
    bool may_run = daemon != NULL && daemon->state != DOCTOR_DAEMON_ABSENT;
    bool is_meant = doctor->facts.resolver_owner.id == RESOLVER_OWNER_MXCACHE;
    bool is_elsewhere = !may_run && !is_meant && processes->count > 0 &&
                        processes_find(processes, "mxcache") == NULL;
    return host_dns_is_own(doctor, address) && !(is_elsewhere && is_held(doctor, address));
}

static size_t own_count(const struct doctor *doctor)
{
    const struct resolv_conf *conf = libc_conf(doctor);
    size_t count = 0;
    for (size_t i = 0; i < conf->server_count; i++) {
        count += host_dns_is_us(doctor, &conf->servers[i]);
    }
    return count;
}

bool host_dns_names_us(const struct doctor *doctor)
{
    return own_count(doctor) > 0;
}

bool host_dns_names_us_alone(const struct doctor *doctor)
{
    size_t count = own_count(doctor);
    return count > 0 && count == libc_conf(doctor)->server_count;
}

bool host_dns_is_in_file(const struct doctor *doctor, const struct address *address)
{
    const struct resolv_conf *conf = libc_conf(doctor);
    for (size_t i = 0; i < conf->server_count && i < RESOLV_CONF_LIBC_MAX; i++) {
        if (address_equal(&conf->servers[i], address)) {
            return true;
        }
    }
    return false;
}

bool host_dns_is_held(const struct doctor *doctor, const char *address)
{
    struct address wanted;
    return address_parse(address, strlen(address), PORT_DNS, &wanted) && is_held(doctor, &wanted);
}

unsigned host_dns_deadline_s(const struct doctor *doctor)
{
    const struct settings *settings = doctor->options.settings;
    if (settings == NULL || !host_dns_names_us_alone(doctor)) {
        return 0;
    }
    return (unsigned)((settings->answer_deadline_us + CLOCK_US_PER_S - 1) / CLOCK_US_PER_S);
}

unsigned host_dns_stall_s(const struct doctor *doctor)
{
    unsigned libc_s = resolv_conf_stall_s(libc_conf(doctor));
    unsigned deadline_s = host_dns_deadline_s(doctor);
    return deadline_s > 0 && deadline_s < libc_s ? deadline_s : libc_s;
}

bool host_has(const struct doctor *doctor, const char *path)
{
    struct stat stat;
    return host_stat(&doctor->host, path, true, &stat) == HOST_READ;
}
