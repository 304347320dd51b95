/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/*
 * Telling the service manager how we are (sd_notify(3)): a datagram of NAME=VALUE lines to the
 * socket that NOTIFY_SOCKET names. Without it nothing happens. The protocol is stable and
 * documented; a library is not needed for it. Main thread.
 */
struct notify {
    int fd; /* -1: nobody wants to know. */
    struct sockaddr_un address;
    socklen_t address_len;
    int64_t watchdog_us; /* The manager restarts us after so long without a sign; 0: it does not. */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. */
void notify_init(struct notify *notify);
void notify_fini(struct notify *notify);

/* Has the manager keep the descriptor beyond our end, for the process after us (LISTEN_FDS). False:
 * it could not be told. Whether it has room (FileDescriptorStoreMax=) it does not say. */
bool notify_keep(const struct notify *notify, int fd, const char *name);

/* It need not keep the one of that name any longer. */
void notify_forget(const struct notify *notify, const char *name);

/* Lines such as "READY=1\nSTATUS=...". Waits a moment for a busy manager, who would wait for them,
 * and end us, if they were lost. */
__attribute__((format(printf, 2, 3))) void notify_send(
    const struct notify *notify, const char *format, ...);

/* The sign that the manager's watchdog wants. Never waits: the next one follows soon. */
void notify_live(const struct notify *notify);
