/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/sockets.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/port_owner.h"
#include "daemon/trouble.h"

#define RECEIVE_BUFFER_BYTES (4 << 20)
#define ACCEPT_QUEUE         256

/* What is being opened, through all the little steps. */
struct opening {
    struct address address;
    bool is_stream;
    bool is_shared; /* Several workers: SO_REUSEPORT. */
    int error;      /* errno of the step that failed. */
};

static bool socket_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/* The answer to a wildcard's client must come from the address it asked. */
static bool socket_set_udp_options(int fd, const struct address *address)
{
    bool is_ipv6 = address->family == ADDRESS_IPV6;
    bool is_well = true;
    if (address_is_any(address)) {
        is_well = is_ipv6 ? socket_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                          : socket_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    }
    /* A forged "packet too big" must not make our answers fragment. */
    if (is_ipv6) {
        (void)socket_set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
    } else {
        (void)socket_set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
    }
    if (!socket_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)) {
        (void)socket_set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
    }
    return is_well;
}

static bool socket_set_options(int fd, const struct opening *opening)
{
    const struct address *address = &opening->address;
    if (address->family == ADDRESS_IPV6 && !socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
        return false;
    }
    if (opening->is_shared && !socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
        return false;
    }
    if (opening->is_stream) {
        return socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
               socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    return socket_set_udp_options(fd, address);
}

/* A bound, for TCP listening, non-blocking socket. */
static bool socket_open(struct opening *opening, int *fd_out)
{
    int domain = opening->address.family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
    int type = opening->is_stream ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        opening->error = errno;
        return false;
    }
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(&opening->address, &sockaddr);
    if (!socket_set_options(fd, opening) ||
        bind(fd, (const struct sockaddr *)&sockaddr, len) != 0 ||
        (opening->is_stream && listen(fd, ACCEPT_QUEUE) != 0)) {
        opening->error = errno;
        (void)close(fd);
        return false;
    }
    *fd_out = fd;
    return true;
}

/* A stranger of the same user who shares his port too would silently get half of the questions; so
 * the port is tried without sharing first. */
static bool socket_is_free(struct opening *opening)
{
    if (!opening->is_shared || opening->address.port == 0) {
        return true;
    }
    int fd;
    opening->is_shared = false;
    bool is_free = socket_open(opening, &fd);
    opening->is_shared = true;
    if (is_free) {
        (void)close(fd);
    }
    return is_free;
}

static void opening_explain(const struct opening *opening, struct trouble *trouble)
{
    char place[ADDRESS_TEXT_SIZE];
    (void)address_format(&opening->address, place, sizeof place);
    const char *protocol = opening->is_stream ? "TCP" : "UDP";
    char owner[PORT_OWNER_TEXT_SIZE];

    switch (opening->error) {
    case EADDRINUSE:
        port_owner_describe(&opening->address, opening->is_stream, owner, sizeof owner);
        trouble_set(trouble, EX_UNAVAILABLE,
            "cannot listen on %s (%s): the port is in use by %s. "
            "Stop it, or set `listen` to another address or port.",
            place, protocol, owner);
        return;
    case EACCES:
    case EPERM:
        trouble_set(trouble, EX_NOPERM,
            "cannot listen on %s (%s): no right to use a port below 1024. "
            "Start as root, give the program CAP_NET_BIND_SERVICE, or set `listen` to a port above "
            "1023, such as 127.0.0.1@5300.",
            place, protocol);
        return;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        trouble_set(trouble, EX_CONFIG,
            "cannot listen on %s (%s): this host has no such address now. "
            "Correct `listen`, or bring the interface up first.",
            place, protocol);
        return;
    default:
        trouble_set(trouble, EX_OSERR, "cannot listen on %s (%s): %s.", place, protocol,
            strerror(opening->error));
    }
}

static bool opening_is_excusable(const struct opening *opening)
{
    return opening->address.family == ADDRESS_IPV6 && address_is_loopback(&opening->address) &&
           (opening->error == EADDRNOTAVAIL || opening->error == EAFNOSUPPORT);
}

/* The kernel picks the socket by the first 16 bits of the datagram, the query's id, modulo n. */
static void group_attach(int fd, size_t worker_count)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, (uint32_t)worker_count),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog filter = {.len = 3, .filter = program};
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) != 0) {
        log_line(LOG_LEVEL_WARNING,
            "the kernel does not spread queries by their id; a client may burden one worker only "
            "error=\"%s\"",
            strerror(errno));
    }
}

static void group_log_buffer(int fd, const struct address *address)
{
    int granted = 0;
    socklen_t len = sizeof granted;
    char place[ADDRESS_TEXT_SIZE];
    (void)address_format(address, place, sizeof place);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &len) == 0) {
        /* The kernel tells twice the size that it granted. */
        log_line(LOG_LEVEL_INFO, "receive buffer address=%s asked=%d granted=%d", place,
            RECEIVE_BUFFER_BYTES, granted / 2);
    }
}

/* One address and protocol, a socket for each worker. */
static bool group_open(struct sockets *sockets, int *table, struct opening *opening)
{
    if (!socket_is_free(opening)) {
        return false;
    }
    for (size_t worker = 0; worker < sockets->worker_count; worker++) {
        int *slot = &table[worker * SETTINGS_LISTEN_MAX + sockets->listen_count];
        if (!socket_open(opening, slot)) {
            return false;
        }
        if (opening->address.port == 0) {
            struct sockaddr_storage sockaddr;
            socklen_t len = sizeof sockaddr;
            if (getsockname(*slot, (struct sockaddr *)&sockaddr, &len) == 0) {
                opening->address.port =
                    address_from_sockaddr((const struct sockaddr *)&sockaddr).port;
            }
        }
    }
    int first = table[sockets->listen_count];
    if (!opening->is_stream) {
        group_log_buffer(first, &opening->address);
        if (opening->is_shared) {
            group_attach(first, sockets->worker_count);
        }
    }
    return true;
}

static void group_close(const struct sockets *sockets, int *table, size_t index)
{
    for (size_t worker = 0; table != NULL && worker < sockets->worker_count; worker++) {
        int *slot = &table[worker * SETTINGS_LISTEN_MAX + index];
        if (*slot >= 0) {
            (void)close(*slot);
            *slot = -1;
        }
    }
}

/* UDP and TCP of one `listen` address. */
static bool sockets_add(
    struct sockets *sockets, const struct address *address, struct trouble *trouble)
{
    struct opening opening = {.address = *address, .is_shared = sockets->worker_count > 1};
    bool is_open = group_open(sockets, sockets->udp, &opening);
    if (is_open) {
        opening.is_stream = true;
        is_open = group_open(sockets, sockets->tcp, &opening);
    }
    if (is_open) {
        sockets->listen[sockets->listen_count++] = opening.address;
        return true;
    }
    group_close(sockets, sockets->udp, sockets->listen_count);
    group_close(sockets, sockets->tcp, sockets->listen_count);
    if (opening_is_excusable(&opening)) {
        char place[ADDRESS_TEXT_SIZE];
        (void)address_format(address, place, sizeof place);
        log_line(LOG_LEVEL_WARNING, "this host has no IPv6, not listening address=%s", place);
        return true;
    }
    opening_explain(&opening, trouble);
    return false;
}

static int *table_new(size_t worker_count)
{
    size_t count = worker_count * SETTINGS_LISTEN_MAX;
    int *table = calloc(count, sizeof *table);
    for (size_t i = 0; table != NULL && i < count; i++) {
        table[i] = -1;
    }
    return table;
}

bool sockets_open(struct sockets *sockets, const struct settings *settings, struct trouble *trouble)
{
    *sockets = (struct sockets){.worker_count = (size_t)settings->workers};
    sockets->udp = table_new(sockets->worker_count);
    sockets->tcp = table_new(sockets->worker_count);
    if (sockets->udp == NULL || sockets->tcp == NULL) {
        trouble_set(trouble, EX_OSERR, "no memory for %zu workers; lower `workers`.",
            sockets->worker_count);
        sockets_fini(sockets);
        return false;
    }
    for (size_t i = 0; i < settings->listen_count; i++) {
        if (!sockets_add(sockets, &settings->listen[i], trouble)) {
            sockets_fini(sockets);
            return false;
        }
    }
    if (sockets->listen_count == 0) {
        trouble_set(trouble, EX_CONFIG,
            "there is no address to listen on. Set `listen`, for instance to 127.0.0.1.");
        sockets_fini(sockets);
        return false;
    }
    return true;
}

void sockets_fini(struct sockets *sockets)
{
    for (size_t i = 0; i < SETTINGS_LISTEN_MAX; i++) {
        group_close(sockets, sockets->udp, i);
        group_close(sockets, sockets->tcp, i);
    }
    free(sockets->udp);
    free(sockets->tcp);
    *sockets = (struct sockets){.worker_count = 0};
}

const int *sockets_udp_of(const struct sockets *sockets, size_t worker)
{
    return sockets->udp + worker * SETTINGS_LISTEN_MAX;
}

const int *sockets_tcp_of(const struct sockets *sockets, size_t worker)
{
    return sockets->tcp + worker * SETTINGS_LISTEN_MAX;
}
