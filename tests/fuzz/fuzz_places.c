/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of a host that the doctor reads, one of them of anybody's making: the first byte chooses
 * which, the rest is its bytes. Whatever it says, what is read from it is within its bounds, and
 * reading it again says the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "doctor/component.h"
#include "doctor/firewall.h"
#include "doctor/host.h"
#include "doctor/list_use.h"
#include "doctor/net_sockets.h"
#include "doctor/postfix_config.h"
#include "doctor/processes.h"
#include "doctor/resolver_files.h"
#include "tests/fuzz/host_root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const places[] = {
    "/proc/net/tcp",
    "/proc/net/udp6",
    "/proc/stat",
    "/proc/1/stat",
    "/proc/1/comm",
    "/etc/ufw/ufw.conf",
    "/etc/ufw/user.rules",
    "/etc/nftables.conf",
    "/etc/iptables/rules.v4",
    "/etc/firewalld/firewalld.conf",
    "/etc/firewalld/zones/public.xml",
    "/etc/spamassassin/local.cf",
    "/etc/rspamd/local.d/rbl.conf",
    "/etc/resolv.conf",
    "/run/systemd/resolve/resolv.conf",
    "/var/lib/dhcp/dhclient.leases",
    "/run/systemd/netif/leases/2",
    "/run/NetworkManager/resolv.conf",
};
#define PLACES (sizeof places / sizeof places[0])

/* What makes the readers look: a firewall is switched on, a program is there. */
static void places_make(void)
{
    static const char *const folders[] = {"/etc/rspamd/local.d/", "/etc/spamassassin/",
        "/usr/share/spamassassin/", "/etc/systemd/system/multi-user.target.wants/", "/proc/1/fd/"};
    char path[HOST_ROOT_PATH_SIZE];
    host_root_make();
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        host_root_path(folders[i], path);
    }
    static const char *const units[] = {"nftables", "firewalld", "ufw", "netfilter-persistent"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        (void)snprintf(path, sizeof path,
            "%s/etc/systemd/system/multi-user.target.wants/%s.service", host_root, units[i]);
        must(symlink("/dev/null", path) == 0);
    }
}

static void check_sockets(const struct host *host)
{
    struct net_sockets sockets;
    struct net_owner owner;
    net_sockets_read(&sockets, host);
    must(sockets.count <= NET_SOCKETS_MAX);
    for (size_t i = 0; i < sockets.count && i < 8; i++) {
        must(sockets.items[i].local.family != ADDRESS_NONE);
        (void)net_socket_owner(host, &sockets.items[i], &owner);
    }
    (void)net_sockets_reach_out(&sockets, NET_UDP, 53);
    net_sockets_fini(&sockets);
}

static void check_processes(const struct host *host)
{
    struct processes processes;
    processes_read(&processes, host);
    must(processes.count <= 1);
    for (size_t i = 0; i < processes.count; i++) {
        must(memchr(processes.items[i].name, 0, PROCESS_NAME_SIZE) != NULL);
        must(processes.items[i].pid == 1);
    }
    processes_fini(&processes);
}

static void check_firewalls(const struct host *host)
{
    static firewall_look *const looks[] = {
        firewall_ufw_look, firewall_nft_look, firewall_zones_look, firewall_iptables_look};
    for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
        struct firewall_view view = {0};
        struct firewall_view again = {0};
        looks[i](host, 25, &view);
        looks[i](host, 25, &again);
        must(view.verdict == again.verdict && strcmp(view.reason, again.reason) == 0);
        must(view.verdict != FIREWALL_CLOSED || view.reason[0] != '\0');
    }
}

static void check_lists(const struct host *host)
{
    static const struct postfix postfix;
    struct list_uses uses;
    list_uses_gather(&uses, host, &postfix);
    must(uses.count <= LIST_USES_MAX);
    for (size_t i = 0; i < uses.count; i++) {
        const struct list_use *use = &uses.uses[i];
        must(name_is_valid(use->name, use->name_len) && use->place[0] == '/');
        must(!list_use_is_postfix(use) && strlen(use->shown) < sizeof use->shown);
    }
    list_uses_fini(&uses);
}

static void check_resolvers(const struct host *host)
{
    static struct resolver_files files;
    struct resolver_upstream upstreams[RESOLVER_UPSTREAMS_MAX];
    resolver_files_read(&files, host);
    must(files.count >= 1 && files.count <= RESOLVER_FILES_MAX);
    size_t count = resolver_files_upstreams(&files, upstreams);
    must(count <= RESOLVER_UPSTREAMS_MAX);
    for (size_t i = 0; i < count; i++) {
        must(!address_is_loopback(&upstreams[i].address));
        must(!address_is_any(&upstreams[i].address));
        for (size_t j = 0; j < i; j++) {
            must(!address_equal(&upstreams[i].address, &upstreams[j].address));
        }
    }
}

static void check_component(const uint8_t *bytes, size_t len)
{
    static char directory[] = "/var/spool/postfix";
    static const struct postfix_instance instance = {.queue_directory = directory};
    struct component component;
    char endpoint[512];
    len = len < sizeof endpoint - 1 ? len : sizeof endpoint - 1;
    memcpy(endpoint, bytes, len);
    endpoint[len] = '\0';
    for (unsigned is_chrooted = 0; is_chrooted < 2; is_chrooted++) {
        component_parse(&component, endpoint, &instance, is_chrooted != 0);
        must(component.address_count <= COMPONENT_ADDRESSES);
        must(component.kind != COMPONENT_UNIX || component.path[0] == '/');
        must(component.kind != COMPONENT_INET || component.address_count > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host host;
    if (size == 0) {
        return 0;
    }
    if (host_root[0] == '\0') {
        places_make();
    }
    size_t place = data[0] % (PLACES + 1);
    if (place == PLACES) {
        check_component(data + 1, size - 1);
        return 0;
    }
    host_root_put(places[place], data + 1, size - 1);
    must(host_init(&host, host_root));
    if (place < 2) {
        check_sockets(&host);
    } else if (place < 5) {
        check_processes(&host);
    } else if (place < 11) {
        check_firewalls(&host);
    } else if (place < 13) {
        check_lists(&host);
    } else {
        check_resolvers(&host);
    }
    host_fini(&host);
    host_root_put(places[place], NULL, 0);
    return 0;
}
