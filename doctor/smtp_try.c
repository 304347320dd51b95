/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/smtp_try.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"

/* False: the time is up. */
static bool wait_for(int fd, short events, int64_t ends_at)
{
    struct pollfd poller = {.fd = fd, .events = events};
    for (;;) {
        int64_t left_us = ends_at - clock_now();
        if (left_us <= 0) {
            return false;
        }
        int ready = poll(&poller, 1, (int)(left_us / CLOCK_US_PER_MS) + 1);
        if (ready > 0) {
            return true;
        }
        if (ready < 0 && errno != EINTR) {
            return false;
        }
    }
}

static void try_break(struct smtp_try *try, int error)
{
    try->verdict = error == ETIMEDOUT ? SMTP_TRY_SILENT : SMTP_TRY_BROKEN;
    try->error = error;
}

static bool try_connect(struct smtp_try *try, int fd, const struct address *server)
{
    struct sockaddr_storage sockaddr;
    socklen_t len = address_to_sockaddr(server, &sockaddr);
    int64_t began_at = clock_now();
    int error = 0;
    socklen_t error_len = sizeof error;
    if (connect(fd, (const struct sockaddr *)&sockaddr, len) != 0 && errno != EINPROGRESS) {
        try_break(try, errno);
        return false;
    }
    if (!wait_for(fd, POLLOUT, began_at + SMTP_TRY_LIMIT_US)) {
        try_break(try, ETIMEDOUT);
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0 || error != 0) {
        try_break(try, error != 0 ? error : errno);
        return false;
    }
    try->connect_us = clock_now() - began_at;
    return true;
}

/* Until a line is whole or the room is full. */
static void try_read(struct smtp_try *try, int fd)
{
    int64_t began_at = clock_now();
    size_t len = 0;
    while (len + 1 < sizeof try->banner && strpbrk(try->banner, "\r\n") == NULL) {
        if (!wait_for(fd, POLLIN, began_at + SMTP_TRY_LIMIT_US)) {
            break;
        }
        ssize_t count = recv(fd, try->banner + len, sizeof try->banner - 1 - len, 0);
        if (count <= 0) {
            break;
        }
        len += (size_t)count;
        try->banner[len] = '\0';
    }
    try->banner[strcspn(try->banner, "\r\n")] = '\0';
    try->banner_us = clock_now() - began_at;
    if (len == 0) {
        try->verdict = SMTP_TRY_MUTE;
        return;
    }
    try->verdict = strncmp(try->banner, "220", 3) == 0 ? SMTP_TRY_GREETED : SMTP_TRY_REJECTED;
}

void smtp_try(const struct address *server, struct smtp_try *try_out)
{
    int family = server->family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
    *try_out = (struct smtp_try){.verdict = SMTP_TRY_BROKEN};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        try_break(try_out, errno);
        return;
    }
    if (try_connect(try_out, fd, server)) {
        try_read(try_out, fd);
    }
    (void)close(fd);
}
