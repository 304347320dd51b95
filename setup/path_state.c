/* SPDX-License-Identifier: BSD-2-Clause */
#include "setup/path_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/replacement.h"
#include "doctor/host.h"

#define NAME_SIZE 256

/* Where a path's last part is: an open folder, and the name in it. */
struct place {
    int folder_fd;
    char folder[HOST_PATH_SIZE];
    char name[NAME_SIZE];
    char name_new[NAME_SIZE];
};

static bool fail_with(int error)
{
    errno = error;
    return false;
}

static bool place_split(struct place *place, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash[1] == '\0') {
        return fail_with(EINVAL);
    }
    int folder_len = slash == path ? 1 : (int)(slash - path);
    int len = snprintf(place->folder, sizeof place->folder, "%.*s", folder_len, path);
    int name_len = snprintf(place->name, sizeof place->name, "%s", slash + 1);
    int new_len =
        snprintf(place->name_new, sizeof place->name_new, ".%s%s", slash + 1, PATH_STATE_SUFFIX);
    return (len < (int)sizeof place->folder && name_len < (int)sizeof place->name &&
               new_len < (int)sizeof place->name_new) ||
           fail_with(ENAMETOOLONG);
}

static bool place_open(struct place *place, const struct host *host, const char *path)
{
    place->folder_fd = -1;
    if (!place_split(place, path)) {
        return false;
    }
    place->folder_fd = host_open_folder(host, place->folder);
    return place->folder_fd >= 0;
}

static void place_close(struct place *place)
{
    int error = errno;
    if (place->folder_fd >= 0) {
        (void)close(place->folder_fd);
    }
    errno = error;
}

static bool read_link(const struct place *place, struct path_state *state)
{
    state->bytes = malloc(PATH_STATE_TARGET_MAX + 1);
    if (state->bytes == NULL) {
        return false;
    }
    ssize_t len = readlinkat(place->folder_fd, place->name, state->bytes, PATH_STATE_TARGET_MAX);
    if (len < 0 || len == PATH_STATE_TARGET_MAX) {
        return len < 0 ? false : fail_with(ENAMETOOLONG);
    }
    state->bytes[len] = '\0';
    state->len = (size_t)len;
    return true;
}

static bool read_bytes(int fd, struct path_state *state)
{
    state->bytes = malloc(PATH_STATE_BYTES_MAX + 1);
    if (state->bytes == NULL) {
        return false;
    }
    for (;;) {
        size_t room = PATH_STATE_BYTES_MAX + 1 - state->len;
        ssize_t count = read(fd, state->bytes + state->len, room);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        if (count == 0) {
            state->bytes[state->len] = '\0';
            return true;
        }
        state->len += count > 0 ? (size_t)count : 0;
        if (state->len > PATH_STATE_BYTES_MAX) {
            return fail_with(EFBIG);
        }
    }
}

static bool read_file(const struct place *place, struct path_state *state)
{
    int fd = openat(
        place->folder_fd, place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool is_read = read_bytes(fd, state);
    int error = errno;
    (void)close(fd);
    errno = error;
    return is_read;
}

static bool read_place(const struct place *place, struct path_state *state)
{
    struct stat stat;
    if (fstatat(place->folder_fd, place->name, &stat, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT;
    }
    state->mode = stat.st_mode & 07777u;
    state->uid = stat.st_uid;
    state->gid = stat.st_gid;
    state->mtime = stat.st_mtim;
    if (S_ISLNK(stat.st_mode)) {
        state->kind = PATH_LINK;
        return read_link(place, state);
    }
    if (S_ISREG(stat.st_mode)) {
        state->kind = PATH_FILE;
        return read_file(place, state);
    }
    return fail_with(EINVAL);
}

bool path_state_read(const struct host *host, const char *path, struct path_state *state_out)
{
    struct place place;
    *state_out = (struct path_state){.kind = PATH_ABSENT};
    if (!place_open(&place, host, path)) {
        return errno == ENOENT;
    }
    bool is_read = read_place(&place, state_out);
    place_close(&place);
    if (!is_read) {
        int error = errno;
        path_state_fini(state_out);
        errno = error;
    }
    return is_read;
}

void path_state_fini(struct path_state *state)
{
    free(state->bytes);
    *state = (struct path_state){.kind = PATH_ABSENT};
}

bool path_state_make(struct path_state *state_out, const char *bytes, size_t len)
{
    *state_out = (struct path_state){.kind = PATH_FILE, .len = len, .mode = 0644};
    state_out->bytes = malloc(len + 1);
    if (state_out->bytes == NULL) {
        return false;
    }
    memcpy(state_out->bytes, bytes, len);
    state_out->bytes[len] = '\0';
    return true;
}

bool path_state_has_bytes_of(const struct path_state *a, const struct path_state *b)
{
    return a->kind != PATH_ABSENT && a->kind == b->kind && a->len == b->len &&
           memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool path_state_equal(const struct path_state *a, const struct path_state *b)
{
    if (a->kind != b->kind || a->len != b->len) {
        return false;
    }
    if (a->kind == PATH_ABSENT) {
        return true;
    }
    bool has_same_rights =
        a->kind == PATH_LINK || (a->mode == b->mode && a->uid == b->uid && a->gid == b->gid);
    return has_same_rights && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static bool put_at(const struct place *place, const struct path_state *state)
{
    struct replacement replacement = {
        .folder_fd = place->folder_fd,
        .name = place->name,
        .beside = place->name_new,
        .is_link = state->kind == PATH_LINK,
        .bytes = state->bytes,
        .len = state->len,
        .mode = state->mode,
        .uid = state->uid,
        .gid = state->gid,
        .mtime = state->mtime,
    };
    bool is_put = false;
    if (state->kind == PATH_ABSENT) {
        /* What a crash left behind. */
        (void)unlinkat(place->folder_fd, place->name_new, 0);
        is_put = unlinkat(place->folder_fd, place->name, 0) == 0 || errno == ENOENT;
    } else {
        is_put = replacement_put(&replacement);
    }
    return is_put && fsync(place->folder_fd) == 0;
}

bool path_state_make_folder(const struct host *host, const char *path)
{
    struct place place;
    if (!place_open(&place, host, path)) {
        return false;
    }
    bool is_made = mkdirat(place.folder_fd, place.name, 0755) == 0 || errno == EEXIST;
    place_close(&place);
    return is_made;
}

/* The last folder of the path, when all above it is there. */
static bool make_folder(const struct path_put *put)
{
    struct place place;
    return place_split(&place, put->path) && path_state_make_folder(put->host, place.folder);
}

bool path_state_put(const struct path_put *put, const struct path_state *state)
{
    struct place place;
    if (!place_open(&place, put->host, put->path)) {
        if (errno == ENOENT && state->kind == PATH_ABSENT) {
            return true;
        }
        if (errno != ENOENT || !put->makes_folder || !make_folder(put) ||
            !place_open(&place, put->host, put->path)) {
            place_close(&place);
            return false;
        }
    }
    bool is_put = put_at(&place, state);
    place_close(&place);
    return is_put;
}
