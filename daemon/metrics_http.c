/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_http.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ev.h>

#include "base/address.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/settings.h"
#include "daemon/events.h"
#include "daemon/stats.h"

#define HEAD_SIZE    512
#define REST_S       0.1 /* After running out of descriptors. */
#define ACCEPT_QUEUE 16

/* One connection. Invariant: an answer that is being sent is not NULL, and nothing is read then. */
struct visitor {
    ev_io readable;
    ev_io writable;
    ev_timer patience;
    struct metrics_http *owner;
    bool is_open;
    bool is_by_loopback;
    int fd;
    char request[HTTP_REQUEST_MAX];
    size_t request_len;
    char *answer;
    size_t answer_len;
    size_t answer_at;
};

struct http_listener {
    ev_io acceptable;
    ev_timer rest;
    struct metrics_http *owner;
    int fd;
};

struct metrics_http {
    struct metrics_http_options options;
    char *body; /* METRICS_HTTP_BODY_MAX bytes: where a page is composed. */
    size_t listener_count;
    struct http_listener listeners[SETTINGS_LISTEN_MAX];
    struct visitor visitors[METRICS_HTTP_CLIENTS_MAX];
};

static void visitor_close(struct visitor *visitor)
{
    struct ev_loop *loop = visitor->owner->options.loop;
    ev_io_stop(loop, &visitor->readable);
    ev_io_stop(loop, &visitor->writable);
    ev_timer_stop(loop, &visitor->patience);
    (void)close(visitor->fd);
    free(visitor->answer);
    visitor->answer = NULL;
    visitor->is_open = false;
}

static const char *verdict_status(enum http_verdict verdict)
{
    switch (verdict) {
    case HTTP_MORE:
    case HTTP_MALFORMED:
        return "400 Bad Request";
    case HTTP_GOOD:
        return "200 OK";
    case HTTP_NOT_ALLOWED:
        return "405 Method Not Allowed";
    case HTTP_TOO_LARGE:
        return "431 Request Header Fields Too Large";
    case HTTP_UNKNOWN_VERSION:
        return "505 HTTP Version Not Supported";
    }
    return "400 Bad Request";
}

/* What goes out: a head, and a body unless only the head was asked for. */
struct page {
    const char *status;
    const char *type;
    struct text body;
    bool is_head;
};

/* Nothing of a page may be run, framed, guessed at or kept. */
static void page_write_head(const struct page *page, struct text *head)
{
    text_addf(head,
        "HTTP/1.1 %s\r\n"
        "Content-Type: %s\r\n"
        "Content-Length: %zu\r\n"
        "Connection: close\r\n"
        "Cache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'\r\n",
        page->status, page->type, page->body.len);
    text_add(head, strncmp(page->status, "405", 3) == 0 ? "Allow: GET, HEAD\r\n\r\n" : "\r\n");
}

/* False: no memory for it; the visitor gets nothing. */
static bool visitor_take_page(struct visitor *visitor, const struct page *page)
{
    char head_data[HEAD_SIZE];
    struct text head;
    text_init(&head, head_data, sizeof head_data);
    page_write_head(page, &head);
    size_t body_len = page->is_head ? 0 : page->body.len;
    visitor->answer_len = head.len + body_len;
    visitor->answer_at = 0;
    visitor->answer = malloc(visitor->answer_len);
    if (visitor->answer == NULL) {
        return false;
    }
    memcpy(visitor->answer, head.data, head.len);
    memcpy(visitor->answer + head.len, page->body.data, body_len);
    return true;
}

static void page_fail(struct page *page, const char *status)
{
    page->status = status;
    page->type = "text/plain; charset=utf-8";
    page->body.len = 0;
    page->body.is_cut = false;
    text_addf(&page->body, "%s\n", status);
}

/* Who got here by a name of his own is told what to call us. */
static void page_misdirect(struct page *page)
{
    page_fail(page, "421 Misdirected Request");
    text_add(&page->body,
        "By loopback these pages are given to those who ask for an address or for "
        "localhost, such as\nhttp://127.0.0.1:9153/, and not for another name: "
        "it may be that of a web page elsewhere.\nA proxy in front of them must "
        "send `Host: localhost`.\n");
}

static bool visitor_answer(
    struct visitor *visitor, enum http_verdict verdict, const struct http_request *request)
{
    struct metrics_http *metrics_http = visitor->owner;
    struct page page = {.status = verdict_status(verdict), .is_head = request->is_head};
    text_init(&page.body, metrics_http->body, METRICS_HTTP_BODY_MAX);
    if (verdict == HTTP_GOOD && visitor->is_by_loopback && request->has_foreign_host) {
        counter_add(&metrics_http->options.stats->http_misdirected, 1);
        page_misdirect(&page);
    } else if (verdict == HTTP_GOOD) {
        page.type = metrics_http->options.handler(metrics_http->options.world, request, &page.body);
        counter_add(&metrics_http->options.stats->http_requests, 1);
        if (page.type == NULL) {
            page_fail(&page, "404 Not Found");
        } else if (page.body.is_cut) {
            page_fail(&page, "500 Internal Server Error");
        }
    } else {
        page_fail(&page, page.status);
    }
    return visitor_take_page(visitor, &page);
}

static void visitor_send(struct visitor *visitor)
{
    struct ev_loop *loop = visitor->owner->options.loop;
    while (visitor->answer_at < visitor->answer_len) {
        ssize_t sent = send(visitor->fd, visitor->answer + visitor->answer_at,
            visitor->answer_len - visitor->answer_at, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            ev_io_start(loop, &visitor->writable);
            return;
        }
        if (sent < 0) {
            break;
        }
        visitor->answer_at += (size_t)sent;
    }
    (void)shutdown(visitor->fd, SHUT_WR);
    visitor_close(visitor);
}

static void visitor_on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop;
    (void)events;
    visitor_send(watcher->data);
}

static void visitor_on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct visitor *visitor = watcher->data;
    ssize_t got = recv(visitor->fd, visitor->request + visitor->request_len,
        sizeof visitor->request - visitor->request_len, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        visitor_close(visitor);
        return;
    }
    visitor->request_len += (size_t)got;
    struct http_request request = {.is_head = false};
    enum http_verdict verdict = http_request_read(visitor->request, visitor->request_len, &request);
    if (verdict == HTTP_MORE) {
        return;
    }
    ev_io_stop(loop, &visitor->readable);
    if (!visitor_answer(visitor, verdict, &request)) {
        visitor_close(visitor);
        return;
    }
    visitor_send(visitor);
}

static void visitor_on_patience(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop;
    (void)events;
    struct visitor *visitor = watcher->data;
    counter_add(&visitor->owner->options.stats->http_closed_slow, 1);
    visitor_close(visitor);
}

/* Where that cannot be told, the stricter rule holds. */
static bool is_by_loopback(int fd)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = sizeof sockaddr;
    if (getsockname(fd, (struct sockaddr *)&sockaddr, &len) != 0) {
        return true;
    }
    struct address address = address_from_sockaddr((const struct sockaddr *)&sockaddr);
    return address_is_loopback(&address);
}

static void visitor_open(struct visitor *visitor, int fd)
{
    struct ev_loop *loop = visitor->owner->options.loop;
    visitor->is_open = true;
    visitor->is_by_loopback = is_by_loopback(fd);
    visitor->fd = fd;
    visitor->request_len = 0;
    ev_io_init(&visitor->readable, visitor_on_readable, fd, EV_READ);
    ev_io_init(&visitor->writable, visitor_on_writable, fd, EV_WRITE);
    ev_timer_init(&visitor->patience, visitor_on_patience, METRICS_HTTP_PATIENCE_S, 0.);
    visitor->readable.data = visitor;
    visitor->writable.data = visitor;
    visitor->patience.data = visitor;
    ev_io_start(loop, &visitor->readable);
    ev_timer_start(loop, &visitor->patience);
}

static void metrics_http_admit(struct metrics_http *metrics_http, int fd)
{
    for (size_t i = 0; i < METRICS_HTTP_CLIENTS_MAX; i++) {
        if (!metrics_http->visitors[i].is_open) {
            visitor_open(&metrics_http->visitors[i], fd);
            return;
        }
    }
    counter_add(&metrics_http->options.stats->http_refused, 1);
    (void)close(fd);
}

static void listener_on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct http_listener *listener = watcher->data;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        metrics_http_admit(listener->owner, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        ev_io_stop(loop, &listener->acceptable);
        ev_timer_set(&listener->rest, REST_S, 0.);
        ev_timer_start(loop, &listener->rest);
    }
}

static void listener_on_rested(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)events;
    struct http_listener *listener = watcher->data;
    ev_io_start(loop, &listener->acceptable);
}

static int listener_open(const struct address *address)
{
    const int yes = 1;
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(address, &sockaddr);
    int fd = socket(sockaddr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    /* As for questions: [::] leaves 0.0.0.0 free, which may stand beside it. */
    if (address->family == ADDRESS_IPV6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    }
    if (bind(fd, (const struct sockaddr *)&sockaddr, len) != 0 || listen(fd, ACCEPT_QUEUE) != 0) {
        int error = errno;
        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static void metrics_http_listen(struct metrics_http *metrics_http, const struct address *address)
{
    char place[ADDRESS_TEXT_SIZE];
    (void)address_format(address, place, sizeof place);
    int fd = listener_open(address);
    if (fd < 0) {
        log_event(&event_metrics_closed, "metrics_listen=%s error=\"%s\"", place, strerror(errno));
        return;
    }
    struct http_listener *listener = &metrics_http->listeners[metrics_http->listener_count++];
    listener->owner = metrics_http;
    listener->fd = fd;
    ev_io_init(&listener->acceptable, listener_on_acceptable, fd, EV_READ);
    ev_timer_init(&listener->rest, listener_on_rested, REST_S, 0.);
    listener->acceptable.data = listener;
    listener->rest.data = listener;
    ev_io_start(metrics_http->options.loop, &listener->acceptable);
    log_event(&event_metrics_open, "metrics_listen=%s", place);
}

struct metrics_http *metrics_http_new(const struct metrics_http_options *options)
{
    struct metrics_http *metrics_http = calloc(1, sizeof *metrics_http);
    if (metrics_http == NULL || (metrics_http->body = malloc(METRICS_HTTP_BODY_MAX)) == NULL) {
        free(metrics_http);
        return NULL;
    }
    metrics_http->options = *options;
    for (size_t i = 0; i < METRICS_HTTP_CLIENTS_MAX; i++) {
        metrics_http->visitors[i].owner = metrics_http;
    }
    for (size_t i = 0; i < options->address_count && i < SETTINGS_LISTEN_MAX; i++) {
        metrics_http_listen(metrics_http, &options->addresses[i]);
    }
    if (metrics_http->listener_count == 0) {
        metrics_http_free(&metrics_http);
    }
    return metrics_http;
}

void metrics_http_free(struct metrics_http **metrics_http)
{
    if (metrics_http == NULL || *metrics_http == NULL) {
        return;
    }
    struct metrics_http *old = *metrics_http;
    for (size_t i = 0; i < METRICS_HTTP_CLIENTS_MAX; i++) {
        if (old->visitors[i].is_open) {
            visitor_close(&old->visitors[i]);
        }
    }
    for (size_t i = 0; i < old->listener_count; i++) {
        ev_io_stop(old->options.loop, &old->listeners[i].acceptable);
        ev_timer_stop(old->options.loop, &old->listeners[i].rest);
        (void)close(old->listeners[i].fd);
    }
    free(old->body);
    free(old);
    *metrics_http = NULL;
}
