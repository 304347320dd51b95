/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/out_connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/text.h"
#include "conf/settings.h"
#include "daemon/events.h"
#include "daemon/out_log.h"
#include "daemon/stream_buffer.h"
#include "daemon/tls.h"

#define OUT_CONNECTION_READS_MAX 8 /* In one turn: one server must not hold the others up. */
#define OUT_CONNECTION_PRIORITY  1

/*
 * Invariants: fd >= 0 and the watchers may be active exactly while state != LOST;
 * tls != NULL implies state is HANDSHAKE or OPEN; replies_owed counts what was sent and not
 * answered, withdrawn questions included, because a server that answers nothing at all is dead
 * even if nobody waits long enough to see it.
 */
struct out_connection {
    struct out_connection_options options;
    struct settings_server server;
    enum out_connection_state state;
    int fd;
    ev_io io;
    ev_timer timer; /* The one limit that holds now: connect, silence, stall or idle. */
    struct tls_line *tls;
    struct stream_buffer in;
    struct stream_buffer out;
    uint32_t replies_owed;
    int read_wants;  /* EV_READ or EV_WRITE: TLS may need the other one. */
    int write_wants; /* Likewise; 0: nothing waits to be written. */
    bool is_busy;
    bool has_begun; /* A message has come in part. */
};

/* What a plain socket's result means, in the verdicts of TLS, so that the rest knows one set. */
static enum tls_verdict out_connection_judge(ssize_t moved, enum tls_verdict wait, size_t *len_out)
{
    *len_out = moved > 0 ? (size_t)moved : 0;
    if (moved > 0) {
        return TLS_DONE;
    }
    if (moved == 0) {
        return TLS_CLOSED;
    }
    return errno == EAGAIN || errno == EINTR ? wait : TLS_FAILED;
}

static enum tls_verdict out_connection_receive(
    struct out_connection *connection, uint8_t *room, size_t size, size_t *len_out)
{
    if (connection->tls != NULL) {
        return tls_read(connection->tls, room, size, len_out);
    }
    return out_connection_judge(recv(connection->fd, room, size, 0), TLS_WANT_READ, len_out);
}

static enum tls_verdict out_connection_transmit(
    struct out_connection *connection, const uint8_t *bytes, size_t len, size_t *len_out)
{
    if (connection->tls != NULL) {
        return tls_write(connection->tls, bytes, len, len_out);
    }
    return out_connection_judge(
        send(connection->fd, bytes, len, MSG_NOSIGNAL), TLS_WANT_WRITE, len_out);
}

static void out_connection_arm(struct out_connection *connection, int64_t limit_us)
{
    connection->timer.repeat = (double)limit_us / (double)CLOCK_US_PER_S;
    ev_timer_again(connection->options.loop, &connection->timer);
}

static int64_t out_connection_limit(const struct out_connection *connection)
{
    if (connection->has_begun) {
        return connection->options.stall_us;
    }
    return connection->replies_owed > 0 ? connection->options.silence_us
                                        : connection->options.idle_us;
}

static void out_connection_arm_open(struct out_connection *connection)
{
    out_connection_arm(connection, out_connection_limit(connection));
}

static void out_connection_watch(struct out_connection *connection, int events)
{
    if (ev_is_active(&connection->io) && (connection->io.events & (EV_READ | EV_WRITE)) == events) {
        return;
    }
    ev_io_stop(connection->options.loop, &connection->io);
    ev_io_set(&connection->io, connection->fd, events);
    ev_io_start(connection->options.loop, &connection->io);
}

static void out_connection_close(struct out_connection *connection)
{
    ev_io_stop(connection->options.loop, &connection->io);
    ev_timer_stop(connection->options.loop, &connection->timer);
    tls_line_free(&connection->tls);
    if (connection->fd >= 0) {
        close(connection->fd);
    }
    connection->fd = -1;
    connection->state = OUT_CONNECTION_LOST;
}

/* `reason` must not live in the TLS line, which ends here. */
static void out_connection_lose(struct out_connection *connection, const char *reason)
{
    char address[ADDRESS_TEXT_SIZE];
    address_format(&connection->server.address, address, sizeof(address));
    log_event(&event_upstream_closed, "server=%s why=\"%s\"", address, reason);
    bool is_handshake = connection->state == OUT_CONNECTION_HANDSHAKE;
    out_connection_close(connection);
    connection->options.on_lost(connection->options.owner, is_handshake ? reason : NULL);
}

static void out_connection_lose_tls(struct out_connection *connection)
{
    char reason[TLS_REASON_SIZE];
    struct text text;
    text_init(&text, reason, sizeof(reason));
    text_add(&text, tls_reason(connection->tls));
    out_connection_lose(connection, reason);
}

/* True: bytes have moved, go on. Else `*wants` is what to wait for, or the connection is lost. */
static bool out_connection_has_moved(
    struct out_connection *connection, enum tls_verdict verdict, int *wants)
{
    switch (verdict) {
    case TLS_DONE:
        return true;
    case TLS_WANT_READ:
        *wants = EV_READ;
        return false;
    case TLS_WANT_WRITE:
        *wants = EV_WRITE;
        return false;
    case TLS_CLOSED:
        out_connection_lose(connection, "closed by the server");
        return false;
    case TLS_FAILED:
        if (connection->tls != NULL) {
            out_connection_lose_tls(connection);
        } else {
            out_connection_lose(connection, strerror(errno));
        }
        return false;
    }
    return false;
}

static void out_connection_flush(struct out_connection *connection)
{
    size_t len = 0;
    const uint8_t *bytes = stream_buffer_pending(&connection->out, &len);
    connection->write_wants = 0;
    while (len > 0) {
        size_t moved = 0;
        enum tls_verdict verdict = out_connection_transmit(connection, bytes, len, &moved);
        if (!out_connection_has_moved(connection, verdict, &connection->write_wants)) {
            return;
        }
        stream_buffer_consume(&connection->out, moved);
        bytes = stream_buffer_pending(&connection->out, &len);
    }
}

static void out_connection_on_message(
    struct out_connection *connection, const uint8_t *message, size_t len)
{
    connection->is_busy = true;
    uint32_t waiting = connection->options.on_message(connection->options.owner, message, len);
    connection->is_busy = false;
    if (connection->replies_owed > 0) {
        connection->replies_owed--;
    }
    /* A message nobody asked for must not pay for one that somebody waits for. */
    if (connection->replies_owed < waiting) {
        connection->replies_owed = waiting;
    }
}

/* All whole messages that have come. False: the connection is lost. */
static bool out_connection_take_messages(struct out_connection *connection)
{
    bool has_heard = false;
    const uint8_t *message = NULL;
    size_t len = 0;
    while (stream_buffer_take(&connection->in, &message, &len) == STREAM_BUFFER_MESSAGE) {
        out_connection_on_message(connection, message, len);
        if (connection->state == OUT_CONNECTION_LOST) {
            return false;
        }
        has_heard = true;
    }
    /* What has come only in part may never be whole, and nothing gets past it: whoever asks on
     * would be put behind it. */
    bool has_begun = stream_buffer_len(&connection->in) > 0;
    bool has_changed = has_begun != connection->has_begun;
    connection->has_begun = has_begun;
    if (has_heard || has_changed) {
        out_connection_arm_open(connection);
    }
    return true;
}

/* What stands decrypted in OpenSSL must be read now: no event would tell of it. */
static bool out_connection_may_read_on(const struct out_connection *connection, unsigned reads)
{
    return reads < OUT_CONNECTION_READS_MAX ||
           (connection->tls != NULL && tls_has_pending(connection->tls));
}

static void out_connection_read(struct out_connection *connection)
{
    connection->read_wants = EV_READ;
    for (unsigned reads = 0; out_connection_may_read_on(connection, reads); reads++) {
        size_t size = 0;
        size_t len = 0;
        uint8_t *room = stream_buffer_room(&connection->in, &size);
        enum tls_verdict verdict = out_connection_receive(connection, room, size, &len);
        if (!out_connection_has_moved(connection, verdict, &connection->read_wants)) {
            return;
        }
        stream_buffer_filled(&connection->in, len);
        if (!out_connection_take_messages(connection)) {
            return;
        }
    }
}

static void out_connection_move(struct out_connection *connection, int revents)
{
    if ((revents & connection->read_wants) != 0) {
        out_connection_read(connection);
    }
    if (connection->state == OUT_CONNECTION_OPEN && (revents & connection->write_wants) != 0) {
        out_connection_flush(connection);
    }
    if (connection->state == OUT_CONNECTION_OPEN) {
        out_connection_watch(connection, connection->read_wants | connection->write_wants);
    }
}

static void out_connection_opened(struct out_connection *connection)
{
    connection->state = OUT_CONNECTION_OPEN;
    connection->read_wants = EV_READ;
    connection->write_wants = EV_WRITE;
    out_connection_arm_open(connection);
    out_connection_move(connection, EV_READ | EV_WRITE);
}

static void out_connection_shake_hands(struct out_connection *connection)
{
    enum tls_verdict verdict = tls_connect_step(connection->tls);
    int wants = 0;
    if (out_connection_has_moved(connection, verdict, &wants)) {
        out_connection_opened(connection);
    } else if (connection->state == OUT_CONNECTION_HANDSHAKE) {
        out_connection_watch(connection, wants);
    }
}

static void out_connection_connected(struct out_connection *connection)
{
    int error_number = 0;
    socklen_t len = sizeof(error_number);
    if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error_number, &len) != 0) {
        error_number = errno;
    }
    if (error_number != 0) {
        out_connection_lose(connection, strerror(error_number));
        return;
    }
    if (connection->options.tls == NULL) {
        out_connection_opened(connection);
        return;
    }
    struct tls_peer peer = {
        .name = connection->server.tls_name,
        .pins = connection->server.pins,
        .pin_count = connection->server.pin_count,
    };
    connection->tls = tls_line_new(connection->options.tls, connection->fd, &peer);
    connection->state = OUT_CONNECTION_HANDSHAKE;
    if (connection->tls == NULL) {
        out_connection_lose(connection, "no memory for TLS, or the TLS name is not a name");
        return;
    }
    out_connection_shake_hands(connection);
}

static void out_connection_on_ready(struct ev_loop *loop, ev_io *io, int revents)
{
    (void)loop;
    struct out_connection *connection = io->data;
    switch (connection->state) {
    case OUT_CONNECTION_CONNECTING:
        out_connection_connected(connection);
        break;
    case OUT_CONNECTION_HANDSHAKE:
        out_connection_shake_hands(connection);
        break;
    case OUT_CONNECTION_OPEN:
        out_connection_move(connection, revents);
        break;
    case OUT_CONNECTION_LOST:
        break;
    }
}

static void out_connection_on_limit(struct ev_loop *loop, ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    struct out_connection *connection = timer->data;
    switch (connection->state) {
    case OUT_CONNECTION_CONNECTING:
        out_connection_lose(connection, "does not answer");
        break;
    case OUT_CONNECTION_HANDSHAKE:
        out_connection_lose(connection, "no TLS handshake in time; does this port speak TLS?");
        break;
    case OUT_CONNECTION_OPEN:
        out_connection_lose(connection, connection->replies_owed > 0 ? "silent" : "idle");
        break;
    case OUT_CONNECTION_LOST:
        break;
    }
}

/* A socket on its way to the server, or -1. */
static int out_connection_dial(
    const struct out_connection_options *options, const struct address *server)
{
    struct sockaddr_storage sockaddr;
    socklen_t sockaddr_len = address_to_sockaddr(server, &sockaddr);
    int fd = socket(sockaddr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        out_log_socket(options->limit_socket, "TCP", errno);
        return -1;
    }
    /* Without these options we are only slower, so a failure is no failure. */
    int on = 1;
    unsigned silence_ms = (unsigned)(options->silence_us / CLOCK_US_PER_MS);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof(silence_ms));
    if (connect(fd, (const struct sockaddr *)&sockaddr, sockaddr_len) != 0 &&
        errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

struct out_connection *out_connection_new(
    const struct out_connection_options *options, const struct settings_server *server)
{
    struct out_connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        return NULL;
    }
    connection->options = *options;
    connection->server = *server;
    connection->fd = -1;
    ev_init(&connection->io, out_connection_on_ready);
    ev_init(&connection->timer, out_connection_on_limit);
    ev_set_priority(&connection->io, OUT_CONNECTION_PRIORITY);
    connection->io.data = connection;
    connection->timer.data = connection;
    if (!stream_buffer_init(&connection->in, STREAM_BUFFER_SIZE_WHOLE) ||
        !stream_buffer_init(&connection->out, STREAM_BUFFER_SIZE_WHOLE)) {
        out_connection_free(&connection);
        return NULL;
    }
    connection->fd = out_connection_dial(options, &server->address);
    if (connection->fd < 0) {
        out_connection_free(&connection);
        return NULL;
    }
    out_connection_watch(connection, EV_WRITE);
    out_connection_arm(connection, options->connect_us);
    return connection;
}

void out_connection_free(struct out_connection **connection)
{
    if (connection == NULL || *connection == NULL) {
        return;
    }
    must(!(*connection)->is_busy);
    out_connection_close(*connection);
    stream_buffer_fini(&(*connection)->in);
    stream_buffer_fini(&(*connection)->out);
    free(*connection);
    *connection = NULL;
}

bool out_connection_takes(const struct out_connection *connection, size_t len)
{
    return connection->state != OUT_CONNECTION_LOST && stream_buffer_fits(&connection->out, len);
}

void out_connection_send(struct out_connection *connection, const uint8_t *message, size_t len)
{
    must(out_connection_takes(connection, len));
    bool was_waiting = stream_buffer_len(&connection->out) > 0;
    bool was_idle = connection->replies_owed == 0;
    (void)stream_buffer_push(&connection->out, message, len);
    connection->replies_owed++;
    if (connection->state != OUT_CONNECTION_OPEN) {
        return;
    }
    if (was_idle && !connection->has_begun) {
        out_connection_arm_open(connection);
    }
    /* What waits already waits for an event, and order must hold. */
    if (was_waiting) {
        return;
    }
    out_connection_flush(connection);
    if (connection->state == OUT_CONNECTION_OPEN) {
        out_connection_watch(connection, connection->read_wants | connection->write_wants);
    }
}

bool out_connection_is_busy(const struct out_connection *connection)
{
    return connection->is_busy;
}

enum out_connection_state out_connection_state(const struct out_connection *connection)
{
    return connection->state;
}
