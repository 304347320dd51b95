/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * A control socket with a script: for each reply it takes one connection, reads one line, says the
 * reply byte for byte (in pieces of `piece` bytes when that is not 0) and hangs up.
 */
#define FAKE_DAEMON_REPLIES_MAX 4

struct fake_daemon {
    char folder[64];
    char path[96];
    int fd;
    pthread_t thread;
    size_t piece;
    const char *replies[FAKE_DAEMON_REPLIES_MAX];
    size_t reply_count;
    char commands[FAKE_DAEMON_REPLIES_MAX][2048];
};

static inline void fake_daemon_say(int fd, const char *text, size_t piece)
{
    size_t len = strlen(text);
    for (size_t at = 0; at < len;) {
        size_t count = piece > 0 && piece < len - at ? piece : len - at;
        ssize_t sent = send(fd, text + at, count, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        at += (size_t)sent;
    }
}

static inline void fake_daemon_hear(int fd, char *command, size_t size)
{
    size_t len = 0;
    while (len + 1 < size && recv(fd, command + len, 1, 0) == 1 && command[len] != '\n') {
        len++;
    }
    command[len] = '\0';
}

static inline void *fake_daemon_run(void *world)
{
    struct fake_daemon *fake = world;
    for (size_t i = 0; i < fake->reply_count; i++) {
        int fd = accept(fake->fd, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        fake_daemon_hear(fd, fake->commands[i], sizeof fake->commands[i]);
        fake_daemon_say(fd, fake->replies[i], fake->piece);
        (void)close(fd);
    }
    return NULL;
}

static inline bool fake_daemon_listen(struct fake_daemon *fake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(fake->folder, sizeof fake->folder, "/tmp/mxcache-test-XXXXXX");
    if (mkdtemp(fake->folder) == NULL) {
        return false;
    }
    (void)snprintf(fake->path, sizeof fake->path, "%s/control.sock", fake->folder);
    memcpy(address.sun_path, fake->path, strlen(fake->path));
    fake->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fake->fd >= 0 &&
           bind(fake->fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
           listen(fake->fd, FAKE_DAEMON_REPLIES_MAX) == 0;
}

/* `fake` has its replies; the rest is filled in. */
static inline bool fake_daemon_start(struct fake_daemon *fake)
{
    return fake_daemon_listen(fake) &&
           pthread_create(&fake->thread, NULL, fake_daemon_run, fake) == 0;
}

static inline void fake_daemon_remove(struct fake_daemon *fake)
{
    (void)close(fake->fd);
    (void)unlink(fake->path);
    (void)rmdir(fake->folder);
}

/* After all replies have been asked for. */
static inline void fake_daemon_stop(struct fake_daemon *fake)
{
    (void)pthread_join(fake->thread, NULL);
    fake_daemon_remove(fake);
}
