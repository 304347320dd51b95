/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/listen_connections.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/must.h"
#include "base/pool.h"
#include "wire/header.h"
#include "resolver/resolver.h"
#include "daemon/allow.h"
#include "daemon/stats.h"
#include "daemon/stream_buffer.h"

/* How often limits of time are looked at: a quarter of what may be idle, within these. */
#define SWEEP_S_MIN 0.05
#define SWEEP_S_MAX 1.0

/* Invariants: unanswered <= LISTEN_CONNECTIONS_UNANSWERED_MAX; an ended connection stands in
 * `touched`. */
struct connection {
    ev_io readable;
    ev_io writable;
    struct listen_connections *owner;
    uint64_t id;
    int fd;
    struct address client;
    struct stream_buffer incoming;
    struct stream_buffer outgoing;
    struct list by_activity; /* In listen_connections.by_activity: the longest silent one first. */
    struct list touched; /* In listen_connections.touched: to be looked at when the turn ends. */
    unsigned unanswered; /* Questions that wait in the resolver. */
    int64_t active_at;
    int64_t unfinished_since; /* 0: no query has arrived in part. */
    int64_t unread_since;     /* 0: nothing waits to be sent. */
    bool has_asked;
    bool is_read_closed; /* The client will ask no more, but may still read. */
    bool is_ended;
};

struct listen_connections {
    struct ev_loop *loop;
    struct resolver *resolver;
    struct daemon_stats *stats;
    struct pool pool;
    struct list by_activity;
    struct list touched;
    ev_timer sweep;
    int64_t idle_us;
    bool is_stopped;
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
    struct listen_connections *all = connection->owner;
    ev_io_stop(all->loop, &connection->readable);
    ev_io_stop(all->loop, &connection->writable);
    (void)close(connection->fd);
    stream_buffer_fini(&connection->incoming);
    stream_buffer_fini(&connection->outgoing);
    list_remove(&connection->by_activity);
    list_remove(&connection->touched);
    pool_give(&all->pool, connection->id);
    counter_set(&all->stats->tcp_clients, all->pool.in_use);
    if (all->pool.in_use == 0) {
        ev_timer_stop(all->loop, &all->sweep);
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
           connection->unanswered < LISTEN_CONNECTIONS_UNANSWERED_MAX &&
           stream_buffer_len(&connection->outgoing) < LISTEN_CONNECTIONS_QUEUE_PAUSE;
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
    struct listen_connections *all = connection->owner;
    struct ask ask = {
        .client = {.address = connection->client, .line = connection->id, .is_stream = true},
        .query = query,
        .len = len,
        .answer = all->answer,
    };
    counter_add(&all->stats->tcp_received, 1);
    connection->has_asked = true;
    if (len < HEADER_SIZE) {
        connection_end(connection, &all->stats->tcp_closed_malformed);
        return;
    }
    switch (resolver_ask(all->resolver, &ask, now)) {
    case ASK_ANSWERED:
        connection_push(connection, ask.answer, ask.answer_len, now);
        break;
    case ASK_PARKED:
        connection->unanswered++;
        break;
    case ASK_DROPPED:
        connection_end(connection, &all->stats->tcp_closed_malformed);
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

void listen_connections_flush(struct listen_connections *all, int64_t now)
{
    struct list *link;
    while ((link = list_take_first(&all->touched)) != NULL) {
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

void listen_connections_make_room(struct listen_connections *all, int64_t idle_us)
{
    int64_t now = clock_now();
    for (struct list *link = all->by_activity.next; link != &all->by_activity; link = link->next) {
        struct connection *connection = list_entry(link, struct connection, by_activity);
        struct counter *idleness = connection_idleness(connection);
        if (idleness != NULL && now - connection->active_at >= idle_us) {
            connection_end(connection, idleness);
            connection_reap(connection);
            return;
        }
    }
}

bool listen_connections_open(struct listen_connections *all, int fd, const struct address *client)
{
    if (all->pool.in_use == all->pool.count) {
        listen_connections_make_room(all, 0);
    }
    uint64_t id;
    struct connection *connection = pool_take(&all->pool, &id);
    if (connection == NULL) {
        return false;
    }
    connection->owner = all;
    connection->id = id;
    connection->fd = fd;
    connection->client = *client;
    if (!stream_buffer_init(
            &connection->incoming, STREAM_BUFFER_PREFIX + LISTEN_CONNECTIONS_QUERY_MAX) ||
        !stream_buffer_init(&connection->outgoing, LISTEN_CONNECTIONS_QUEUE_MAX)) {
        stream_buffer_fini(&connection->incoming);
        pool_give(&all->pool, id);
        return false;
    }
    ev_io_init(&connection->readable, connection_on_readable, fd, EV_READ);
    ev_io_init(&connection->writable, connection_on_writable, fd, EV_WRITE);
    connection->readable.data = connection;
    connection->writable.data = connection;
    ev_io_start(all->loop, &connection->readable);
    connection_mark_active(connection, clock_now());
    counter_set(&all->stats->tcp_clients, all->pool.in_use);
    if (!ev_is_active(&all->sweep)) {
        ev_timer_again(all->loop, &all->sweep);
    }
    return true;
}

static void connection_check_time(struct connection *connection, int64_t now)
{
    struct listen_connections *all = connection->owner;
    struct daemon_stats *stats = all->stats;
    if (connection->unfinished_since != 0 &&
        now - connection->unfinished_since >= LISTEN_CONNECTIONS_UNFINISHED_S * CLOCK_US_PER_S) {
        connection_end(connection, &stats->tcp_closed_slow);
    } else if (connection->unread_since != 0 &&
               now - connection->unread_since >= LISTEN_CONNECTIONS_UNREAD_S * CLOCK_US_PER_S) {
        connection_end(connection, &stats->tcp_closed_unread);
    } else if (connection_is_idle(connection) && now - connection->active_at >= all->idle_us) {
        connection_end(connection, &stats->tcp_closed_idle);
    }
}

static void listen_connections_on_sweep(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct listen_connections *all = watcher->data;
    int64_t now = clock_now();
    for (uint32_t i = 0; i < all->pool.count; i++) {
        struct connection *connection = pool_at(&all->pool, i);
        if (connection != NULL) {
            connection_check_time(connection, now);
        }
    }
}

struct listen_connections *listen_connections_new(const struct listen_connections_options *options)
{
    struct listen_connections *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return NULL;
    }
    all->loop = options->loop;
    all->resolver = options->resolver;
    all->stats = options->stats;
    list_init(&all->by_activity);
    list_init(&all->touched);
    ev_timer_init(&all->sweep, listen_connections_on_sweep, 0., SWEEP_S_MAX);
    all->sweep.data = all;
    if (!pool_init(&all->pool, sizeof(struct connection), options->count_max)) {
        listen_connections_free(&all);
        return NULL;
    }
    return all;
}

void listen_connections_free(struct listen_connections **all)
{
    if (all == NULL || *all == NULL) {
        return;
    }
    for (uint32_t i = 0; i < (*all)->pool.count; i++) {
        struct connection *connection = pool_at(&(*all)->pool, i);
        if (connection != NULL) {
            connection_reap(connection);
        }
    }
    ev_timer_stop((*all)->loop, &(*all)->sweep);
    pool_fini(&(*all)->pool);
    free(*all);
    *all = NULL;
}

void listen_connections_set_idle(struct listen_connections *all, int64_t idle_us)
{
    double sweep_s = (double)idle_us / (double)CLOCK_US_PER_S / 4.;
    all->idle_us = idle_us;
    sweep_s = sweep_s < SWEEP_S_MIN ? SWEEP_S_MIN : sweep_s;
    all->sweep.repeat = sweep_s > SWEEP_S_MAX ? SWEEP_S_MAX : sweep_s;
}

void listen_connections_sift(struct listen_connections *all, const struct settings *settings)
{
    for (uint32_t i = 0; i < all->pool.count; i++) {
        struct connection *connection = pool_at(&all->pool, i);
        if (connection != NULL &&
            !allow_admits_connection(settings, &connection->client, connection->fd)) {
            connection_end(connection, &all->stats->clients_not_allowed);
        }
    }
}

void listen_connections_stop(struct listen_connections *all)
{
    for (uint32_t i = 0; i < all->pool.count; i++) {
        struct connection *connection = pool_at(&all->pool, i);
        if (connection != NULL && ev_is_active(&connection->readable)) {
            connection_on_readable(all->loop, &connection->readable, EV_READ);
        }
        if (connection != NULL) {
            connection_touch(connection);
        }
    }
    all->is_stopped = true;
}

/* Who has connected and not asked yet is about to. */
static bool connection_is_fresh(const struct connection *connection, int64_t now)
{
    return !connection->is_ended && !connection->is_read_closed && !connection->has_asked &&
           now - connection->active_at < LISTEN_CONNECTIONS_FRESH_MS * CLOCK_US_PER_MS;
}

bool listen_connections_is_quiet(const struct listen_connections *all)
{
    int64_t now = clock_now();
    for (uint32_t i = 0; i < all->pool.count; i++) {
        const struct connection *connection = pool_at(&all->pool, i);
        if (connection != NULL &&
            (connection_owes(connection) || connection_is_fresh(connection, now))) {
            return false;
        }
    }
    return true;
}

void listen_connections_deliver(
    struct listen_connections *all, const struct client *client, const uint8_t *message, size_t len)
{
    struct connection *connection = pool_find(&all->pool, client->line);
    if (connection == NULL || connection->is_ended) {
        counter_add(&all->stats->tcp_unsent, 1);
        return;
    }
    must(connection->unanswered > 0);
    connection->unanswered--;
    connection_push(connection, message, len, clock_now());
}
