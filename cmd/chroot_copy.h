/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * One file of a chroot, etc/resolv.conf below a queue directory, made equal to given bytes. What
 * stands inside is not trusted: no symlink is followed, a FIFO or device is not opened, and the new
 * file takes the place of whatever stood there in one step (a file beside it, written out to disk,
 * renamed), so that nobody ever reads half of it. Main thread.
 */
enum chroot_copy_verdict {
    CHROOT_COPY_EQUAL,   /* It was so already. */
    CHROOT_COPY_WRITTEN, /* Or would be: nothing is changed in a rehearsal. */
    CHROOT_COPY_FAILED,
};

struct chroot_copy {
    int queue_fd; /* The queue directory; O_PATH is enough. The caller's. */
    const char *bytes;
    size_t len;
    bool is_rehearsal;
    int error;        /* errno of what failed. */
    const char *step; /* What that was: "open etc", "write", ... A literal. */
};

enum chroot_copy_verdict chroot_copy_run(struct chroot_copy *copy);
