/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/listen_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/settings.h"
#include "daemon/allow.h"
#include "daemon/events.h"
#include "daemon/listen_connections.h"
#include "daemon/stats.h"

struct acceptor {
    ev_io readable;
    struct listen_tcp *owner;
    int fd;
};

struct listen_tcp {
    struct ev_loop *loop;
    const struct settings *settings;
    struct daemon_stats *stats;
    struct acceptor *acceptors;
    size_t acceptor_count;
    struct listen_connections *connections;
    ev_timer rest;
    bool is_stopped;
    struct log_limit rest_limit;
};

static void listen_tcp_admit(struct listen_tcp *listen_tcp, int fd, const struct address *client)
{
    struct daemon_stats *stats = listen_tcp->stats;
    counter_add(&stats->tcp_accepted, 1);
    if (!allow_admits_connection(listen_tcp->settings, client, fd)) {
        counter_add(&stats->clients_not_allowed, 1);
        (void)close(fd);
    } else if (!listen_connections_open(listen_tcp->connections, fd, client)) {
        counter_add(&stats->tcp_refused, 1);
        (void)close(fd);
    }
}

static void listen_tcp_set_accepting(struct listen_tcp *listen_tcp, bool is_accepting)
{
    for (size_t i = 0; i < listen_tcp->acceptor_count; i++) {
        struct acceptor *acceptor = &listen_tcp->acceptors[i];
        if (is_accepting) {
            ev_io_start(listen_tcp->loop, &acceptor->readable);
        } else {
            ev_io_stop(listen_tcp->loop, &acceptor->readable);
        }
    }
}

/* Out of descriptors: the waiting client would wake us again at once, for nothing. Perhaps there is
 * none: the kernel looks for a descriptor first. */
static void listen_tcp_rest(struct listen_tcp *listen_tcp, int error)
{
    counter_add(&listen_tcp->stats->tcp_accept_rests, 1);
    listen_connections_make_room(
        listen_tcp->connections, (int64_t)(LISTEN_TCP_REST_S * (double)CLOCK_US_PER_S));
    listen_tcp_set_accepting(listen_tcp, false);
    ev_timer_set(&listen_tcp->rest, LISTEN_TCP_REST_S, 0.);
    ev_timer_start(listen_tcp->loop, &listen_tcp->rest);
    log_event_limited(&event_tcp_accept_rests, &listen_tcp->rest_limit, clock_now(), "error=\"%s\"",
        strerror(error));
}

static void listen_tcp_on_rested(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct listen_tcp *listen_tcp = watcher->data;
    if (!listen_tcp->is_stopped) {
        listen_tcp_set_accepting(listen_tcp, true);
    }
}

static void acceptor_on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    struct acceptor *acceptor = watcher->data;
    for (unsigned i = 0; i < LISTEN_TCP_ACCEPTS_MAX; i++) {
        struct sockaddr_storage from;
        socklen_t from_len = sizeof from;
        int fd = accept4(
            acceptor->fd, (struct sockaddr *)&from, &from_len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            struct address client = address_from_sockaddr((const struct sockaddr *)&from);
            listen_tcp_admit(acceptor->owner, fd, &client);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            listen_tcp_rest(acceptor->owner, errno);
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        }
    }
}

static void listen_tcp_add(struct listen_tcp *listen_tcp, int fd)
{
    struct acceptor *acceptor = &listen_tcp->acceptors[listen_tcp->acceptor_count++];
    acceptor->owner = listen_tcp;
    acceptor->fd = fd;
    ev_io_init(&acceptor->readable, acceptor_on_readable, fd, EV_READ);
    acceptor->readable.data = acceptor;
    ev_io_start(listen_tcp->loop, &acceptor->readable);
}

struct listen_tcp *listen_tcp_new(const struct listen_tcp_options *options)
{
    struct listen_tcp *listen_tcp = calloc(1, sizeof *listen_tcp);
    if (listen_tcp == NULL) {
        return NULL;
    }
    listen_tcp->loop = options->loop;
    listen_tcp->stats = options->stats;
    ev_timer_init(&listen_tcp->rest, listen_tcp_on_rested, LISTEN_TCP_REST_S, 0.);
    listen_tcp->rest.data = listen_tcp;
    listen_tcp->acceptors = calloc(options->count, sizeof *listen_tcp->acceptors);
    listen_tcp->connections = listen_connections_new(&(struct listen_connections_options){
        .loop = options->loop,
        .resolver = options->resolver,
        .stats = options->stats,
        .count_max = (uint32_t)options->settings->tcp_clients_max,
    });
    if (listen_tcp->acceptors == NULL || listen_tcp->connections == NULL) {
        listen_tcp_free(&listen_tcp);
        return NULL;
    }
    listen_tcp_set_settings(listen_tcp, options->settings);
    for (size_t i = 0; i < options->count; i++) {
        listen_tcp_add(listen_tcp, options->fds[i]);
    }
    return listen_tcp;
}

void listen_tcp_free(struct listen_tcp **listen_tcp)
{
    if (listen_tcp == NULL || *listen_tcp == NULL) {
        return;
    }
    listen_tcp_set_accepting(*listen_tcp, false);
    ev_timer_stop((*listen_tcp)->loop, &(*listen_tcp)->rest);
    listen_connections_free(&(*listen_tcp)->connections);
    free((*listen_tcp)->acceptors);
    free(*listen_tcp);
    *listen_tcp = NULL;
}

void listen_tcp_set_settings(struct listen_tcp *listen_tcp, const struct settings *settings)
{
    listen_tcp->settings = settings;
    listen_connections_set_idle(listen_tcp->connections, settings->tcp_idle_us);
    listen_connections_sift(listen_tcp->connections, settings);
}

void listen_tcp_stop(struct listen_tcp *listen_tcp)
{
    listen_tcp_set_accepting(listen_tcp, false);
    listen_connections_stop(listen_tcp->connections);
    listen_tcp->is_stopped = true;
}

bool listen_tcp_is_quiet(const struct listen_tcp *listen_tcp)
{
    return listen_connections_is_quiet(listen_tcp->connections);
}

void listen_tcp_deliver(
    struct listen_tcp *listen_tcp, const struct client *client, const uint8_t *message, size_t len)
{
    listen_connections_deliver(listen_tcp->connections, client, message, len);
}

void listen_tcp_flush(struct listen_tcp *listen_tcp, int64_t now)
{
    listen_connections_flush(listen_tcp->connections, now);
}
