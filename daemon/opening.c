/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/opening.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/port_owner.h"
#include "daemon/trouble.h"

#define ACCEPT_QUEUE 256

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
    if (!socket_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, OPENING_BUFFER_BYTES)) {
        (void)socket_set(fd, SOL_SOCKET, SO_RCVBUF, OPENING_BUFFER_BYTES);
    }
    return is_well;
}

/* What may be set at any time, before and after the address is taken. */
static bool socket_set_options(int fd, const struct opening *opening)
{
    const struct address *address = &opening->address;
    if (opening->is_shared && !socket_set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) {
        return false;
    }
    if (opening->is_stream) {
        return socket_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
               socket_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    return socket_set_udp_options(fd, address);
}

static bool socket_bind(int fd, struct opening *opening)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(&opening->address, &sockaddr);
    bool is_bound = bind(fd, (const struct sockaddr *)&sockaddr, len) == 0;
    if (is_bound || errno != EADDRNOTAVAIL || address_is_loopback(&opening->address)) {
        return is_bound;
    }
    bool is_ipv6 = opening->address.family == ADDRESS_IPV6;
    opening->is_early = (is_ipv6 ? socket_set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)
                                 : socket_set(fd, IPPROTO_IP, IP_FREEBIND, 1)) &&
                        bind(fd, (const struct sockaddr *)&sockaddr, len) == 0;
    return opening->is_early;
}

bool opening_open(struct opening *opening, int *fd_out)
{
    int domain = opening->address.family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
    int type = opening->is_stream ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        opening->error = errno;
        return false;
    }
    bool is_ipv6 = opening->address.family == ADDRESS_IPV6;
    if ((is_ipv6 && !socket_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
        !socket_set_options(fd, opening) || !socket_bind(fd, opening) ||
        (opening->is_stream && listen(fd, ACCEPT_QUEUE) != 0)) {
        opening->error = errno;
        (void)close(fd);
        return false;
    }
    *fd_out = fd;
    return true;
}

bool opening_adopt(struct opening *opening, int fd)
{
    bool is_well = socket_set_options(fd, opening);
    opening->error = is_well ? 0 : errno;
    return is_well;
}

bool opening_is_free(struct opening *opening)
{
    if (!opening->is_shared || opening->address.port == 0) {
        return true;
    }
    int fd;
    opening->is_shared = false;
    bool is_free = opening_open(opening, &fd);
    opening->is_shared = true;
    if (is_free) {
        (void)close(fd);
    }
    return is_free;
}

void opening_explain(const struct opening *opening, struct trouble *trouble)
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

bool opening_is_excusable(const struct opening *opening)
{
    return opening->address.family == ADDRESS_IPV6 && address_is_loopback(&opening->address) &&
           (opening->error == EADDRNOTAVAIL || opening->error == EAFNOSUPPORT);
}
