/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/listen_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/must.h"
#include "base/pool.h"
#include "wire/header.h"
#include "conf/settings.h"
#include "resolver/resolver.h"
#include "daemon/allow.h"
#include "daemon/events.h"
#include "daemon/stats.h"
#include "daemon/stream_buffer.h"

/* How often limits of time are looked at: a quarter of tcp_idle, within these. */
#define SWEEP_S_MIN 0.05
#define SWEEP_S_MAX 1.0

/* Invariants: unanswered <= LISTEN_TCP_UNANSWERED_MAX; an ended connection stands in `touched`. */
struct connection {
    ev_io readable;
    ev_io writable;
    struct listen_tcp *owner;
    uint64_t id;
    int fd;
    struct address client;
    struct stream_buffer incoming;
    struct stream_buffer outgoing;
    struct list by_activity; /* In listen_tcp.by_activity: the longest silent one first. */
    struct list touched;     /* In listen_tcp.touched: to be looked at when the turn ends. */
    unsigned unanswered;     /* Questions that wait in the resolver. */
    int64_t active_at;
    int64_t unfinished_since; /* 0: no query has arrived in part. */
    int64_t unread_since;     /* 0: nothing waits to be sent. */
    bool has_asked;
    bool is_read_closed; /* The client will ask no more, but may still read. */
    bool is_ended;
};

struct acceptor {
    ev_io readable;
    struct listen_tcp *owner;
    int fd;
};

struct listen_tcp {
    struct ev_loop *loop;
    const struct settings *settings;
    struct resolver *resolver;
    struct daemon_stats *stats;
    struct acceptor *acceptors;
    size_t acceptor_count;
    struct pool connections;
    struct list by_activity;
    struct list touched;
    ev_timer rest;
    ev_timer sweep;
    bool is_stopped;
    struct log_limit rest_limit;
    uint8_t answer[MESSAGE_SIZE_MAX];
};

static void connection_touch(struct connection *connection)
{
    if (!list_is_linked(&connection->touched)) {
        list_append(&connection->owner->touched, &connection->touched);
    }
}

static void connection_mark_active(struct connection *connection, int64_t now)
{
    connection->active_at = now;
    list_remove(&connection->by_activity);
    list_append(&connection->owner->by_activity, &connection->by_activity);
}

/* `reason` is the counter of why, or NULL when the client went by itself. */
static void connection_end(struct connection *connection, struct counter *reason)
{
    if (connection->is_ended) {
        return;
    }
    if (reason != NULL) {
        counter_add(reason, 1);
    }
    connection->is_ended = true;
    ev_io_stop(connection->owner->loop, &connection->readable);
    ev_io_stop(connection->owner->loop, &connection->writable);
    connection_touch(connection);
}

static void connection_reap(struct connection *connection)
{
    struct listen_tcp *listen_tcp = connection->owner;
    ev_io_stop(listen_tcp->loop, &connection->readable);
    ev_io_stop(listen_tcp->loop, &connection->writable);
    (void)close(connection->fd);
    stream_buffer_fini(&connection->incoming);
    stream_buffer_fini(&connection->outgoing);
    list_remove(&connection->by_activity);
    list_remove(&connection->touched);
    pool_give(&listen_tcp->connections, connection->id);
    counter_set(&listen_tcp->stats->tcp_clients, listen_tcp->connections.in_use);
    if (listen_tcp->connections.in_use == 0) {
        ev_timer_stop(listen_tcp->loop, &listen_tcp->sweep);
    }
}

static bool connection_owes(const struct connection *connection)
{
    return connection->unanswered > 0 || stream_buffer_len(&connection->outgoing) > 0;
}

static bool connection_is_idle(const struct connection *connection)
{
    return !connection->is_ended && !connection_owes(connection) &&
           stream_buffer_len(&connection->incoming) == 0;
}

static bool connection_may_ask(const struct connection *connection)
{
    return !connection->is_ended && (!connection->owner->is_stopped || !connection->has_asked) &&
           connection->unanswered < LISTEN_TCP_UNANSWERED_MAX &&
           stream_buffer_len(&connection->outgoing) < LISTEN_TCP_QUEUE_PAUSE;
}

/* Sends what the kernel takes. */
static void connection_write(struct connection *connection, int64_t now)
{
    size_t len;
    const uint8_t *bytes = stream_buffer_pending(&connection->outgoing, &len);
    while (len > 0) {
        ssize_t sent = send(connection->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK) {
                connection_end(connection, NULL);
            } else if (connection->unread_since == 0) {
                connection->unread_since = now;
            }
            return;
        }
        stream_buffer_consume(&connection->outgoing, (size_t)sent);
        connection->unread_since = 0;
        connection_mark_active(connection, now);
        bytes = stream_buffer_pending(&connection->outgoing, &len);
    }
}

static void connection_push(
    struct connection *connection, const uint8_t *message, size_t len, int64_t now)
{
    struct daemon_stats *stats = connection->owner->stats;
    if (!stream_buffer_fits(&connection->outgoing, len)) {
        connection_write(connection, now);
    }
    if (connection->is_ended || !stream_buffer_push(&connection->outgoing, message, len)) {
        counter_add(&stats->tcp_unsent, 1);
        connection_end(connection, &stats->tcp_closed_unread);
        return;
    }
    counter_add(&stats->tcp_sent, 1);
    connection_touch(connection);
}

static void connection_ask(
    struct connection *connection, const uint8_t *query, size_t len, int64_t now)
{
    struct listen_tcp *listen_tcp = connection->owner;
    struct ask ask = {
        .client = {.address = connection->client, .line = connection->id, .is_stream = true},
        .query = query,
        .len = len,
        .answer = listen_tcp->answer,
    };
    counter_add(&listen_tcp->stats->tcp_received, 1);
    connection->has_asked = true;
    if (len < HEADER_SIZE) {
        connection_end(connection, &listen_tcp->stats->tcp_closed_malformed);
        return;
    }
    switch (resolver_ask(listen_tcp->resolver, &ask, now)) {
    case ASK_ANSWERED:
        connection_push(connection, ask.answer, ask.answer_len, now);
        break;
    case ASK_PARKED:
        connection->unanswered++;
        break;
    case ASK_DROPPED:
        connection_end(connection, &listen_tcp->stats->tcp_closed_malformed);
        break;
    }
}

/* Asks what has arrived whole, as far as the limits let it. */
static void connection_consume(struct connection *connection, int64_t now)
{
    bool has_asked = false;
    bool is_partial = false;
    while (!is_partial && connection_may_ask(connection)) {
        const uint8_t *query;
        size_t len;
        switch (stream_buffer_take(&connection->incoming, &query, &len)) {
        case STREAM_BUFFER_MESSAGE:
            connection_ask(connection, query, len, now);
            has_asked = true;
            break;
        case STREAM_BUFFER_PARTIAL:
            is_partial = true;
            break;
        case STREAM_BUFFER_TOO_LONG:
            connection_end(connection, &connection->owner->stats->tcp_closed_malformed);
            break;
        }
    }
    if (has_asked) {
        connection_mark_active(connection, now);
    }
    /* A query that trickles in byte by byte gains no time; only a finished one does. */
    if (!is_partial || stream_buffer_len(&connection->incoming) == 0) {
        connection->unfinished_since = 0;
    } else if (has_asked || connection->unfinished_since == 0) {
        connection->unfinished_since = now;
    }
    connection_touch(connection);
}

static void watcher_set_active(struct ev_loop *loop, ev_io *watcher, bool is_active)
{
    if (is_active) {
        ev_io_start(loop, watcher);
    } else {
        ev_io_stop(loop, watcher);
    }
}

/* A limit has stopped it before all that has come was looked at, and does so no longer. Nothing
 * more need come of such a client, who may well wait for his answers first. */
static bool connection_is_due(const struct connection *connection)
{
    return connection->unfinished_since == 0 && stream_buffer_len(&connection->incoming) > 0 &&
           connection_may_ask(connection);
}

/* What the connection does next, after whatever happened to it in this turn. */
static void connection_settle(struct connection *connection, int64_t now)
{
    struct ev_loop *loop = connection->owner->loop;
    connection_write(connection, now);
    resolver_settle(connection->owner->resolver, clock_now() - now);
    while (connection_is_due(connection)) {
        connection_consume(connection, now);
        connection_write(connection, now);
    }
    if (connection->is_read_closed && !connection_owes(connection)) {
        connection_end(connection, NULL);
    }
    if (connection->is_ended) {
        return;
    }
    watcher_set_active(
        loop, &connection->readable, !connection->is_read_closed && connection_may_ask(connection));
    watcher_set_active(loop, &connection->writable, stream_buffer_len(&connection->outgoing) > 0);
}

void listen_tcp_flush(struct listen_tcp *listen_tcp, int64_t now)
{
    struct list *link;
    while ((link = list_take_first(&listen_tcp->touched)) != NULL) {
        struct connection *connection = list_entry(link, struct connection, touched);
        if (!connection->is_ended) {
            connection_settle(connection, now);
        }
        if (connection->is_ended) {
            connection_reap(connection);
        }
    }
}

static void connection_on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    struct connection *connection = watcher->data;
    size_t size;
    uint8_t *room = stream_buffer_room(&connection->incoming, &size);
    ssize_t got = recv(connection->fd, room, size, MSG_DONTWAIT);
    if (got > 0) {
        stream_buffer_filled(&connection->incoming, (size_t)got);
        connection_consume(connection, clock_now());
        return;
    }
    if (got == 0) {
        ev_io_stop(connection->owner->loop, &connection->readable);
        connection->is_read_closed = true;
        connection->unfinished_since = 0;
        connection_touch(connection);
        return;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        connection_end(connection, NULL);
    }
}

static void connection_on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    connection_touch(watcher->data);
}

/* The counter of a connection that holds its place without need: nothing is owed to the client but
 * what it does not read, and nothing whole has come from it. NULL: there is need. */
static struct counter *connection_idleness(const struct connection *connection)
{
    struct daemon_stats *stats = connection->owner->stats;
    if (connection_is_idle(connection)) {
        return &stats->tcp_closed_early;
    }
    if (connection->is_ended || connection->unanswered > 0) {
        return NULL;
    }
    if (connection->unread_since != 0) {
        return &stats->tcp_closed_unread;
    }
    return connection->unfinished_since != 0 ? &stats->tcp_closed_slow : NULL;
}

/* Closes the longest inactive of the connections that hold their places without need, at once: its
 * place is wanted. One that is younger than `idle_us` may just be about to ask. */
static void listen_tcp_make_room(struct listen_tcp *listen_tcp, int64_t idle_us)
{
    int64_t now = clock_now();
    for (struct list *link = listen_tcp->by_activity.next; link != &listen_tcp->by_activity;
         link = link->next) {
        struct connection *connection = list_entry(link, struct connection, by_activity);
        struct counter *idleness = connection_idleness(connection);
        if (idleness != NULL && now - connection->active_at >= idle_us) {
            connection_end(connection, idleness);
            connection_reap(connection);
            return;
        }
    }
}

/* False: no room or no memory; the caller keeps the descriptor. */
static bool listen_tcp_open(struct listen_tcp *listen_tcp, int fd, const struct address *client)
{
    if (listen_tcp->connections.in_use == listen_tcp->connections.count) {
        listen_tcp_make_room(listen_tcp, 0);
    }
    uint64_t id;
    struct connection *connection = pool_take(&listen_tcp->connections, &id);
    if (connection == NULL) {
        return false;
    }
    connection->owner = listen_tcp;
    connection->id = id;
    connection->fd = fd;
    connection->client = *client;
    if (!stream_buffer_init(&connection->incoming, STREAM_BUFFER_PREFIX + LISTEN_TCP_QUERY_MAX) ||
        !stream_buffer_init(&connection->outgoing, LISTEN_TCP_QUEUE_MAX)) {
        stream_buffer_fini(&connection->incoming);
        pool_give(&listen_tcp->connections, id);
        return false;
    }
    ev_io_init(&connection->readable, connection_on_readable, fd, EV_READ);
    ev_io_init(&connection->writable, connection_on_writable, fd, EV_WRITE);
    connection->readable.data = connection;
    connection->writable.data = connection;
    ev_io_start(listen_tcp->loop, &connection->readable);
    connection_mark_active(connection, clock_now());
    counter_set(&listen_tcp->stats->tcp_clients, listen_tcp->connections.in_use);
    if (!ev_is_active(&listen_tcp->sweep)) {
        ev_timer_again(listen_tcp->loop, &listen_tcp->sweep);
    }
    return true;
}

static void listen_tcp_admit(struct listen_tcp *listen_tcp, int fd, const struct address *client)
{
    struct daemon_stats *stats = listen_tcp->stats;
    counter_add(&stats->tcp_accepted, 1);
    if (!allow_admits_connection(listen_tcp->settings, client, fd)) {
        counter_add(&stats->clients_not_allowed, 1);
        (void)close(fd);
    } else if (!listen_tcp_open(listen_tcp, fd, client)) {
        counter_add(&stats->tcp_refused, 1);
        (void)close(fd);
    }
}

static void listen_tcp_set_accepting(struct listen_tcp *listen_tcp, bool is_accepting)
{
    for (size_t i = 0; i < listen_tcp->acceptor_count; i++) {
        watcher_set_active(listen_tcp->loop, &listen_tcp->acceptors[i].readable, is_accepting);
    }
}

/* Out of descriptors: the waiting client would wake us again at once, for nothing. Perhaps there is
 * none: the kernel looks for a descriptor first. */
static void listen_tcp_rest(struct listen_tcp *listen_tcp, int error)
{
    counter_add(&listen_tcp->stats->tcp_accept_rests, 1);
    listen_tcp_make_room(listen_tcp, (int64_t)(LISTEN_TCP_REST_S * (double)CLOCK_US_PER_S));
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

static void connection_check_time(struct connection *connection, int64_t now)
{
    struct listen_tcp *listen_tcp = connection->owner;
    struct daemon_stats *stats = listen_tcp->stats;
    if (connection->unfinished_since != 0 &&
        now - connection->unfinished_since >= LISTEN_TCP_UNFINISHED_S * CLOCK_US_PER_S) {
        connection_end(connection, &stats->tcp_closed_slow);
    } else if (connection->unread_since != 0 &&
               now - connection->unread_since >= LISTEN_TCP_UNREAD_S * CLOCK_US_PER_S) {
        connection_end(connection, &stats->tcp_closed_unread);
    } else if (connection_is_idle(connection) &&
               now - connection->active_at >= listen_tcp->settings->tcp_idle_us) {
        connection_end(connection, &stats->tcp_closed_idle);
    }
}

static void listen_tcp_on_sweep(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct listen_tcp *listen_tcp = watcher->data;
    int64_t now = clock_now();
    for (uint32_t i = 0; i < listen_tcp->connections.count; i++) {
        struct connection *connection = pool_at(&listen_tcp->connections, i);
        if (connection != NULL) {
            connection_check_time(connection, now);
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
    listen_tcp->resolver = options->resolver;
    listen_tcp->stats = options->stats;
    list_init(&listen_tcp->by_activity);
    list_init(&listen_tcp->touched);
    ev_timer_init(&listen_tcp->rest, listen_tcp_on_rested, LISTEN_TCP_REST_S, 0.);
    ev_timer_init(&listen_tcp->sweep, listen_tcp_on_sweep, 0., SWEEP_S_MAX);
    listen_tcp->rest.data = listen_tcp;
    listen_tcp->sweep.data = listen_tcp;
    listen_tcp_set_settings(listen_tcp, options->settings);
    listen_tcp->acceptors = calloc(options->count, sizeof *listen_tcp->acceptors);
    if (listen_tcp->acceptors == NULL ||
        !pool_init(&listen_tcp->connections, sizeof(struct connection),
            (uint32_t)options->settings->tcp_clients_max)) {
        listen_tcp_free(&listen_tcp);
        return NULL;
    }
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
    for (uint32_t i = 0; i < (*listen_tcp)->connections.count; i++) {
        struct connection *connection = pool_at(&(*listen_tcp)->connections, i);
        if (connection != NULL) {
            connection_reap(connection);
        }
    }
    ev_timer_stop((*listen_tcp)->loop, &(*listen_tcp)->sweep);
    pool_fini(&(*listen_tcp)->connections);
    free((*listen_tcp)->acceptors);
    free(*listen_tcp);
    *listen_tcp = NULL;
}

void listen_tcp_set_settings(struct listen_tcp *listen_tcp, const struct settings *settings)
{
    listen_tcp->settings = settings;
    double sweep_s = (double)settings->tcp_idle_us / (double)CLOCK_US_PER_S / 4.;
    sweep_s = sweep_s < SWEEP_S_MIN ? SWEEP_S_MIN : sweep_s;
    listen_tcp->sweep.repeat = sweep_s > SWEEP_S_MAX ? SWEEP_S_MAX : sweep_s;
}

void listen_tcp_stop(struct listen_tcp *listen_tcp)
{
    listen_tcp_set_accepting(listen_tcp, false);
    for (uint32_t i = 0; i < listen_tcp->connections.count; i++) {
        struct connection *connection = pool_at(&listen_tcp->connections, i);
        if (connection != NULL && ev_is_active(&connection->readable)) {
            connection_on_readable(listen_tcp->loop, &connection->readable, EV_READ);
        }
        if (connection != NULL) {
            connection_touch(connection);
        }
    }
    listen_tcp->is_stopped = true;
}

/* Who has connected and not asked yet is about to. */
static bool connection_is_fresh(const struct connection *connection, int64_t now)
{
    return !connection->is_ended && !connection->is_read_closed && !connection->has_asked &&
           now - connection->active_at < LISTEN_TCP_FRESH_MS * CLOCK_US_PER_MS;
}

bool listen_tcp_is_quiet(const struct listen_tcp *listen_tcp)
{
    int64_t now = clock_now();
    for (uint32_t i = 0; i < listen_tcp->connections.count; i++) {
        const struct connection *connection = pool_at(&listen_tcp->connections, i);
        if (connection != NULL &&
            (connection_owes(connection) || connection_is_fresh(connection, now))) {
            return false;
        }
    }
    return true;
}

void listen_tcp_deliver(
    struct listen_tcp *listen_tcp, const struct client *client, const uint8_t *message, size_t len)
{
    struct connection *connection = pool_find(&listen_tcp->connections, client->line);
    if (connection == NULL || connection->is_ended) {
        counter_add(&listen_tcp->stats->tcp_unsent, 1);
        return;
    }
    must(connection->unanswered > 0);
    connection->unanswered--;
    connection_push(connection, message, len, clock_now());
}
