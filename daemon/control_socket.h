/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

/*
 * The listening Unix socket at a path, from nothing to mode 0660 without a moment in which
 * strangers could connect. Made while the process may still be root, and handed to the user that
 * serves. Owned by the control floor of the daemon; main thread.
 */
struct identity;
struct trouble;

struct control_socket {
    int fd;
    gid_t gid; /* Of the socket file. */
    dev_t device;
    ino_t inode;
    struct sockaddr_un address;
};

/* As control_new() promises. */
bool control_socket_open(struct control_socket *control_socket, const char *path,
    const struct identity *identity, struct trouble *trouble);

/* Removes the file only if nobody has put another in its place. */
void control_socket_fini(struct control_socket *control_socket);
