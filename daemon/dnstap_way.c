/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/dnstap_way.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

/* Of one system call. */
#define PARTS_MAX 64

bool dnstap_way_init(struct dnstap_way *way, const char *path)
{
    *way = (struct dnstap_way){.address = {.sun_family = AF_UNIX}, .fd = -1};
    int len = snprintf(way->address.sun_path, sizeof way->address.sun_path, "%s", path);
    return len >= 0 && (size_t)len < sizeof way->address.sun_path;
}

/* The kernel's time for connecting is that for sending. */
bool dnstap_way_open(struct dnstap_way *way)
{
    const struct timeval patience = {.tv_sec = DNSTAP_WAY_PATIENCE_S};
    dnstap_way_close(way);
    way->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_open =
        way->fd >= 0 &&
        setsockopt(way->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
        setsockopt(way->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
        connect(way->fd, (const struct sockaddr *)&way->address, sizeof way->address) == 0;
    if (!is_open) {
        dnstap_way_close(way);
    }
    return is_open;
}

void dnstap_way_close(struct dnstap_way *way)
{
    if (way->fd >= 0) {
        (void)close(way->fd);
    }
    way->fd = -1;
    way->has_failed = false;
}

bool dnstap_way_read(struct dnstap_way *way, void *bytes_out, size_t size, bool *has_ended_out)
{
    uint8_t *at = bytes_out;
    size_t left = size;
    *has_ended_out = false;
    while (left > 0 && !way->has_failed && !*has_ended_out) {
        ssize_t got = recv(way->fd, at, left, 0);
        if (got > 0) {
            at += got;
            left -= (size_t)got;
        } else if (got == 0) {
            *has_ended_out = true;
        } else {
            way->has_failed = errno != EINTR;
        }
    }
    return left == 0;
}

/* As many parts as fit one call; the beginning of the first one has been sent. */
static ssize_t way_send(
    const struct dnstap_way *way, const struct iovec *parts, size_t count, size_t sent_of_first)
{
    struct iovec left[PARTS_MAX];
    struct msghdr message = {.msg_iov = left};
    message.msg_iovlen = count < PARTS_MAX ? count : PARTS_MAX;
    memcpy(left, parts, message.msg_iovlen * sizeof left[0]);
    left[0].iov_base = (uint8_t *)left[0].iov_base + sent_of_first;
    left[0].iov_len -= sent_of_first;
    return sendmsg(way->fd, &message, MSG_NOSIGNAL);
}

bool dnstap_way_write(struct dnstap_way *way, const struct iovec *parts, size_t count)
{
    size_t sent_of_first = 0;
    while (count > 0 && !way->has_failed) {
        ssize_t sent = way_send(way, parts, count, sent_of_first);
        if (sent < 0) {
            way->has_failed = errno != EINTR;
            continue;
        }
        sent_of_first += (size_t)sent;
        while (count > 0 && sent_of_first >= parts->iov_len) {
            sent_of_first -= parts->iov_len;
            parts++;
            count--;
        }
    }
    return count == 0;
}
