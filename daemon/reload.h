/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Settings that change under a running daemon: all of them when somebody asks for it, the upstreams
 * alone when the file that they come from has changed. Whatever cannot be had leaves the old ones.
 * How the workers change over is in daemon/changeover.h. Main thread.
 */
struct daemon_parts;
struct findings;
struct settings;
struct text;

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

/* For HUP and for the reload command: `world` is the struct daemon_parts. The findings are logged
 * and left to the caller. */
bool reload_settings(void *world, struct findings *findings, struct text *notes);

/* Looks whether the file that upstreams come from has changed: that alone is taken over. The
 * configuration file may be in the middle of being edited, and nobody has asked for it to be read.
 */
void reload_watch(struct daemon_parts *parts);
