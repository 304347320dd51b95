/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ATTRIBUTE_SIZE 4096

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t count = write(fd, bytes, len);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        bytes += count > 0 ? count : 0;
        len -= count > 0 ? (size_t)count : 0;
    }
    return true;
}

/* A label that was given by hand or by a rule for the name, which the new file bears only later;
 * and rights of named users, which the mode bits then bound. What cannot be had is left out. */
static void replacement_carry(const struct replacement *replacement, int fd)
{
    static const char *const names[] = {"security.selinux", "system.posix_acl_access"};
    char path[PATH_MAX];
    char value[ATTRIBUTE_SIZE];
    (void)snprintf(
        path, sizeof path, "/proc/self/fd/%d/%s", replacement->folder_fd, replacement->name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ssize_t len = lgetxattr(path, names[i], value, sizeof value);
        if (len > 0) {
            (void)fsetxattr(fd, names[i], value, (size_t)len, 0);
        }
    }
}

/* The rights come last: until then nobody else reads it, and a new owner would take bits away. */
static bool replacement_fill(struct replacement *replacement, int fd)
{
    const struct timespec times[2] = {replacement->mtime, replacement->mtime};
    bool has_time = replacement->mtime.tv_sec != 0 || replacement->mtime.tv_nsec != 0;
    replacement->step = "write the new file";
    if (!write_all(fd, replacement->bytes, replacement->len)) {
        return false;
    }
    replacement->step = "finish the new file";
    bool is_owned =
        fchown(fd, replacement->uid, replacement->gid) == 0 || (errno == EPERM && geteuid() != 0);
    replacement_carry(replacement, fd);
    return is_owned && fchmod(fd, replacement->mode) == 0 &&
           (!has_time || futimens(fd, times) == 0) && fsync(fd) == 0;
}

static bool replacement_make_file(struct replacement *replacement)
{
    replacement->step = "make the new file";
    int fd = openat(replacement->folder_fd, replacement->beside,
        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool is_full = replacement_fill(replacement, fd);
    int error = errno;
    (void)close(fd);
    errno = error;
    return is_full;
}

static bool replacement_make_link(struct replacement *replacement)
{
    replacement->step = "make the new link";
    return symlinkat(replacement->bytes, replacement->folder_fd, replacement->beside) == 0;
}

static bool replacement_rename(struct replacement *replacement)
{
    int folder = replacement->folder_fd;
    replacement->step = "put the new file in its place";
    return renameat(folder, replacement->beside, folder, replacement->name) == 0;
}

bool replacement_put(struct replacement *replacement)
{
    (void)unlinkat(replacement->folder_fd, replacement->beside, 0);
    bool is_made = replacement->is_link ? replacement_make_link(replacement)
                                        : replacement_make_file(replacement);
    if (is_made && replacement_rename(replacement)) {
        return true;
    }
    int error = errno;
    (void)unlinkat(replacement->folder_fd, replacement->beside, 0);
    errno = error;
    return false;
}
