/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/text.h"

#define MESSAGE_SIZE 512

/* For a message that must not be lost because the manager is busy. */
#define PATIENCE_S 2

/* A path, or with '@' in front a name in the abstract space. */
static bool notify_set_address(struct notify *notify, const char *name)
{
    size_t len = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || len < 2 || len >= sizeof notify->address.sun_path) {
        return false;
    }
    notify->address.sun_family = AF_UNIX;
    memcpy(notify->address.sun_path, name, len + 1);
    if (name[0] == '@') {
        notify->address.sun_path[0] = '\0';
    }
    notify->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return true;
}

static bool number_of(const char *name, uint64_t max, uint64_t *number_out)
{
    const char *text = getenv(name);
    return text != NULL && text_parse_u64(text, strlen(text), max, number_out);
}

/* WATCHDOG_PID guards against a parent's environment that was meant for the parent. */
static int64_t notify_watchdog_us(void)
{
    uint64_t watchdog_us;
    uint64_t pid;
    if (!number_of("WATCHDOG_USEC", INT64_MAX, &watchdog_us)) {
        return 0;
    }
    if (number_of("WATCHDOG_PID", INT32_MAX, &pid) && pid != (uint64_t)getpid()) {
        return 0;
    }
    return (int64_t)watchdog_us;
}

void notify_init(struct notify *notify)
{
    *notify = (struct notify){.fd = -1};
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL || !notify_set_address(notify, name)) {
        return;
    }
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->fd >= 0) {
        const struct timeval patience = {.tv_sec = PATIENCE_S};
        (void)setsockopt(notify->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        notify->watchdog_us = notify_watchdog_us();
    }
}

void notify_fini(struct notify *notify)
{
    if (notify->fd >= 0) {
        (void)close(notify->fd);
    }
    *notify = (struct notify){.fd = -1};
}

/* Waits for a busy manager; the descriptor goes along unless it is -1. */
static bool notify_send_surely(const struct notify *notify, char *message, int fd)
{
    struct control {
        alignas(struct cmsghdr) unsigned char bytes[CMSG_SPACE(sizeof(int))];
    } control = {{0}};
    struct iovec room = {.iov_base = message, .iov_len = strlen(message)};
    struct sockaddr_un address = notify->address;
    struct msghdr header = {
        .msg_name = &address,
        .msg_namelen = notify->address_len,
        .msg_iov = &room,
        .msg_iovlen = 1,
    };
    if (fd >= 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = sizeof control.bytes;
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    ssize_t sent;
    do {
        sent = sendmsg(notify->fd, &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

void notify_send(const struct notify *notify, const char *format, ...)
{
    if (notify->fd < 0) {
        return;
    }
    char message[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (len <= 0) {
        return;
    }
    (void)notify_send_surely(notify, message, -1);
}

void notify_live(const struct notify *notify)
{
    static const char message[] = "WATCHDOG=1";
    if (notify->fd >= 0) {
        (void)sendto(notify->fd, message, sizeof message - 1, MSG_NOSIGNAL | MSG_DONTWAIT,
            (const struct sockaddr *)&notify->address, notify->address_len);
    }
}

bool notify_keep(const struct notify *notify, int fd, const char *name)
{
    char message[MESSAGE_SIZE];
    if (notify->fd < 0) {
        return false;
    }
    /* The manager would drop a socket from its store when it sees an error on it. */
    (void)snprintf(message, sizeof message, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
    return notify_send_surely(notify, message, fd);
}

void notify_forget(const struct notify *notify, const char *name)
{
    char message[MESSAGE_SIZE];
    if (notify->fd >= 0) {
        (void)snprintf(message, sizeof message, "FDSTOREREMOVE=1\nFDNAME=%s", name);
        (void)notify_send_surely(notify, message, -1);
    }
}
