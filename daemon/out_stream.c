/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/out_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <ev.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/text.h"
#include "conf/settings.h"
#include "daemon/events.h"
#include "daemon/out_connection.h"
#include "daemon/tls.h"
#include "wire/bytes.h"

/* Servers share these by their address, so that one that fails often does not silence the news of
 * another. */
#define OUT_STREAM_TLS_LIMITS 16

#define OUT_STREAM_ID_SIZE 2 /* The id is the first thing in a message. */

/*
 * One connection with the questions on it. Invariants: waiting is the length of lines; no two
 * lines have one wire_id; is_lost exactly while the peer stands in out_stream.lost or is being
 * reaped. Only the reaper gives a lost peer back, so no peer goes away inside its own events.
 */
struct out_stream_peer {
    struct list link; /* In out_stream.lost. */
    struct out_stream *out_stream;
    uint64_t id;
    struct settings_server server;
    struct out_connection *connection;
    struct list lines;
    uint32_t waiting;
    bool is_lost;
};

/* One question in flight. */
struct out_stream_line {
    struct list link; /* In its peer's lines. */
    struct out_stream_peer *peer;
    uint64_t id;
    uint64_t exchange;
    uint16_t wire_id;
};

struct out_stream {
    struct out_stream_options options;
    struct pool peers;
    struct pool lines;
    struct list lost;
    ev_timer reaper;         /* Runs while `lost` is not empty. */
    struct tls_context *tls; /* Made for the first server that has a TLS name. */
    struct log_limit limit_socket;
    struct log_limit limit_full;
    struct log_limit limits_tls[OUT_STREAM_TLS_LIMITS];
};

static void out_stream_on_reap(struct ev_loop *loop, ev_timer *timer, int revents);

static void out_stream_options_complete(struct out_stream_options *options)
{
    if (options->connect_us == 0) {
        options->connect_us = OUT_STREAM_CONNECT_S * CLOCK_US_PER_S;
    }
    if (options->silence_us == 0) {
        options->silence_us = OUT_STREAM_SILENCE_S * CLOCK_US_PER_S;
    }
    if (options->stall_us == 0) {
        options->stall_us = OUT_STREAM_STALL_S * CLOCK_US_PER_S;
    }
    if (options->idle_us == 0) {
        options->idle_us = OUT_STREAM_IDLE_S * CLOCK_US_PER_S;
    }
}

struct out_stream *out_stream_new(const struct out_stream_options *options)
{
    struct out_stream *out_stream = calloc(1, sizeof(*out_stream));
    if (out_stream == NULL) {
        return NULL;
    }
    out_stream->options = *options;
    out_stream_options_complete(&out_stream->options);
    list_init(&out_stream->lost);
    ev_timer_init(&out_stream->reaper, out_stream_on_reap, 0., 0.);
    out_stream->reaper.data = out_stream;
    bool has_peers =
        pool_init(&out_stream->peers, sizeof(struct out_stream_peer), options->connections_max);
    bool has_lines =
        pool_init(&out_stream->lines, sizeof(struct out_stream_line), options->exchanges_max);
    if (!has_peers || !has_lines) {
        out_stream_free(&out_stream);
    }
    return out_stream;
}

static void out_stream_peer_close(struct out_stream_peer *peer)
{
    list_remove(&peer->link);
    out_connection_free(&peer->connection);
    pool_give(&peer->out_stream->peers, peer->id);
}

void out_stream_free(struct out_stream **out_stream)
{
    if (out_stream == NULL || *out_stream == NULL) {
        return;
    }
    ev_timer_stop((*out_stream)->options.loop, &(*out_stream)->reaper);
    for (uint32_t i = 0; i < (*out_stream)->peers.count; i++) {
        struct out_stream_peer *peer = pool_at(&(*out_stream)->peers, i);
        if (peer != NULL) {
            out_stream_peer_close(peer);
        }
    }
    pool_fini(&(*out_stream)->peers);
    pool_fini(&(*out_stream)->lines);
    tls_context_free(&(*out_stream)->tls);
    free(*out_stream);
    *out_stream = NULL;
}

static void out_stream_line_end(struct out_stream_line *line)
{
    list_remove(&line->link);
    line->peer->waiting--;
    pool_give(&line->peer->out_stream->lines, line->id);
}

static struct out_stream_line *out_stream_peer_find(
    const struct out_stream_peer *peer, uint16_t wire_id)
{
    for (struct list *link = peer->lines.next; link != &peer->lines; link = link->next) {
        struct out_stream_line *line = list_entry(link, struct out_stream_line, link);
        if (line->wire_id == wire_id) {
            return line;
        }
    }
    return NULL;
}

/* A reply that no line waits for belongs to a withdrawn question, and is dropped. */
static uint32_t out_stream_on_message(void *owner, const uint8_t *bytes, size_t len)
{
    struct out_stream_peer *peer = owner;
    struct out_stream *out_stream = peer->out_stream;
    const struct out_stream_line *line = NULL;
    if (len >= OUT_STREAM_ID_SIZE) {
        line = out_stream_peer_find(peer, bytes_get_u16(bytes));
    }
    if (line == NULL) {
        return peer->waiting;
    }
    uint64_t id = line->id;
    const struct out_events *events = &out_stream->options.events;
    if (events->on_reply(events->world, line->exchange, bytes, len)) {
        out_stream_withdraw(out_stream, id);
    }
    return peer->waiting;
}

static struct log_limit *out_stream_limit_tls(
    struct out_stream *out_stream, const struct address *address)
{
    unsigned sum = address->port;
    for (size_t i = 0; i < sizeof(address->bytes); i++) {
        sum += address->bytes[i];
    }
    return &out_stream->limits_tls[sum % OUT_STREAM_TLS_LIMITS];
}

static void out_stream_log_tls(
    struct out_stream *out_stream, const struct address *address, const char *tls_reason)
{
    char server[ADDRESS_TEXT_SIZE];
    char quoted[2 * TLS_REASON_SIZE];
    struct text text;
    address_format(address, server, sizeof(server));
    text_init(&text, quoted, sizeof quoted);
    text_add_quoted(&text, tls_reason);
    log_event_limited(&event_upstream_untrusted, out_stream_limit_tls(out_stream, address),
        clock_now(), "server=%s why=%s", server, quoted);
}

/* May come from inside out_stream_send(), so the news wait for the reaper's turn. */
static void out_stream_on_lost(void *owner, const char *tls_reason)
{
    struct out_stream_peer *peer = owner;
    struct out_stream *out_stream = peer->out_stream;
    if (tls_reason != NULL) {
        out_stream_log_tls(out_stream, &peer->server.address, tls_reason);
    }
    peer->is_lost = true;
    list_append(&out_stream->lost, &peer->link);
    if (!ev_is_active(&out_stream->reaper)) {
        ev_timer_set(&out_stream->reaper, 0., 0.);
        ev_timer_start(out_stream->options.loop, &out_stream->reaper);
    }
}

static void out_stream_on_reap(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    struct out_stream *out_stream = timer->data;
    const struct out_events *events = &out_stream->options.events;
    struct list *link = NULL;
    while ((link = list_take_first(&out_stream->lost)) != NULL) {
        struct out_stream_peer *peer = list_entry(link, struct out_stream_peer, link);
        while (!list_is_empty(&peer->lines)) {
            struct out_stream_line *line =
                list_entry(peer->lines.next, struct out_stream_line, link);
            uint64_t exchange = line->exchange;
            out_stream_line_end(line);
            events->on_lost(events->world, exchange, LINE_BROKEN);
        }
        out_stream_peer_close(peer);
    }
}

static bool out_stream_peer_is_for(
    const struct out_stream_peer *peer, const struct settings_server *server)
{
    return !peer->is_lost && settings_server_equal(&peer->server, server);
}

static bool out_stream_peer_takes(
    const struct out_stream_peer *peer, const struct transmission *transmission)
{
    return peer->waiting < OUT_STREAM_PIPELINE_MAX &&
           out_connection_takes(peer->connection, transmission->len) &&
           out_stream_peer_find(peer, bytes_get_u16(transmission->message)) == NULL;
}

/* The least loaded connection that can take the question, or NULL; and how many there are. */
static struct out_stream_peer *out_stream_choose(struct out_stream *out_stream,
    const struct transmission *transmission, uint32_t *connections_out)
{
    struct out_stream_peer *best = NULL;
    *connections_out = 0;
    for (uint32_t i = 0; i < out_stream->peers.count; i++) {
        struct out_stream_peer *peer = pool_at(&out_stream->peers, i);
        if (peer == NULL || !out_stream_peer_is_for(peer, transmission->server)) {
            continue;
        }
        (*connections_out)++;
        if (out_stream_peer_takes(peer, transmission) &&
            (best == NULL || peer->waiting < best->waiting)) {
            best = peer;
        }
    }
    return best;
}

/* Makes room by closing a connection on which nothing is asked. One that is inside its own event
 * is spared: the bytes of the reply are its bytes. */
static void out_stream_evict(struct out_stream *out_stream)
{
    for (uint32_t i = 0; i < out_stream->peers.count; i++) {
        struct out_stream_peer *peer = pool_at(&out_stream->peers, i);
        if (peer != NULL && !peer->is_lost && peer->waiting == 0 &&
            !out_connection_is_busy(peer->connection)) {
            out_stream_peer_close(peer);
            return;
        }
    }
}

static struct out_stream_peer *out_stream_take_peer(struct out_stream *out_stream, uint64_t *id_out)
{
    if (out_stream->peers.in_use == out_stream->peers.count) {
        out_stream_evict(out_stream);
    }
    struct out_stream_peer *peer = pool_take(&out_stream->peers, id_out);
    if (peer == NULL) {
        log_event_limited(&event_upstream_streams_busy, &out_stream->limit_full, clock_now(),
            "connections=%" PRIu32, out_stream->peers.count);
    }
    return peer;
}

/* The context for this server: `*tls_out` stays NULL for plain TCP. False: TLS cannot start. */
static bool out_stream_prepare_tls(struct out_stream *out_stream,
    const struct settings_server *server, struct tls_context **tls_out)
{
    *tls_out = NULL;
    if (!settings_server_is_tls(server)) {
        return true;
    }
    if (out_stream->tls == NULL) {
        out_stream->tls = tls_context_new();
    }
    if (out_stream->tls == NULL) {
        out_stream_log_tls(out_stream, &server->address, "OpenSSL cannot start");
    }
    *tls_out = out_stream->tls;
    return out_stream->tls != NULL;
}

static struct out_stream_peer *out_stream_connect(
    struct out_stream *out_stream, const struct settings_server *server)
{
    struct out_connection_options options = {
        .loop = out_stream->options.loop,
        .limit_socket = &out_stream->limit_socket,
        .connect_us = out_stream->options.connect_us,
        .silence_us = out_stream->options.silence_us,
        .stall_us = out_stream->options.stall_us,
        .idle_us = out_stream->options.idle_us,
        .on_message = out_stream_on_message,
        .on_lost = out_stream_on_lost,
    };
    uint64_t id = POOL_NONE;
    if (!out_stream_prepare_tls(out_stream, server, &options.tls)) {
        return NULL;
    }
    struct out_stream_peer *peer = out_stream_take_peer(out_stream, &id);
    if (peer == NULL) {
        return NULL;
    }
    options.owner = peer;
    peer->out_stream = out_stream;
    peer->id = id;
    peer->server = *server;
    list_init(&peer->link);
    list_init(&peer->lines);
    peer->connection = out_connection_new(&options, server);
    if (peer->connection == NULL) {
        out_stream_peer_close(peer);
        return NULL;
    }
    return peer;
}

/* A connection that takes the question: one that stands, else a new one, else NULL. */
static struct out_stream_peer *out_stream_find_way(
    struct out_stream *out_stream, const struct transmission *transmission)
{
    uint32_t connections = 0;
    struct out_stream_peer *peer = out_stream_choose(out_stream, transmission, &connections);
    if (peer != NULL || connections >= OUT_STREAM_PER_SERVER_MAX) {
        return peer;
    }
    return out_stream_connect(out_stream, transmission->server);
}

bool out_stream_send(
    struct out_stream *out_stream, const struct transmission *transmission, uint64_t *line_out)
{
    if (transmission->len < OUT_STREAM_ID_SIZE || transmission->len > UINT16_MAX ||
        transmission->server->address.family == ADDRESS_NONE) {
        return false;
    }
    uint64_t id = POOL_NONE;
    struct out_stream_line *line = pool_take(&out_stream->lines, &id);
    if (line == NULL) {
        return false;
    }
    struct out_stream_peer *peer = out_stream_find_way(out_stream, transmission);
    if (peer == NULL) {
        pool_give(&out_stream->lines, id);
        return false;
    }
    line->peer = peer;
    line->id = id;
    line->exchange = transmission->exchange;
    line->wire_id = bytes_get_u16(transmission->message);
    list_append(&peer->lines, &line->link);
    peer->waiting++;
    *line_out = id;
    out_connection_send(peer->connection, transmission->message, transmission->len);
    return true;
}

void out_stream_withdraw(struct out_stream *out_stream, uint64_t line)
{
    struct out_stream_line *found = pool_find(&out_stream->lines, line);
    if (found != NULL) {
        out_stream_line_end(found);
    }
}

uint32_t out_stream_open(const struct out_stream *out_stream)
{
    return out_stream->peers.in_use;
}
