/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ev.h>

#include "base/text.h"
#include "daemon/control_socket.h"
#include "daemon/stats.h"
#include "daemon/trouble.h"

#define REST_S 0.1 /* After running out of descriptors. */

/* Invariant: an answer that is being sent is not NULL, and no request is read meanwhile. */
struct client {
    ev_io readable;
    ev_io writable;
    ev_timer idle;
    struct control *owner;
    bool is_open;
    bool is_read_closed;
    bool is_last; /* Close when the answer has been sent. */
    int fd;
    struct control_peer peer;
    char line[CONTROL_LINE_MAX];
    size_t line_len;
    char *answer;
    size_t answer_len;
    size_t answer_at;
};

struct control {
    struct control_options options;
    struct control_socket socket;
    ev_io acceptable;
    ev_timer rest;
    char *scratch; /* CONTROL_ANSWER_MAX bytes: where an answer is composed. */
    struct client clients[CONTROL_CLIENTS_MAX];
};

static void client_close(struct client *client)
{
    struct ev_loop *loop = client->owner->options.loop;
    ev_io_stop(loop, &client->readable);
    ev_io_stop(loop, &client->writable);
    ev_timer_stop(loop, &client->idle);
    (void)close(client->fd);
    free(client->answer);
    client->answer = NULL;
    client->is_open = false;
}

/* Composes the answer, or says that it cannot. */
static void client_answer(struct client *client, const char *line, size_t len)
{
    static const char too_long[] = "error the answer is too long\n.\n";
    struct control *control = client->owner;
    struct text text;
    text_init(&text, control->scratch, CONTROL_ANSWER_MAX);
    if (line == NULL) {
        text_add(&text, "error the line is too long\n");
        client->is_last = true;
    } else {
        control->options.handler(control->options.world, &client->peer, line, len, &text);
    }
    text_add(&text, ".\n");
    const char *answer = text.is_cut ? too_long : text.data;
    client->answer_len = text.is_cut ? sizeof too_long - 1 : text.len;
    client->answer_at = 0;
    client->answer = malloc(client->answer_len);
    if (client->answer != NULL) {
        memcpy(client->answer, answer, client->answer_len);
    }
}

/* False: the client is closed. */
static bool client_send(struct client *client)
{
    while (client->answer != NULL && client->answer_at < client->answer_len) {
        ssize_t sent = send(client->fd, client->answer + client->answer_at,
            client->answer_len - client->answer_at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return true;
        }
        if (sent < 0) {
            client_close(client);
            return false;
        }
        client->answer_at += (size_t)sent;
    }
    free(client->answer);
    client->answer = NULL;
    return true;
}

/* Takes the next line out of what has been read. */
static bool client_take_line(struct client *client)
{
    const char *end = memchr(client->line, '\n', client->line_len);
    if (end == NULL && client->line_len < sizeof client->line) {
        return false;
    }
    if (end == NULL) {
        client_answer(client, NULL, 0);
        return true;
    }
    size_t len = (size_t)(end - client->line);
    client_answer(client, client->line, len);
    client->line_len -= len + 1;
    memmove(client->line, end + 1, client->line_len);
    return true;
}

/* Goes on with whatever can be done now. */
static void client_run(struct client *client)
{
    struct ev_loop *loop = client->owner->options.loop;
    while (client_send(client) && client->answer == NULL) {
        if (client->is_last) {
            client_close(client);
            return;
        }
        if (!client_take_line(client)) {
            break;
        }
        if (client->answer == NULL) {
            client_close(client);
            return;
        }
    }
    if (!client->is_open) {
        return;
    }
    bool is_sending = client->answer != NULL;
    if (!is_sending && client->is_read_closed) {
        client_close(client);
        return;
    }
    /* What was done may have taken long, and is not the client's idleness. */
    ev_now_update(loop);
    ev_timer_again(loop, &client->idle);
    if (is_sending) {
        ev_io_stop(loop, &client->readable);
        ev_io_start(loop, &client->writable);
    } else {
        ev_io_stop(loop, &client->writable);
        ev_io_start(loop, &client->readable);
    }
}

static void client_on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    struct client *client = watcher->data;
    ssize_t got = recv(client->fd, client->line + client->line_len,
        sizeof client->line - client->line_len, MSG_DONTWAIT);
    if (got > 0) {
        client->line_len += (size_t)got;
    } else if (got == 0) {
        client->is_read_closed = true;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return;
    } else {
        client_close(client);
        return;
    }
    client_run(client);
}

static void client_on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    client_run(watcher->data);
}

/* When the loop itself was held up for so long, what has come meanwhile is still to be read. */
static void client_on_idle(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)events;
    struct client *client = watcher->data;
    char byte;
    if (client->answer == NULL && recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
        ev_timer_again(loop, watcher);
        return;
    }
    client_close(client);
}

static bool control_peer_read(const struct control *control, int fd, struct control_peer *peer_out)
{
    struct ucred credentials;
    socklen_t len = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) != 0) {
        return false;
    }
    *peer_out = (struct control_peer){
        .uid = credentials.uid,
        .gid = credentials.gid,
        .may_write = credentials.uid == 0 || credentials.uid == geteuid() ||
                     credentials.gid == control->socket.gid,
        .may_see_names = credentials.uid == 0 || credentials.uid == geteuid(),
    };
    return true;
}

static void client_open(struct client *client, int fd, const struct control_peer *peer)
{
    client->is_open = true;
    client->is_read_closed = false;
    client->is_last = false;
    client->fd = fd;
    client->peer = *peer;
    client->line_len = 0;
    ev_io_init(&client->readable, client_on_readable, fd, EV_READ);
    ev_io_init(&client->writable, client_on_writable, fd, EV_WRITE);
    ev_timer_init(&client->idle, client_on_idle, 0., CONTROL_IDLE_S);
    client->readable.data = client;
    client->writable.data = client;
    client->idle.data = client;
    ev_io_start(client->owner->options.loop, &client->readable);
    ev_timer_again(client->owner->options.loop, &client->idle);
}

static void control_admit(struct control *control, int fd)
{
    struct control_peer peer;
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if (!control->clients[i].is_open && control_peer_read(control, fd, &peer)) {
            counter_add(&control->options.stats->control_accepted, 1);
            client_open(&control->clients[i], fd, &peer);
            return;
        }
    }
    counter_add(&control->options.stats->control_refused, 1);
    (void)close(fd);
}

static void control_on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct control *control = watcher->data;
    int fd = accept4(control->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        control_admit(control, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        ev_io_stop(loop, &control->acceptable);
        ev_timer_set(&control->rest, REST_S, 0.);
        ev_timer_start(loop, &control->rest);
    }
}

static void control_on_rested(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)events;
    struct control *control = watcher->data;
    ev_io_start(loop, &control->acceptable);
}

struct control *control_new(const struct control_options *options, struct trouble *trouble)
{
    struct control *control = calloc(1, sizeof *control);
    if (control == NULL || (control->scratch = malloc(CONTROL_ANSWER_MAX)) == NULL) {
        free(control);
        trouble_set_memory(trouble);
        return NULL;
    }
    control->options = *options;
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        control->clients[i].owner = control;
    }
    if (!control_socket_open(&control->socket, options->path, options->identity, trouble)) {
        free(control->scratch);
        free(control);
        return NULL;
    }
    ev_io_init(&control->acceptable, control_on_acceptable, control->socket.fd, EV_READ);
    control->acceptable.data = control;
    ev_timer_init(&control->rest, control_on_rested, REST_S, 0.);
    control->rest.data = control;
    ev_io_start(options->loop, &control->acceptable);
    return control;
}

void control_free(struct control **control)
{
    if (control == NULL || *control == NULL) {
        return;
    }
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        if ((*control)->clients[i].is_open) {
            client_close(&(*control)->clients[i]);
        }
    }
    ev_io_stop((*control)->options.loop, &(*control)->acceptable);
    ev_timer_stop((*control)->options.loop, &(*control)->rest);
    control_socket_fini(&(*control)->socket);
    free((*control)->scratch);
    free(*control);
    *control = NULL;
}
