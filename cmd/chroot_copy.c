/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/chroot_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replacement.h"

#define FILE_NAME "resolv.conf"
/* What an interrupted run leaves is taken away by the next one. */
#define FILE_NAME_NEW ".resolv.conf.mxcache"
#define FILE_MODE     0644
#define FOLDER_MODE   0755

static bool copy_fail(struct chroot_copy *copy, const char *step)
{
    copy->error = errno;
    copy->step = step;
    return false;
}

/* The folder etc of the chroot, made when there is none; -1 on failure. In a rehearsal a missing
 * one is no failure: `errno` is ENOENT then. */
static int copy_open_folder(struct chroot_copy *copy)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(copy->queue_fd, "etc", flags);
    if (fd >= 0 || errno != ENOENT || copy->is_rehearsal) {
        return fd;
    }
    if (mkdirat(copy->queue_fd, "etc", FOLDER_MODE) != 0) {
        return -1;
    }
    return openat(copy->queue_fd, "etc", flags);
}

static bool fd_read_all(int fd, char *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t got = read(fd, bytes + done, len - done);
        if (got > 0) {
            done += (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

static bool fd_has_bytes(int fd, const struct chroot_copy *copy)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        (status.st_mode & 07777) != FILE_MODE || status.st_size != (off_t)copy->len) {
        return false;
    }
    char *bytes = malloc(copy->len);
    bool is_equal = bytes != NULL && fd_read_all(fd, bytes, copy->len) &&
                    memcmp(bytes, copy->bytes, copy->len) == 0;
    free(bytes);
    return is_equal;
}

/* A symlink, a FIFO or a file of another mode is not equal, whatever it leads to. */
static bool copy_is_equal(const struct chroot_copy *copy, int folder)
{
    int fd = openat(folder, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool is_equal = fd_has_bytes(fd, copy);
    (void)close(fd);
    return is_equal;
}

static bool copy_write(struct chroot_copy *copy, int folder)
{
    struct replacement replacement = {
        .folder_fd = folder,
        .name = FILE_NAME,
        .beside = FILE_NAME_NEW,
        .bytes = copy->bytes,
        .len = copy->len,
        .mode = FILE_MODE,
        .uid = REPLACEMENT_ANYBODY,
        .gid = REPLACEMENT_ANYBODY,
    };
    if (!replacement_put(&replacement)) {
        return copy_fail(copy, replacement.step);
    }
    (void)fsync(folder);
    return true;
}

enum chroot_copy_verdict chroot_copy_run(struct chroot_copy *copy)
{
    int folder = copy_open_folder(copy);
    if (folder < 0 && errno == ENOENT && copy->is_rehearsal) {
        return CHROOT_COPY_WRITTEN;
    }
    if (folder < 0) {
        (void)copy_fail(copy, "open its folder etc");
        return CHROOT_COPY_FAILED;
    }
    enum chroot_copy_verdict verdict = CHROOT_COPY_EQUAL;
    if (!copy_is_equal(copy, folder)) {
        verdict = copy->is_rehearsal || copy_write(copy, folder) ? CHROOT_COPY_WRITTEN
                                                                 : CHROOT_COPY_FAILED;
    }
    (void)close(folder);
    return verdict;
}
