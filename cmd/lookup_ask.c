/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/lookup_ask.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/random.h"
#include "wire/ask.h"
#include "wire/match.h"
#include "wire/question.h"

#define PREFIX_SIZE 2 /* RFC 1035 section 4.2.2. */

/* One try: a socket and its time. */
struct
try {
    const struct question *question;
    struct lookup_ask *ask;
    int fd;
    uint16_t id;
    int64_t began_at;
    size_t message_len;
    uint8_t message[PREFIX_SIZE + ASK_SIZE_MAX]; /* The length first, as TCP wants it. */
};

static bool try_fail(struct try *try, int error)
{
    try->ask->verdict = error == ETIMEDOUT ? LOOKUP_ASK_SILENT : LOOKUP_ASK_BROKEN;
    try->ask->error = error;
    return false;
}

static bool try_wait(struct try *try, short events)
{
    struct pollfd poller = {.fd = try->fd, .events = events};
    for (;;) {
        int64_t left_us = try->began_at + LOOKUP_ASK_LIMIT_S * CLOCK_US_PER_S - clock_now();
        if (left_us <= 0) {
            return try_fail(try, ETIMEDOUT);
        }
        int ready = poll(&poller, 1, (int)(left_us / CLOCK_US_PER_MS) + 1);
        if (ready > 0) {
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            return try_fail(try, errno);
        }
    }
}

/* Connected, so that only the server's own datagrams come in; the kernel picks a random port. */
static bool try_connect(struct try *try, const struct address *server, int type)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(server, &sockaddr);
    try->fd = socket(sockaddr.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (try->fd < 0) {
        return try_fail(try, errno);
    }
    if (connect(try->fd, (const struct sockaddr *)&sockaddr, len) == 0) {
        return true;
    }
    if (errno != EINPROGRESS) {
        return try_fail(try, errno);
    }
    if (!try_wait(try, POLLOUT)) {
        return false;
    }
    int error = 0;
    socklen_t error_len = sizeof error;
    if (getsockopt(try->fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0) {
        error = errno;
    }
    return error == 0 || try_fail(try, error);
}

static bool try_send(struct try *try, const uint8_t *bytes, size_t len)
{
    ssize_t sent = send(try->fd, bytes, len, MSG_NOSIGNAL);
    if (sent == (ssize_t)len) {
        return true;
    }
    /* So few bytes always fit into a fresh connection's buffer. */
    return try_fail(try, sent < 0 ? errno : EMSGSIZE);
}

/* One read of what has come; 0: nothing after all, or the other end has closed a stream. */
static bool try_receive(struct try *try, uint8_t *bytes_out, size_t size, size_t *len_out)
{
    if (!try_wait(try, POLLIN)) {
        return false;
    }
    ssize_t count = recv(try->fd, bytes_out, size, 0);
    *len_out = count > 0 ? (size_t)count : 0;
    return count >= 0 || errno == EAGAIN || errno == EINTR || try_fail(try, errno);
}

/* Is what stands in ask->bytes the reply? */
static bool try_accept(struct try *try, size_t len)
{
    switch (match_reply(try->ask->bytes, len, try->id, try->question)) {
    case MATCH_OTHER_CASE:
    case MATCH_YES:
        try->ask->verdict = LOOKUP_ASK_REPLY;
        break;
    case MATCH_BARE_ERROR:
        try->ask->verdict = LOOKUP_ASK_BARE;
        break;
    case MATCH_NO:
        return false;
    }
    try->ask->len = len;
    try->ask->round_trip_us = clock_now() - try->began_at;
    return true;
}

static void try_udp(struct try *try, const struct address *server)
{
    size_t len = 0;
    if (!try_connect(try, server, SOCK_DGRAM) ||
        !try_send(try, try->message + PREFIX_SIZE, try->message_len)) {
        return;
    }
    do {
        if (!try_receive(try, try->ask->bytes, sizeof try->ask->bytes, &len)) {
            return;
        }
    } while (!try_accept(try, len));
}

/* Exactly `len` bytes. */
static bool try_receive_whole(struct try *try, uint8_t *bytes_out, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t count;
        if (!try_receive(try, bytes_out + at, len - at, &count)) {
            return false;
        }
        if (count == 0) {
            return try_fail(try, ECONNRESET);
        }
        at += count;
    }
    return true;
}

static void try_tcp(struct try *try, const struct address *server)
{
    uint8_t prefix[PREFIX_SIZE];
    bytes_put_u16(try->message, (uint16_t)try->message_len);
    if (!try_connect(try, server, SOCK_STREAM) ||
        !try_send(try, try->message, PREFIX_SIZE + try->message_len)) {
        return;
    }
    size_t len;
    do {
        if (!try_receive_whole(try, prefix, sizeof prefix)) {
            return;
        }
        len = bytes_get_u16(prefix);
        if (!try_receive_whole(try, try->ask->bytes, len)) {
            return;
        }
    } while (!try_accept(try, len));
}

static void try_run(struct try *try, const struct address *server, struct random *random)
{
    try->id = random_u16(random);
    const struct ask_form form = {.id = try->id, .has_edns = true};
    try->fd = -1;
    try->began_at = clock_now();
    try->message_len = ask_write(
        &form, try->question, try->message + PREFIX_SIZE, sizeof try->message - PREFIX_SIZE);
    if (try->ask->is_stream) {
        try_tcp(try, server);
    } else {
        try_udp(try, server);
    }
    if (try->fd >= 0) {
        (void)close(try->fd);
    }
}

void lookup_ask(const struct address *server, const struct question *question,
    struct random *random, struct lookup_ask *ask_out)
{
    struct try try = {.question = question, .ask = ask_out};
    ask_out->is_stream = false;
    try_run(&try, server, random);
    if (ask_out->verdict == LOOKUP_ASK_REPLY && (header_flags(ask_out->bytes) & HEADER_TC) != 0) {
        ask_out->is_stream = true;
        try_run(&try, server, random);
    }
}
