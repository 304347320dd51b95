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

static size_t own_count(const struct doctor *doctor)
{
    const struct resolv_conf *conf = libc_conf(doctor);
    size_t count = 0;
    for (size_t i = 0; i < conf->server_count; i++) {
        count += host_dns_is_own(doctor, &conf->servers[i]);
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
    size_t at = 0;
    const struct net_socket *socket;
    if (!address_parse(address, strlen(address), PORT_DNS, &wanted)) {
        return false;
    }
    while ((socket = net_sockets_next(&doctor->facts.sockets, NET_UDP, PORT_DNS, &at)) != NULL) {
        if (address_is_any(&socket->local) || address_equal(&socket->local, &wanted)) {
            return true;
        }
    }
    return false;
}

static bool value_uses_lists(const char *value)
{
    static const char *const words[] = {
        "reject_rbl_client",
        "reject_rhsbl_",
        "permit_dnswl_client",
        "permit_rhswl_client",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(value, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool instance_uses_lists(const struct postfix_instance *instance)
{
    for (size_t i = 0; i < instance->parameter_count; i++) {
        const struct postfix_parameter *parameter = &instance->parameters[i];
        bool is_sites = strcmp(parameter->name, "postscreen_dnsbl_sites") == 0;
        if ((is_sites && parameter->value[0] != '\0') || value_uses_lists(parameter->value)) {
            return true;
        }
    }
    for (size_t i = 0; i < instance->service_count; i++) {
        const struct postfix_service *service = &instance->services[i];
        for (size_t option = 0; option < service->option_count; option++) {
            if (value_uses_lists(service->options[option].value)) {
                return true;
            }
        }
    }
    return false;
}

bool host_dns_uses_lists(const struct doctor *doctor)
{
    const struct postfix *postfix = &doctor->facts.postfix;
    for (size_t i = 0; i < postfix->instance_count; i++) {
        if (instance_uses_lists(&postfix->instances[i])) {
            return true;
        }
    }
    return host_has(doctor, "/etc/rspamd/rspamd.conf") ||
           processes_find(&doctor->facts.processes, "rspamd") != NULL ||
           processes_find(&doctor->facts.processes, "spamd") != NULL;
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
