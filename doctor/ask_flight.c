/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/ask_flight.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "base/random.h"
#include "doctor/ask.h"
#include "resolver/judge.h"

/* The caller's TTLs do not matter: the doctor keeps nothing. */
#define TTL_ANY 86400

static void flight_close(struct ask_flight *flight)
{
    if (flight->fd >= 0) {
        (void)close(flight->fd);
    }
    free(flight->stream);
    flight->fd = -1;
    flight->stream = NULL;
    flight->stream_len = 0;
}

static void flight_end(struct ask_flight *flight, enum ask_verdict verdict, int64_t now)
{
    struct ask *ask = flight->ask;
    ask->is_done = true;
    ask->verdict = verdict;
    ask->round_trip_us = now - flight->began_at;
    flight_close(flight);
    flight->ask = NULL;
}

static void flight_break(struct ask_flight *flight, int error, int64_t now)
{
    flight->ask->error = error;
    flight_end(flight, error == ETIMEDOUT ? ASK_SILENT : ASK_BROKEN, now);
}

/* Connected, so that only the server's own datagrams come in; the kernel picks a random port. */
static bool flight_connect(struct ask_flight *flight, int type)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(&flight->ask->server, &sockaddr);
    flight->fd = socket(sockaddr.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (flight->fd < 0) {
        return false;
    }
    return connect(flight->fd, (const struct sockaddr *)&sockaddr, len) == 0 ||
           errno == EINPROGRESS;
}

static void flight_connect_stream(struct ask_flight *flight, int64_t now)
{
    flight->ask->is_stream = true;
    flight->resend_at = INT64_MAX;
    flight->events = POLLOUT;
    if (!flight_connect(flight, SOCK_STREAM)) {
        flight_break(flight, errno, now);
    }
}

static void flight_send_datagram(struct ask_flight *flight, int64_t now)
{
    const uint8_t *bytes = flight->message + ASK_PREFIX_SIZE;
    if (send(flight->fd, bytes, flight->message_len, MSG_NOSIGNAL) < 0) {
        flight_break(flight, errno, now);
    }
}

void ask_flight_start(
    struct ask_flight *flight, struct ask *ask, struct random *random, int64_t now)
{
    ask->form.id = random_u16(random);
    *flight = (struct ask_flight){
        .ask = ask,
        .fd = -1,
        .events = POLLIN,
        .began_at = now,
        .resend_at = now + ask->limit_us / 2,
        .ends_at = now + ask->limit_us,
    };
    flight->message_len = ask_write(&ask->form, &ask->question, flight->message + ASK_PREFIX_SIZE,
        sizeof flight->message - ASK_PREFIX_SIZE);
    bytes_put_u16(flight->message, (uint16_t)flight->message_len);
    switch (ask->way) {
    case ASK_BY_UDP:
    case ASK_BY_UDP_ONLY:
        if (!flight_connect(flight, SOCK_DGRAM)) {
            flight_break(flight, errno, now);
            return;
        }
        flight_send_datagram(flight, now);
        return;
    case ASK_BY_TCP:
    case ASK_CONNECT:
        flight_connect_stream(flight, now);
        return;
    }
}

static enum ask_verdict verdict_of(enum judge_verdict judged)
{
    switch (judged) {
    case JUDGE_ANSWER:
        return ASK_ANSWER;
    case JUDGE_NODATA:
        return ASK_NODATA;
    case JUDGE_NXDOMAIN:
        return ASK_NXDOMAIN;
    case JUDGE_TRUNCATED:
        return ASK_CUT;
    case JUDGE_NO_EDNS:
    case JUDGE_SERVFAIL:
    case JUDGE_REFUSED:
        return ASK_FAILED;
    case JUDGE_LAME:
    case JUDGE_REFERRAL:
        return ASK_LAME;
    case JUDGE_MALFORMED:
    case JUDGE_BAD_COOKIE:
    case JUDGE_NO_COOKIE:
    case JUDGE_OTHER_CASE:
    case JUDGE_STRANGER:
        break;
    }
    return ASK_GARBLED;
}

static void flight_keep(struct ask *ask, const uint8_t *stored, size_t len)
{
    ask->stored = malloc(len);
    must(ask->stored != NULL);
    memcpy(ask->stored, stored, len);
    ask->stored_len = len;
}

/* What has come may be somebody else's; then the wait goes on. */
static void flight_judge(
    struct ask_flight *flight, const uint8_t *bytes, size_t len, struct ask_room *room, int64_t now)
{
    struct ask *ask = flight->ask;
    const struct judge_case judged = {
        .bytes = bytes,
        .len = len,
        .id = ask->form.id,
        .asked = &ask->question,
        .has_edns = ask->form.has_edns,
        .wants_dnssec = ask->form.wants_dnssec,
        .is_stream = ask->is_stream,
        .limits = {.ttl_max = TTL_ANY, .negative_ttl_max = TTL_ANY},
    };
    struct normalised normalised = {.len = 0};
    enum judge_verdict reply = judge_reply(&judged, room->stored, &normalised);
    if (reply == JUDGE_STRANGER) {
        return;
    }
    ask->flags = header_flags(bytes);
    ask->rcode = header_rcode(bytes);
    ask->size = len;
    ask->was_cut = ask->was_cut || (ask->flags & HEADER_TC) != 0;
    if (reply == JUDGE_TRUNCATED && ask->way == ASK_BY_UDP) {
        flight_close(flight);
        flight_connect_stream(flight, now);
        return;
    }
    if (reply == JUDGE_ANSWER || reply == JUDGE_NODATA || reply == JUDGE_NXDOMAIN) {
        flight_keep(ask, room->stored, normalised.len);
    }
    flight_end(flight, verdict_of(reply), now);
}

static void flight_on_connected(struct ask_flight *flight, int64_t now)
{
    int error = 0;
    socklen_t error_len = sizeof error;
    if (getsockopt(flight->fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0) {
        error = errno;
    }
    if (error != 0) {
        flight_break(flight, error, now);
        return;
    }
    if (flight->ask->way == ASK_CONNECT) {
        flight_end(flight, ASK_ANSWER, now);
        return;
    }
    /* So few bytes always fit into a fresh connection's buffer. */
    size_t len = ASK_PREFIX_SIZE + flight->message_len;
    ssize_t sent = send(flight->fd, flight->message, len, MSG_NOSIGNAL);
    if (sent != (ssize_t)len) {
        flight_break(flight, sent < 0 ? errno : EMSGSIZE, now);
        return;
    }
    flight->events = POLLIN;
    flight->stream = malloc(ASK_PREFIX_SIZE + MESSAGE_SIZE_MAX);
    must(flight->stream != NULL);
}

/* The bytes of the stream's first message that are still missing. */
static size_t flight_wants(const struct ask_flight *flight)
{
    if (flight->stream_len < ASK_PREFIX_SIZE) {
        return ASK_PREFIX_SIZE - flight->stream_len;
    }
    return ASK_PREFIX_SIZE + bytes_get_u16(flight->stream) - flight->stream_len;
}

static bool error_is_passing(int error)
{
    return error == EAGAIN || error == EINTR;
}

static void flight_read_stream(struct ask_flight *flight, struct ask_room *room, int64_t now)
{
    ssize_t count = recv(flight->fd, flight->stream + flight->stream_len, flight_wants(flight), 0);
    if (count < 0 && error_is_passing(errno)) {
        return;
    }
    if (count <= 0) {
        flight_break(flight, count < 0 ? errno : ECONNRESET, now);
        return;
    }
    flight->stream_len += (size_t)count;
    if (flight->stream_len <= ASK_PREFIX_SIZE || flight_wants(flight) > 0) {
        return;
    }
    size_t len = flight->stream_len - ASK_PREFIX_SIZE;
    memcpy(room->reply, flight->stream + ASK_PREFIX_SIZE, len);
    flight->stream_len = 0;
    flight_judge(flight, room->reply, len, room, now);
}

static void flight_read_datagram(struct ask_flight *flight, struct ask_room *room, int64_t now)
{
    ssize_t count = recv(flight->fd, room->reply, sizeof room->reply, 0);
    if (count >= 0) {
        flight_judge(flight, room->reply, (size_t)count, room, now);
    } else if (!error_is_passing(errno)) {
        flight_break(flight, errno, now);
    }
}

void ask_flight_on_ready(struct ask_flight *flight, struct ask_room *room, int64_t now)
{
    if (!flight->ask->is_stream) {
        flight_read_datagram(flight, room, now);
    } else if (flight->stream == NULL) {
        flight_on_connected(flight, now);
    } else {
        flight_read_stream(flight, room, now);
    }
}

void ask_flight_on_time(struct ask_flight *flight, int64_t now)
{
    if (now >= flight->ends_at) {
        flight_break(flight, ETIMEDOUT, now);
    } else if (now >= flight->resend_at) {
        flight->resend_at = INT64_MAX;
        flight->ask->is_repeated = true;
        flight_send_datagram(flight, now);
    }
}

void ask_flight_abandon(struct ask_flight *flight)
{
    flight_end(flight, ASK_UNASKED, flight->began_at);
}
