/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

/*
 * What has to be known before settings change under a running daemon: what a change asks for, and
 * whether a file has changed. Main thread.
 */
struct settings;

/* There is somebody to ask. */
bool reload_has_servers(const struct settings *settings);

/* Group 0 asks the same servers in the same order. */
bool reload_has_same_servers(const struct settings *a, const struct settings *b);

/* What a file looked like when it was last looked at; zeroed: not yet. */
struct file_mark {
    bool is_set;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed_at;
};

/* Looks again. True: it has changed, come or gone since the last look; never at the first. While no
 * descriptor is to be had, nothing has changed: it will have later. */
bool file_mark_look(struct file_mark *mark, const char *path);
