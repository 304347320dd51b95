/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

/*
 * What is at a path of the host: nothing, a file with its bytes and rights, or a symlink. It can be
 * read, compared, and put there whole: beside the old one, synced, and renamed over it, so that at
 * every moment one of the two is there. Paths are below the host's root (doctor/host.h) and no
 * symlink leads out of it. Main thread.
 */
struct host;

#define PATH_STATE_BYTES_MAX  (1024 * 1024)
#define PATH_STATE_TARGET_MAX 1024

enum path_kind {
    PATH_ABSENT,
    PATH_FILE,
    PATH_LINK,
};

struct path_state {
    enum path_kind kind;
    char *bytes; /* Of FILE: owned, a NUL stands behind them. Of LINK: the target. */
    size_t len;
    mode_t mode; /* Permission bits. */
    uid_t uid;
    gid_t gid;
    struct timespec mtime; /* Zero: the moment it is put. */
};

/* False, with errno: it cannot be read, is a folder or device (EINVAL), or too large (EFBIG). */
bool path_state_read(const struct host *host, const char *path, struct path_state *state_out);
void path_state_fini(struct path_state *state);

/* A file of those bytes (copied), of root, readable by all. False: no memory. */
bool path_state_make(struct path_state *state_out, const char *bytes, size_t len);

/* The same kind, bytes, rights and owner; times do not count. */
bool path_state_equal(const struct path_state *a, const struct path_state *b);

/* Files, or symlinks, of the same bytes. */
bool path_state_has_bytes_of(const struct path_state *a, const struct path_state *b);

/* False, with errno: the folder is not there and cannot be made in the one above it. */
bool path_state_make_folder(const struct host *host, const char *path);

/* Makes the path so, and syncs its folder. Folders on the way must exist, but for the last one if
 * `makes_folder`. False, with errno: nothing has changed. */
struct path_put {
    const struct host *host;
    const char *path;
    bool makes_folder;
};
bool path_state_put(const struct path_put *put, const struct path_state *state);

/* The file that path_state_put() writes before it renames; a crash may leave it behind. */
#define PATH_STATE_SUFFIX ".mxcache-new"
