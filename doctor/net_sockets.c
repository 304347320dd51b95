/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/net_sockets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/text.h"

#define STATE_LISTEN 0x0au /* Of TCP, in the kernel's tables. */
#define STATE_BOUND  0x07u /* Of UDP: no peer. */
#define HEX_SIZE     33
#define PID_MAX      99999999

struct table {
    const char *path;
    enum net_protocol protocol;
};

static const struct table tables[] = {
    {"/proc/net/tcp", NET_TCP},
    {"/proc/net/tcp6", NET_TCP},
    {"/proc/net/udp", NET_UDP},
    {"/proc/net/udp6", NET_UDP},
};

/* The kernel prints an address as words in the host's byte order. */
static bool address_from_hex(const char *hex, unsigned port, struct address *address_out)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct address address = {.port = (uint16_t)port};
    size_t len = strlen(hex);
    if ((len != 8 && len != 32) || port > UINT16_MAX) {
        return false;
    }
    for (size_t i = 0; i < len / 8; i++) {
        uint32_t word;
        if (sscanf(hex + 8 * i, "%8" SCNx32, &word) != 1) {
            return false;
        }
        memcpy(address.bytes + 4 * i, &word, sizeof word);
    }
    address.family = len == 8 ? ADDRESS_IPV4 : ADDRESS_IPV6;
    if (len == 32 && memcmp(address.bytes, mapped, sizeof mapped) == 0) {
        address.family = ADDRESS_IPV4;
        memmove(address.bytes, address.bytes + 12, 4);
        memset(address.bytes + 4, 0, 12);
    }
    *address_out = address;
    return true;
}

static bool row_read(const char *line, enum net_protocol protocol, struct net_socket *socket_out)
{
    char hex[HEX_SIZE];
    unsigned port;
    unsigned state;
    unsigned uid;
    uint64_t inode;
    if (sscanf(line,
            " %*u: %32[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %u %*d %" SCNu64, hex,
            &port, &state, &uid, &inode) != 5) {
        return false;
    }
    *socket_out = (struct net_socket){.protocol = protocol, .inode = inode, .uid = uid};
    return state == (protocol == NET_TCP ? STATE_LISTEN : STATE_BOUND) &&
           address_from_hex(hex, port, &socket_out->local);
}

static void sockets_add_rows(
    struct net_sockets *sockets, struct host_file *file, enum net_protocol protocol)
{
    char *at = file->bytes;
    while (at != NULL && *at != '\0') {
        struct net_socket socket;
        char *end = strchr(at, '\n');
        if (end != NULL) {
            *end++ = '\0';
        }
        bool is_fit = row_read(at, protocol, &socket);
        at = end;
        if (is_fit && sockets->count == NET_SOCKETS_MAX) {
            sockets->is_cut = true;
            return;
        }
        if (is_fit) {
            sockets->items[sockets->count++] = socket;
        }
    }
}

void net_sockets_read(struct net_sockets *sockets, const struct host *host)
{
    *sockets = (struct net_sockets){.verdict = HOST_ABSENT};
    sockets->items = calloc(NET_SOCKETS_MAX, sizeof sockets->items[0]);
    must(sockets->items != NULL);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct host_file file;
        enum host_verdict verdict = host_read(host, tables[i].path, HOST_FILE_MAX, &file);
        if (verdict == HOST_READ) {
            sockets->is_cut |= file.is_cut;
            sockets_add_rows(sockets, &file, tables[i].protocol);
        }
        if (i == 0 || verdict == HOST_READ) {
            sockets->verdict = verdict;
        }
        host_file_fini(&file);
    }
}

void net_sockets_fini(struct net_sockets *sockets)
{
    free(sockets->items);
    *sockets = (struct net_sockets){0};
}

const struct net_socket *net_sockets_next(
    const struct net_sockets *sockets, enum net_protocol protocol, uint16_t port, size_t *at_inout)
{
    while (*at_inout < sockets->count) {
        const struct net_socket *socket = &sockets->items[(*at_inout)++];
        if (socket->protocol == protocol && socket->local.port == port) {
            return socket;
        }
    }
    return NULL;
}

bool net_sockets_reach_out(
    const struct net_sockets *sockets, enum net_protocol protocol, uint16_t port)
{
    size_t at = 0;
    const struct net_socket *socket;
    while ((socket = net_sockets_next(sockets, protocol, port, &at)) != NULL) {
        if (!address_is_loopback(&socket->local)) {
            return true;
        }
    }
    return false;
}

static bool process_has(const struct host *host, uint64_t pid, uint64_t inode)
{
    char path[64];
    char wanted[48];
    struct host_names names;
    bool has = false;
    (void)snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
    (void)snprintf(path, sizeof path, "/proc/%" PRIu64 "/fd", pid);
    if (host_list(host, path, &names) != HOST_READ) {
        return false;
    }
    for (size_t i = 0; i < names.count && !has; i++) {
        char link_path[512];
        char target[64];
        (void)snprintf(link_path, sizeof link_path, "%s/%s", path, names.names[i]);
        has = host_link(host, link_path, target, sizeof target) && strcmp(target, wanted) == 0;
    }
    host_names_fini(&names);
    return has;
}

static void process_name(const struct host *host, uint64_t pid, struct net_owner *owner_out)
{
    char path[64];
    struct host_file file;
    *owner_out = (struct net_owner){.pid = (long)pid, .name = "?"};
    (void)snprintf(path, sizeof path, "/proc/%" PRIu64 "/comm", pid);
    if (host_read(host, path, NET_OWNER_NAME_SIZE - 1, &file) == HOST_READ) {
        int len = (int)strcspn(file.bytes, "\n");
        (void)snprintf(owner_out->name, sizeof owner_out->name, "%.*s", len, file.bytes);
    }
    host_file_fini(&file);
}

bool net_socket_owner(
    const struct host *host, const struct net_socket *socket, struct net_owner *owner_out)
{
    struct host_names names;
    uint64_t found = 0;
    if (socket->inode == 0 || host_list(host, "/proc", &names) != HOST_READ) {
        return false;
    }
    for (size_t i = 0; i < names.count; i++) {
        uint64_t pid;
        const char *name = names.names[i];
        if (text_parse_u64(name, strlen(name), PID_MAX, &pid) && (found == 0 || pid < found) &&
            process_has(host, pid, socket->inode)) {
            found = pid;
        }
    }
    host_names_fini(&names);
    if (found != 0) {
        process_name(host, found, owner_out);
    }
    return found != 0;
}
