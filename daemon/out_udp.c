/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/out_udp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/must.h"
#include "base/pool.h"
#include "wire/header.h"
#include "conf/settings.h"
#include "daemon/events.h"
#include "daemon/out_log.h"
#include "daemon/out_ports.h"
#include "daemon/stats.h"

#define OUT_UDP_REPLY_MAX 65535
#define OUT_UDP_DRAWS_MAX 8 /* Sockets drawn for one question whose id is taken. */
#define OUT_UDP_SENDS_MAX 3 /* Sockets tried for one question when sending fails. */

/* One question that waits. Its place in the pool is its life: from send until the reply, a
 * withdrawal or an error. */
struct out_udp_line {
    struct list at_socket; /* In socket->lines. */
    struct list same_id;   /* In its bucket. */
    uint64_t id;
    uint64_t exchange;
    struct out_socket *socket; /* NULL: gone, and this line's loss is about to be told. */
    uint16_t wire_id;
};

struct out_udp {
    struct out_events events;
    struct daemon_stats *stats;
    struct out_ports *ports;
    struct pool lines;
    struct list *buckets; /* By the id on the wire, which is random already. */
    uint32_t bucket_mask;
    uint8_t *reply; /* One for all: a reply is done with before the next is read. */
    struct log_limit limit_full;
    struct log_limit limit_error;
};

static void out_udp_on_readable(void *owner, struct out_socket *socket);

static bool out_udp_init_buckets(struct out_udp *out_udp, uint32_t questions_max)
{
    uint32_t count = 1;
    while (count < questions_max && count <= UINT16_MAX) {
        count *= 2;
    }
    out_udp->buckets = calloc(count, sizeof *out_udp->buckets);
    if (out_udp->buckets == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        list_init(&out_udp->buckets[i]);
    }
    out_udp->bucket_mask = count - 1;
    return true;
}

struct out_udp *out_udp_new(const struct out_udp_options *options)
{
    struct out_udp *out_udp = calloc(1, sizeof(*out_udp));
    if (out_udp == NULL) {
        return NULL;
    }
    out_udp->events = options->events;
    out_udp->stats = options->stats;
    out_udp->reply = malloc(OUT_UDP_REPLY_MAX);
    out_udp->ports = out_ports_new(&(struct out_ports_options){
        .loop = options->loop,
        .random = options->random,
        .stats = options->stats,
        .owner = out_udp,
        .on_readable = out_udp_on_readable,
        .sockets_max = options->sockets_max,
        .per_server = options->per_server,
        .uses_max = options->uses_max,
        .age_us = options->age_us,
    });
    if (out_udp->ports == NULL || out_udp->reply == NULL ||
        !pool_init(&out_udp->lines, sizeof(struct out_udp_line), options->questions_max) ||
        !out_udp_init_buckets(out_udp, options->questions_max)) {
        out_udp_free(&out_udp);
    }
    return out_udp;
}

void out_udp_free(struct out_udp **out_udp)
{
    if (out_udp == NULL || *out_udp == NULL) {
        return;
    }
    out_ports_free(&(*out_udp)->ports);
    pool_fini(&(*out_udp)->lines);
    free((*out_udp)->buckets);
    free((*out_udp)->reply);
    free(*out_udp);
    *out_udp = NULL;
}

static struct list *out_udp_bucket(const struct out_udp *out_udp, uint16_t wire_id)
{
    return &out_udp->buckets[wire_id & out_udp->bucket_mask];
}

/* Who waits at the socket for this id. */
static struct out_udp_line *out_udp_find(
    const struct out_udp *out_udp, const struct out_socket *socket, uint16_t wire_id)
{
    const struct list *bucket = out_udp_bucket(out_udp, wire_id);
    for (struct list *at = bucket->next; at != bucket; at = at->next) {
        struct out_udp_line *line = list_entry(at, struct out_udp_line, same_id);
        if (line->wire_id == wire_id && line->socket == socket) {
            return line;
        }
    }
    return NULL;
}

/* The line's life ends; with it perhaps its socket's. */
static void out_udp_end(struct out_udp *out_udp, struct out_udp_line *line)
{
    struct out_socket *socket = line->socket;
    list_remove(&line->at_socket);
    list_remove(&line->same_id);
    pool_give(&out_udp->lines, line->id);
    if (socket != NULL) {
        out_ports_leave(socket);
    }
}

/* ---- What comes back ---- */

/* The socket's end is the end of the wait of all who wait there. First they leave it and it
 * closes, then they are told, each by the same rule: whatever is told may withdraw others, which
 * takes them off this list, or ask anew, which draws another socket. */
static void out_udp_lose(struct out_udp *out_udp, struct out_socket *socket)
{
    enum line_end end = socket->is_attacked ? LINE_GIVEN_UP : LINE_BROKEN;
    struct list lost;
    struct list *at;
    list_init(&lost);
    while ((at = list_take_first(&socket->lines)) != NULL) {
        struct out_udp_line *line = list_entry(at, struct out_udp_line, at_socket);
        line->socket = NULL;
        list_remove(&line->same_id);
        list_append(&lost, &line->at_socket);
    }
    socket->waiting = 0;
    out_ports_retire(socket);
    while ((at = list_take_first(&lost)) != NULL) {
        struct out_udp_line *line = list_entry(at, struct out_udp_line, at_socket);
        uint64_t exchange = line->exchange;
        out_udp_end(out_udp, line);
        out_udp->events.on_lost(out_udp->events.world, exchange, end);
    }
}

/* Hands one datagram to who waits for its id. Anything may have happened to the socket in the
 * meantime, so both are looked up anew. */
static void out_udp_take(struct out_udp *out_udp, struct out_socket *socket, size_t len)
{
    uint64_t socket_id = socket->id;
    if (len < HEADER_SIZE) {
        out_ports_on_stray(socket);
        return;
    }
    uint16_t wire_id = header_id(out_udp->reply);
    struct out_udp_line *line = out_udp_find(out_udp, socket, wire_id);
    if (line == NULL) {
        out_ports_on_unawaited(socket, wire_id);
        return;
    }
    uint64_t line_id = line->id;
    bool is_reply =
        out_udp->events.on_reply(out_udp->events.world, line->exchange, out_udp->reply, len);
    line = pool_find(&out_udp->lines, line_id);
    if (is_reply && line != NULL) {
        out_udp_end(out_udp, line);
    }
    socket = out_ports_find(out_udp->ports, socket_id);
    if (!is_reply && socket != NULL) {
        out_ports_on_stray(socket);
    }
}

/* News of a path MTU we do not want; and what we are short of ourselves is no fault of the server,
 * whose reply is still there at the next try. */
static bool out_udp_is_transient(int error_number)
{
    return error_number == EAGAIN || error_number == EINTR || error_number == EMSGSIZE ||
           error_number == ENOMEM || error_number == ENOBUFS;
}

/* One datagram a turn: most sockets have no more, and the loop comes back for those that do. */
static void out_udp_on_readable(void *owner, struct out_socket *socket)
{
    struct out_udp *out_udp = owner;
    if (socket->has_failed) {
        out_udp_lose(out_udp, socket);
        return;
    }
    ssize_t len = recv(socket->fd, out_udp->reply, OUT_UDP_REPLY_MAX, 0);
    if (len >= 0) {
        out_udp_take(out_udp, socket, (size_t)len);
    } else if (!out_udp_is_transient(errno)) {
        out_udp_lose(out_udp, socket);
    }
}

/* ---- What goes out ---- */

static void out_udp_log_full(struct out_udp *out_udp)
{
    log_event_limited(&event_upstream_busy, &out_udp->limit_full, clock_now(), "waiting=%" PRIu32,
        out_udp->lines.count);
}

/* A socket at which nobody waits for this id. NULL: none is to be had. */
static struct out_socket *out_udp_draw(
    struct out_udp *out_udp, const struct address *server, uint16_t wire_id, bool is_fresh)
{
    for (unsigned i = 0; i < OUT_UDP_DRAWS_MAX; i++) {
        struct out_socket *socket = out_ports_draw(out_udp->ports, server, is_fresh);
        if (socket == NULL || out_udp_find(out_udp, socket, wire_id) == NULL) {
            return socket;
        }
    }
    counter_add(&out_udp->stats->upstream_ids_taken, 1);
    return NULL;
}

/* An error that the kernel tells as we send is an earlier question's, or the way has gone: the
 * socket is done with, and who waits there is told by the loop. True: another may do. */
static bool out_udp_on_unsent(struct out_udp *out_udp, struct out_socket *socket, int error_number)
{
    if (error_number == ENOBUFS || error_number == ENOMEM || error_number == EAGAIN) {
        out_log_socket(&out_udp->limit_error, "UDP", error_number);
        return false;
    }
    out_ports_fail(socket);
    return true;
}

/* The socket from which the message has been sent, or NULL. */
static struct out_socket *out_udp_transmit(
    struct out_udp *out_udp, const struct transmission *transmission, uint16_t wire_id)
{
    const struct address *server = &transmission->server->address;
    for (unsigned i = 0; i < OUT_UDP_SENDS_MAX; i++) {
        struct out_socket *socket = out_udp_draw(out_udp, server, wire_id, i > 0);
        if (socket == NULL) {
            return NULL;
        }
        ssize_t sent = send(socket->fd, transmission->message, transmission->len, MSG_NOSIGNAL);
        if (sent == (ssize_t)transmission->len) {
            return socket;
        }
        if (!out_udp_on_unsent(out_udp, socket, sent < 0 ? errno : EMSGSIZE)) {
            return NULL;
        }
    }
    return NULL;
}

bool out_udp_send(
    struct out_udp *out_udp, const struct transmission *transmission, uint64_t *line_out)
{
    const struct settings_server *server = transmission->server;
    must(!transmission->is_stream && transmission->len >= HEADER_SIZE);
    /* Whoever gave a server a TLS name or pins wants nothing sent to it in clear. */
    if (settings_server_is_tls(server) || server->address.family == ADDRESS_NONE) {
        return false;
    }
    if (out_udp->lines.in_use == out_udp->lines.count) {
        out_udp_log_full(out_udp);
        return false;
    }
    uint16_t wire_id = header_id(transmission->message);
    struct out_socket *socket = out_udp_transmit(out_udp, transmission, wire_id);
    if (socket == NULL) {
        return false;
    }
    struct out_udp_line *line = pool_take(&out_udp->lines, line_out);
    line->id = *line_out;
    line->exchange = transmission->exchange;
    line->socket = socket;
    line->wire_id = wire_id;
    list_append(&socket->lines, &line->at_socket);
    list_append(out_udp_bucket(out_udp, wire_id), &line->same_id);
    out_ports_enter(socket, wire_id);
    return true;
}

void out_udp_withdraw(struct out_udp *out_udp, uint64_t line)
{
    struct out_udp_line *found = pool_find(&out_udp->lines, line);
    if (found != NULL) {
        out_udp_end(out_udp, found);
    }
}

uint32_t out_udp_open(const struct out_udp *out_udp)
{
    return out_ports_open(out_udp->ports);
}

uint32_t out_udp_waiting(const struct out_udp *out_udp)
{
    return out_udp->lines.in_use;
}
