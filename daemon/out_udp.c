/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/out_udp.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/random.h"
#include "conf/settings.h"
#include "daemon/out_log.h"

#define OUT_UDP_PORT_MIN  1024
#define OUT_UDP_PORT_MAX  65535
#define OUT_UDP_BIND_MAX  8  /* Random ports tried before the kernel chooses. */
#define OUT_UDP_READS_MAX 16 /* Datagrams of one line in one turn: a flood must not hold us. */
#define OUT_UDP_REPLY_MAX 65535

/* Free slots are what a busy worker lacks: replies go before new questions. */
#define OUT_UDP_PRIORITY 1

/* One question's socket. Lives in the pool from send until the reply, a withdrawal or an error. */
struct out_udp_line {
    ev_io io;
    struct out_udp *out_udp;
    uint64_t id;
    uint64_t exchange;
};

struct out_udp {
    struct ev_loop *loop;
    struct random *random;
    struct out_events events;
    struct pool lines;
    uint8_t *reply; /* One for all: a reply is done with before the next is read. */
    struct log_limit limit_full;
    struct log_limit limit_error;
};

struct out_udp *out_udp_new(const struct out_udp_options *options)
{
    struct out_udp *out_udp = calloc(1, sizeof(*out_udp));
    if (out_udp == NULL) {
        return NULL;
    }
    out_udp->loop = options->loop;
    out_udp->random = options->random;
    out_udp->events = options->events;
    out_udp->reply = malloc(OUT_UDP_REPLY_MAX);
    bool has_pool = pool_init(&out_udp->lines, sizeof(struct out_udp_line), options->sockets_max);
    if (!has_pool || out_udp->reply == NULL) {
        out_udp_free(&out_udp);
    }
    return out_udp;
}

static void out_udp_line_close(struct out_udp_line *line)
{
    struct out_udp *out_udp = line->out_udp;
    ev_io_stop(out_udp->loop, &line->io);
    close(line->io.fd);
    pool_give(&out_udp->lines, line->id);
}

void out_udp_free(struct out_udp **out_udp)
{
    if (out_udp == NULL || *out_udp == NULL) {
        return;
    }
    for (uint32_t i = 0; i < (*out_udp)->lines.count; i++) {
        struct out_udp_line *line = pool_at(&(*out_udp)->lines, i);
        if (line != NULL) {
            out_udp_line_close(line);
        }
    }
    pool_fini(&(*out_udp)->lines);
    free((*out_udp)->reply);
    free(*out_udp);
    *out_udp = NULL;
}

/* Hands one datagram on. False: the line has ended, and must not be touched any more. */
static bool out_udp_line_goes_on(
    struct out_udp *out_udp, uint64_t id, uint64_t exchange, size_t len)
{
    bool is_reply = out_udp->events.on_reply(out_udp->events.world, exchange, out_udp->reply, len);
    struct out_udp_line *line = pool_find(&out_udp->lines, id);
    if (line == NULL) {
        return false;
    }
    if (is_reply) {
        out_udp_line_close(line);
    }
    return !is_reply;
}

static void out_udp_line_lose(struct out_udp_line *line)
{
    const struct out_events events = line->out_udp->events;
    uint64_t exchange = line->exchange;
    out_udp_line_close(line);
    events.on_lost(events.world, exchange);
}

static void out_udp_on_readable(struct ev_loop *loop, ev_io *io, int revents)
{
    (void)loop;
    (void)revents;
    struct out_udp_line *line = io->data;
    struct out_udp *out_udp = line->out_udp;
    uint64_t id = line->id;
    for (unsigned i = 0; i < OUT_UDP_READS_MAX; i++) {
        ssize_t len = recv(line->io.fd, out_udp->reply, OUT_UDP_REPLY_MAX, 0);
        if (len >= 0) {
            if (!out_udp_line_goes_on(out_udp, id, line->exchange, (size_t)len)) {
                return;
            }
            continue;
        }
        if (errno == EAGAIN || errno == EINTR) {
            return;
        }
        out_udp_line_lose(line);
        return;
    }
}

static void out_udp_log_full(struct out_udp *out_udp)
{
    uint64_t suppressed = 0;
    if (log_limit_allows(&out_udp->limit_full, clock_now(), &suppressed)) {
        log_line(LOG_LEVEL_WARNING,
            "all sockets for questions upstream are in use; raise questions_max if the upstream"
            " servers are well sockets=%" PRIu32 " suppressed=%" PRIu64,
            out_udp->lines.count, suppressed);
    }
}

/* A fresh random port of the whole unprivileged range (RFC 5452 section 9.2). When chance meets
 * taken ports only, the socket stays unbound and the kernel draws one as it connects. */
static void out_udp_bind(struct out_udp *out_udp, int fd, uint8_t family)
{
    struct address any = {.family = family};
    for (unsigned i = 0; i < OUT_UDP_BIND_MAX; i++) {
        struct sockaddr_storage sockaddr;
        any.port = (uint16_t)(OUT_UDP_PORT_MIN + random_below(out_udp->random,
                                                     OUT_UDP_PORT_MAX - OUT_UDP_PORT_MIN + 1));
        socklen_t len = address_to_sockaddr(&any, &sockaddr);
        if (bind(fd, (const struct sockaddr *)&sockaddr, len) == 0) {
            return;
        }
    }
}

/* Path MTU news can be forged and would fragment our questions, which are small anyway. Without
 * the option (a kernel before 3.15) we are only less safe, so a failure is no failure. */
static void out_udp_ignore_path_mtu(int fd, uint8_t family)
{
    int omit = family == ADDRESS_IPV6 ? IPV6_PMTUDISC_OMIT : IP_PMTUDISC_OMIT;
    if (family == ADDRESS_IPV6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &omit, sizeof(omit));
    } else {
        (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &omit, sizeof(omit));
    }
}

/* A connected socket with the message sent, or -1. */
static int out_udp_open_and_send(
    struct out_udp *out_udp, const struct address *server, const uint8_t *message, size_t len)
{
    struct sockaddr_storage sockaddr;
    socklen_t sockaddr_len = address_to_sockaddr(server, &sockaddr);
    int fd = socket(sockaddr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        out_log_socket(&out_udp->limit_error, "UDP", errno);
        return -1;
    }
    out_udp_ignore_path_mtu(fd, server->family);
    out_udp_bind(out_udp, fd, server->family);
    if (connect(fd, (const struct sockaddr *)&sockaddr, sockaddr_len) == 0 &&
        send(fd, message, len, MSG_NOSIGNAL) == (ssize_t)len) {
        return fd;
    }
    if (errno == ENOBUFS || errno == ENOMEM) {
        out_log_socket(&out_udp->limit_error, "UDP", errno);
    }
    close(fd);
    return -1;
}

bool out_udp_send(
    struct out_udp *out_udp, const struct transmission *transmission, uint64_t *line_out)
{
    const struct settings_server *server = transmission->server;
    must(!transmission->is_stream);
    /* Whoever gave a server a TLS name or pins wants nothing sent to it in clear. */
    if (settings_server_is_tls(server) || server->address.family == ADDRESS_NONE) {
        return false;
    }
    uint64_t id = POOL_NONE;
    struct out_udp_line *line = pool_take(&out_udp->lines, &id);
    if (line == NULL) {
        out_udp_log_full(out_udp);
        return false;
    }
    int fd =
        out_udp_open_and_send(out_udp, &server->address, transmission->message, transmission->len);
    if (fd < 0) {
        pool_give(&out_udp->lines, id);
        return false;
    }
    line->out_udp = out_udp;
    line->id = id;
    line->exchange = transmission->exchange;
    ev_io_init(&line->io, out_udp_on_readable, fd, EV_READ);
    ev_set_priority(&line->io, OUT_UDP_PRIORITY);
    line->io.data = line;
    ev_io_start(out_udp->loop, &line->io);
    *line_out = id;
    return true;
}

void out_udp_withdraw(struct out_udp *out_udp, uint64_t line)
{
    struct out_udp_line *found = pool_find(&out_udp->lines, line);
    if (found != NULL) {
        out_udp_line_close(found);
    }
}

uint32_t out_udp_open(const struct out_udp *out_udp)
{
    return out_udp->lines.in_use;
}
