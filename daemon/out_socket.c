/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/out_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/random.h"

#define OUT_SOCKET_PORT_MIN 1024
#define OUT_SOCKET_PORT_MAX 65535
#define OUT_SOCKET_BIND_MAX 8 /* Random ports tried before the kernel chooses. */

/* A random port of the whole unprivileged range (RFC 5452 section 9.2). When chance meets taken
 * ports only, the socket stays unbound and the kernel draws one as it connects. */
static void out_socket_bind(struct random *random, int fd, uint8_t family)
{
    struct address any = {.family = family};
    for (unsigned i = 0; i < OUT_SOCKET_BIND_MAX; i++) {
        struct sockaddr_storage sockaddr;
        any.port = (uint16_t)(OUT_SOCKET_PORT_MIN +
                              random_below(random, OUT_SOCKET_PORT_MAX - OUT_SOCKET_PORT_MIN + 1));
        socklen_t len = address_to_sockaddr(&any, &sockaddr);
        if (bind(fd, (const struct sockaddr *)&sockaddr, len) == 0) {
            return;
        }
    }
}

/* Path MTU news can be forged and would fragment our questions, which are small anyway. Without
 * the option (a kernel before 3.15) we are only less safe, so a failure is no failure. */
static void out_socket_ignore_path_mtu(int fd, uint8_t family)
{
    int omit = family == ADDRESS_IPV6 ? IPV6_PMTUDISC_OMIT : IP_PMTUDISC_OMIT;
    if (family == ADDRESS_IPV6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &omit, sizeof(omit));
    } else {
        (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &omit, sizeof(omit));
    }
}

int out_socket_open(struct random *random, const struct address *server)
{
    struct sockaddr_storage sockaddr;
    socklen_t sockaddr_len = address_to_sockaddr(server, &sockaddr);
    int fd = socket(sockaddr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    out_socket_ignore_path_mtu(fd, server->family);
    out_socket_bind(random, fd, server->family);
    if (connect(fd, (const struct sockaddr *)&sockaddr, sockaddr_len) != 0) {
        int error_number = errno;
        close(fd);
        errno = error_number;
        return -1;
    }
    return fd;
}
