/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/identity.h"
#include "daemon/trouble.h"

#define ACCEPT_QUEUE 16

/* The folder that the path names, without the last part; empty when it is the root. */
static void path_to_folder(const char *path, char *folder_out, size_t size)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    (void)snprintf(folder_out, size, "%.*s", (int)len, path);
}

static bool folder_make(const char *path, const struct identity *identity, struct trouble *trouble)
{
    char folder[sizeof((struct sockaddr_un *)NULL)->sun_path];
    path_to_folder(path, folder, sizeof folder);
    if (folder[0] == '\0' || access(folder, F_OK) == 0) {
        return true;
    }
    if (mkdir(folder, 0755) != 0) {
        trouble_set(trouble, EX_CANTCREAT,
            "cannot create the folder %s for the control socket: %s. Create it, or set "
            "`control_socket` to a path in a folder that you may write to.",
            folder, strerror(errno));
        return false;
    }
    /* The daemon removes its socket when it ends, as the user it has become by then. */
    if (identity->is_changing && chown(folder, identity->uid, identity->gid) != 0) {
        trouble_set(trouble, EX_CANTCREAT, "cannot give the folder %s to user %lu: %s.", folder,
            (unsigned long)identity->uid, strerror(errno));
        return false;
    }
    return true;
}

/* Does a daemon answer there? */
static bool path_is_served(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return true;
    }
    bool is_served = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
                     errno != ECONNREFUSED;
    (void)close(fd);
    return is_served;
}

/* Makes the path free, if what stands there is the socket of a daemon that has ended. */
static bool path_clear(const struct sockaddr_un *address, struct trouble *trouble)
{
    const char *path = address->sun_path;
    struct stat stat;
    if (lstat(path, &stat) != 0) {
        return true;
    }
    if (!S_ISSOCK(stat.st_mode)) {
        trouble_set(trouble, EX_CANTCREAT,
            "cannot create the control socket: %s is something else than a socket. Move it away, "
            "or set `control_socket` to another path.",
            path);
        return false;
    }
    if (path_is_served(address)) {
        trouble_set(trouble, EX_UNAVAILABLE,
            "another mxcache answers on the control socket %s. Stop it, or set `control_socket` "
            "(and `listen`) to something else.",
            path);
        return false;
    }
    if (unlink(path) != 0) {
        trouble_set(trouble, EX_CANTCREAT, "cannot remove the old control socket %s: %s.", path,
            strerror(errno));
        return false;
    }
    return true;
}

/* Nobody can connect before the owner and the mode are right. */
static bool socket_bind(struct control_socket *control_socket, const struct identity *identity)
{
    const char *path = control_socket->address.sun_path;
    struct stat stat;
    if (fchmod(control_socket->fd, 0600) != 0 ||
        bind(control_socket->fd, (const struct sockaddr *)&control_socket->address,
            sizeof control_socket->address) != 0 ||
        lstat(path, &stat) != 0) {
        return false;
    }
    control_socket->device = stat.st_dev;
    control_socket->inode = stat.st_ino;
    control_socket->gid = identity->is_changing ? identity->gid : stat.st_gid;
    if (identity->is_changing && lchown(path, identity->uid, identity->gid) != 0) {
        return false;
    }
    return chmod(path, 0660) == 0 && listen(control_socket->fd, ACCEPT_QUEUE) == 0;
}

bool control_socket_open(struct control_socket *control_socket, const char *path,
    const struct identity *identity, struct trouble *trouble)
{
    *control_socket = (struct control_socket){.fd = -1, .address = {.sun_family = AF_UNIX}};
    int len = snprintf(
        control_socket->address.sun_path, sizeof control_socket->address.sun_path, "%s", path);
    if (len < 0 || (size_t)len >= sizeof control_socket->address.sun_path) {
        trouble_set(trouble, EX_CONFIG,
            "`control_socket` is longer than a socket's path can be (%zu).",
            sizeof control_socket->address.sun_path - 1);
        return false;
    }
    if (!folder_make(path, identity, trouble) || !path_clear(&control_socket->address, trouble)) {
        return false;
    }
    control_socket->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control_socket->fd < 0 || !socket_bind(control_socket, identity)) {
        int error = errno;
        trouble_set(trouble, error == EACCES || error == EPERM ? EX_NOPERM : EX_CANTCREAT,
            "cannot create the control socket %s: %s. Set `control_socket` to a path in a folder "
            "that you may write to.",
            path, strerror(error));
        control_socket_fini(control_socket);
        return false;
    }
    return true;
}

void control_socket_fini(struct control_socket *control_socket)
{
    struct stat stat;
    if (control_socket->inode != 0 && lstat(control_socket->address.sun_path, &stat) == 0 &&
        stat.st_dev == control_socket->device && stat.st_ino == control_socket->inode) {
        (void)unlink(control_socket->address.sun_path);
    }
    if (control_socket->fd >= 0) {
        (void)close(control_socket->fd);
    }
    *control_socket = (struct control_socket){.fd = -1};
}
