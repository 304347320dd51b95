/* SPDX-License-Identifier: BSD-2-Clause */
/* Who holds port 53, and whether questions could run in a circle. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "conf/settings.h"
#include "conf/upstreams.h"
#include "doctor/config_lines.h"
#include "doctor/doctor.h"
#include "doctor/host_dns.h"

#define PORT_DNS 53

/* By whom a socket is held, in words. */
struct holder {
    char name[NET_OWNER_NAME_SIZE + 32]; /* "dnsmasq (process 12)", "a process that ..." */
    bool is_known;
    bool is_ours;
};

/* A socket that the service manager keeps for us is ours. */
static struct holder holder_of(const struct doctor *doctor, const struct net_socket *socket)
{
    struct net_owner owner;
    struct holder holder = {.is_known = net_socket_owner(&doctor->host, socket, &owner)};
    if (!holder.is_known) {
        (void)snprintf(holder.name, sizeof holder.name, "somebody (root would see who)");
        return holder;
    }
    (void)snprintf(holder.name, sizeof holder.name, "%s (process %ld)", owner.name, owner.pid);
    bool is_manager = owner.pid == 1 && processes_find(&doctor->facts.processes, "mxcache") != NULL;
    holder.is_ours = strcmp(owner.name, "mxcache") == 0 || is_manager;
    return holder;
}

/* Addresses that mxcache listens on. */
static size_t own_addresses(const struct doctor *doctor, struct address own[SETTINGS_LISTEN_MAX])
{
    const struct settings *settings = doctor->options.settings;
    if (settings != NULL) {
        memcpy(own, settings->listen, settings->listen_count * sizeof own[0]);
        return settings->listen_count;
    }
    bool is_read = address_parse("127.0.0.1", 9, PORT_DNS, &own[0]) &&
                   address_parse("::1", 3, PORT_DNS, &own[1]);
    return is_read ? 2 : 0;
}

/* The socket that takes what is sent to the address; NULL: none. */
static const struct net_socket *socket_at(
    const struct doctor *doctor, enum net_protocol protocol, const struct address *address)
{
    const struct net_socket *socket;
    const struct net_socket *wide = NULL;
    size_t at = 0;
    while (
        (socket = net_sockets_next(&doctor->facts.sockets, protocol, address->port, &at)) != NULL) {
        if (address_equal(&socket->local, address)) {
            return socket;
        }
        /* One at [::] takes what is sent to IPv4 addresses as well, unless it was told not to (as
         * /proc does not tell); then there would be another one at 0.0.0.0. */
        bool is_same = socket->local.family == address->family;
        bool is_both = socket->local.family == ADDRESS_IPV6 && wide == NULL;
        if (address_is_any(&socket->local) && (is_same || is_both)) {
            wide = socket;
        }
    }
    return wide;
}

static void report_taken(struct doctor *doctor, const char *address, const struct holder *holder,
    const struct net_socket *socket)
{
    struct report *report = &doctor->report;
    bool is_wide = address_is_any(&socket->local);
    bool is_needed = host_dns_names_us(doctor);
    report_add(report, CHECK_port_53, is_needed ? REPORT_WARNING : REPORT_NOTE, REPORT_CERTAIN,
        "%s is held by %s%s, so mxcache cannot listen there.", address, holder->name,
        is_wide ? ", which listens on all addresses" : "");
    report_advise(report,
        is_wide ? "Let it listen on the addresses it serves only (dnsmasq: listen-address= with "
                  "bind-interfaces; named: listen-on { }; unbound: interface:), or give mxcache "
                  "another address in `listen`, such as 127.0.0.2."
                : "Stop it, move it to another port and name it in `upstreams` (127.0.0.1@5335), "
                  "or give mxcache another address in `listen`, such as 127.0.0.2.");
}

/* True: there was something to say. */
static bool report_address(struct doctor *doctor, const struct address *address)
{
    struct report *report = &doctor->report;
    char text[ADDRESS_TEXT_SIZE];
    const struct net_socket *udp = socket_at(doctor, NET_UDP, address);
    const struct net_socket *tcp = socket_at(doctor, NET_TCP, address);
    (void)address_format(address, text, sizeof text);
    if (udp == NULL && tcp == NULL) {
        if (!host_dns_is_in_file(doctor, address)) {
            return false;
        }
        report_add(report, CHECK_port_53, REPORT_ERROR, REPORT_CERTAIN,
            "Nobody listens at %s, which /etc/resolv.conf names: lookups there fail at once.",
            text);
        report_advise(
            report, "systemctl start mxcache; journalctl -u mxcache tells why it stopped.");
        report_blame(report, "nobody answers at %s, the DNS server of this host", text);
        return true;
    }
    const struct net_socket *socket = udp != NULL ? udp : tcp;
    struct holder holder = holder_of(doctor, socket);
    if (holder.is_known && !holder.is_ours) {
        report_taken(doctor, text, &holder, socket);
        return true;
    }
    if (udp == NULL || tcp == NULL) {
        report_add(report, CHECK_port_53, REPORT_WARNING, REPORT_CERTAIN,
            "At %s somebody listens by %s, and nobody by %s: large answers need both.", text,
            udp != NULL ? "UDP" : "TCP", udp != NULL ? "TCP" : "UDP");
        report_advise(
            report, "systemctl restart mxcache; journalctl -u mxcache tells what failed.");
        return true;
    }
    report_add(report, CHECK_port_53, REPORT_GOOD, holder.is_known ? REPORT_CERTAIN : REPORT_LIKELY,
        "%s is held by %s.", text, holder.name);
    return true;
}

static void report_stub(struct doctor *doctor)
{
    struct address stub;
    if (address_parse("127.0.0.53", 10, PORT_DNS, &stub)) {
        const struct net_socket *socket = socket_at(doctor, NET_UDP, &stub);
        if (socket != NULL && !address_is_any(&socket->local)) {
            report_add(&doctor->report, CHECK_port_53, REPORT_GOOD, REPORT_CERTAIN,
                "systemd-resolved's stub holds 127.0.0.53; that does not disturb mxcache.");
        }
    }
}

void check_port_53(struct doctor *doctor)
{
    const struct net_sockets *sockets = &doctor->facts.sockets;
    struct address own[SETTINGS_LISTEN_MAX];
    if (sockets->verdict != HOST_READ) {
        report_add(&doctor->report, CHECK_port_53, REPORT_SKIPPED, REPORT_CERTAIN,
            "The sockets of this host cannot be seen: /proc/net %s.",
            host_verdict_clause(sockets->verdict));
        return;
    }
    size_t count = own_addresses(doctor, own);
    bool is_said = false;
    for (size_t i = 0; i < count; i++) {
        is_said |= report_address(doctor, &own[i]);
    }
    report_stub(doctor);
    if (!is_said) {
        report_add(&doctor->report, CHECK_port_53, REPORT_GOOD, REPORT_CERTAIN,
            "Nobody holds the addresses of mxcache; it can be started.");
    }
}

static void report_loop(struct doctor *doctor, const char *server, const char *way)
{
    struct report *report = &doctor->report;
    report_add(report, CHECK_loop, REPORT_ERROR, REPORT_CERTAIN,
        "mxcache's upstream server %s leads back to mxcache%s: a question runs in a circle until "
        "it fails.",
        server, way);
    report_advise(report,
        "Name the servers that really know the net in `upstreams` of /etc/mxcache/mxcache.conf: "
        "your provider's, or a resolver of your own that does not ask mxcache.");
    report_blame(report, "DNS questions run in a circle: %s leads back to mxcache", server);
}

/* Does systemd-resolved ask us? It takes the servers of a regular /etc/resolv.conf as its own. */
static bool resolved_asks_us(const struct doctor *doctor)
{
    const struct resolver_file *file =
        resolver_files_find(&doctor->facts.resolver, RESOLVER_FILE_RESOLVED);
    for (size_t i = 0; file != NULL && i < file->conf.server_count; i++) {
        if (host_dns_is_own(doctor, &file->conf.servers[i])) {
            return true;
        }
    }
    return false;
}

/* A forwarder's setting that names a server, with our address in it? */
static bool forwarder_asks_us(const struct doctor *doctor, const struct config_place *places,
    size_t count, const char *key, struct config_found *found)
{
    struct address address;
    if (!config_value(&doctor->host, places, count, key, found)) {
        return false;
    }
    size_t len = strcspn(found->value, "#@ ;");
    uint64_t port = PORT_DNS;
    if (found->value[len] == '#' || found->value[len] == '@') {
        const char *digits = found->value + len + 1;
        (void)text_parse_u64(digits, strspn(digits, "0123456789"), UINT16_MAX, &port);
    }
    return address_parse(found->value, len, (uint16_t)port, &address) &&
           host_dns_is_own(doctor, &address);
}

/* A forwarder on this host that would ask us: where it is told so. */
static bool local_forwarder_asks_us(const struct doctor *doctor, struct config_found *found)
{
    static const struct config_place dnsmasq[] = {
        {"/etc/dnsmasq.conf", NULL, "=", NULL},
        {"/etc/dnsmasq.d", "", "=", NULL},
    };
    static const struct config_place unbound[] = {
        {"/etc/unbound/unbound.conf", NULL, ":", NULL},
        {"/etc/unbound/unbound.conf.d", ".conf", ":", NULL},
    };
    return forwarder_asks_us(doctor, dnsmasq, 2, "server", found) ||
           forwarder_asks_us(doctor, unbound, 2, "forward-addr", found);
}

static bool report_server(struct doctor *doctor, const struct address *server)
{
    struct config_found found;
    char text[ADDRESS_TEXT_SIZE];
    (void)address_format(server, text, sizeof text);
    if (host_dns_is_own(doctor, server)) {
        report_loop(doctor, text, ", being its own address");
        return true;
    }
    if (upstreams_is_stub(server)) {
        if (resolved_asks_us(doctor)) {
            report_loop(doctor, text, " by way of systemd-resolved, which asks 127.0.0.1");
            return true;
        }
        return false;
    }
    if (address_is_loopback(server) && local_forwarder_asks_us(doctor, &found)) {
        report_add(&doctor->report, CHECK_loop, REPORT_WARNING, REPORT_LIKELY,
            "mxcache asks %s on this host, and a forwarder here asks mxcache (%s:%u, \"%s\"): if "
            "it "
            "is the same one, questions run in a circle.",
            text, found.path, found.line, found.value);
        report_advise(&doctor->report,
            "Give the forwarder the servers of your provider in place of %s.", found.value);
        report_blame(&doctor->report, "DNS questions may run in a circle by way of %s", text);
        return true;
    }
    return false;
}

void check_loop(struct doctor *doctor)
{
    const struct settings *settings = doctor->options.settings;
    bool is_bad = false;
    if (settings == NULL) {
        report_add(&doctor->report, CHECK_loop, REPORT_SKIPPED, REPORT_CERTAIN,
            "mxcache's configuration cannot be read.");
        return;
    }
    for (size_t i = 0; i < settings->group_count; i++) {
        const struct settings_group *group = &settings->groups[i];
        for (size_t server = 0; server < group->server_count; server++) {
            is_bad |= report_server(doctor, &group->servers[server].address);
        }
    }
    if (!is_bad) {
        report_add(&doctor->report, CHECK_loop, REPORT_GOOD, REPORT_CERTAIN,
            "No upstream server leads back to mxcache, as far as the files of this host tell.");
    }
}
