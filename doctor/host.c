/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#define READ_STEP 65536

bool host_init(struct host *host, const char *root)
{
    host->is_live = strcmp(root, "/") == 0;
    host->root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return host->root_fd >= 0;
}

void host_fini(struct host *host)
{
    if (host->root_fd >= 0) {
        (void)close(host->root_fd);
    }
    host->root_fd = -1;
}

/* The kernel resolves all links as if the root were "/" (openat2(2)), "..", too. */
static int host_open(const struct host *host, const char *path, int flags)
{
    const struct open_how how = {
        .flags = (unsigned)flags | (unsigned)O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, host->root_fd, path, &how, sizeof how);
}

static enum host_verdict verdict_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
        return HOST_ABSENT;
    case EACCES:
    case EPERM:
        return HOST_DENIED;
    default:
        return HOST_UNFIT;
    }
}

/* Room for `len` bytes and a NUL. */
static bool file_reserve(struct host_file *file, size_t *room_inout, size_t len)
{
    if (len <= *room_inout) {
        return true;
    }
    char *bytes = realloc(file->bytes, len + 1);
    if (bytes == NULL) {
        return false;
    }
    file->bytes = bytes;
    *room_inout = len;
    return true;
}

/* Files of /proc do not tell their size, so it is read until nothing comes. */
static bool file_fill(struct host_file *file, int fd, size_t size_max)
{
    size_t room = 0;
    for (;;) {
        size_t want = size_max - file->len < READ_STEP ? size_max - file->len : READ_STEP;
        char probe;
        if (want > 0 && !file_reserve(file, &room, file->len + want)) {
            return false;
        }
        ssize_t count = want > 0 ? read(fd, file->bytes + file->len, want) : read(fd, &probe, 1);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return count == 0 && file_reserve(file, &room, 1);
        }
        if (want == 0) {
            file->is_cut = true;
            return true;
        }
        file->len += (size_t)count;
    }
}

/* Opens for reading what O_PATH has found, and nothing that has taken its place meanwhile. Without
 * /proc that cannot be had, and the name has to do. */
static int host_open_found(const struct host *host, const char *path, int found)
{
    char link[sizeof "/proc/self/fd/" + 3 * sizeof found];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", found);
    int fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT) {
        return fd;
    }
    return host_open(host, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

static bool is_regular(int fd, struct stat *stat_out)
{
    return fstat(fd, stat_out) == 0 && S_ISREG(stat_out->st_mode);
}

/* What is no regular file is not even opened: that alone makes a watchdog device bite, and a tape
 * wind back. */
static enum host_verdict file_open(
    const struct host *host, const char *path, struct host_file *file, int *fd_out)
{
    *fd_out = -1;
    int found = host_open(host, path, O_PATH);
    if (found < 0) {
        return verdict_of_errno();
    }
    enum host_verdict verdict = HOST_UNFIT;
    if (is_regular(found, &file->stat)) {
        *fd_out = host_open_found(host, path, found);
        verdict = *fd_out >= 0 ? HOST_READ : verdict_of_errno();
    }
    (void)close(found);
    if (*fd_out >= 0 && !is_regular(*fd_out, &file->stat)) {
        (void)close(*fd_out);
        *fd_out = -1;
        verdict = HOST_UNFIT;
    }
    return verdict;
}

static enum host_verdict file_take(struct host_file *file, int fd, size_t size_max)
{
    bool is_read = file_fill(file, fd, size_max);
    (void)close(fd);
    if (!is_read) {
        host_file_fini(file);
        return HOST_UNFIT;
    }
    file->bytes[file->len] = '\0';
    return HOST_READ;
}

enum host_verdict host_read(
    const struct host *host, const char *path, size_t size_max, struct host_file *file_out)
{
    int fd;
    *file_out = (struct host_file){0};
    enum host_verdict verdict = file_open(host, path, file_out, &fd);
    return verdict == HOST_READ ? file_take(file_out, fd, size_max) : verdict;
}

enum host_verdict host_read_tail(
    const struct host *host, const char *path, size_t size_max, struct host_file *file_out)
{
    int fd;
    *file_out = (struct host_file){0};
    enum host_verdict verdict = file_open(host, path, file_out, &fd);
    if (verdict != HOST_READ) {
        return verdict;
    }
    /* Who cannot go back so far finds a log that is being rotated: then all of it will do. */
    bool is_longer =
        file_out->stat.st_size > (off_t)size_max && lseek(fd, -(off_t)size_max, SEEK_END) >= 0;
    verdict = file_take(file_out, fd, size_max);
    file_out->is_cut |= is_longer;
    return verdict;
}

void host_file_fini(struct host_file *file)
{
    free(file->bytes);
    *file = (struct host_file){0};
}

enum host_verdict host_stat(
    const struct host *host, const char *path, bool follows, struct stat *stat_out)
{
    int fd = host_open(host, path, O_PATH | (follows ? 0 : O_NOFOLLOW));
    if (fd < 0) {
        return verdict_of_errno();
    }
    bool is_known = fstat(fd, stat_out) == 0;
    (void)close(fd);
    return is_known ? HOST_READ : HOST_UNFIT;
}

bool host_link(const struct host *host, const char *path, char *target_out, size_t size)
{
    int fd = host_open(host, path, O_PATH | O_NOFOLLOW);
    if (fd < 0) {
        return false;
    }
    ssize_t len = readlinkat(fd, "", target_out, size);
    (void)close(fd);
    if (len < 0 || (size_t)len >= size) {
        return false;
    }
    target_out[len] = '\0';
    return true;
}

bool host_is_immutable(const struct host *host, const char *path)
{
    struct statx extended;
    int fd = host_open(host, path, O_PATH);
    if (fd < 0) {
        return false;
    }
    bool is_known = statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &extended) == 0;
    (void)close(fd);
    return is_known && (extended.stx_attributes & STATX_ATTR_IMMUTABLE) != 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool names_add(struct host_names *names, const char *name)
{
    if (names->count == HOST_NAMES_MAX) {
        names->is_cut = true;
        return false;
    }
    names->names[names->count] = strdup(name);
    if (names->names[names->count] == NULL) {
        names->is_cut = true;
        return false;
    }
    names->count++;
    return true;
}

static void names_fill(struct host_names *names, DIR *directory)
{
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (!names_add(names, entry->d_name)) {
            return;
        }
    }
}

enum host_verdict host_list(const struct host *host, const char *path, struct host_names *names_out)
{
    *names_out = (struct host_names){0};
    int fd = host_open(host, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        return verdict_of_errno();
    }
    DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        (void)close(fd);
        return HOST_UNFIT;
    }
    names_out->names = calloc(HOST_NAMES_MAX, sizeof names_out->names[0]);
    if (names_out->names == NULL) {
        (void)closedir(directory);
        return HOST_UNFIT;
    }
    names_fill(names_out, directory);
    (void)closedir(directory);
    qsort(names_out->names, names_out->count, sizeof names_out->names[0], compare_names);
    return HOST_READ;
}

void host_names_fini(struct host_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i]);
    }
    free(names->names);
    *names = (struct host_names){0};
}

int host_open_path(const struct host *host, const char *path)
{
    return host_open(host, path, O_PATH);
}

int host_open_folder(const struct host *host, const char *path)
{
    return host_open(host, path, O_RDONLY | O_DIRECTORY);
}

const char *host_verdict_clause(enum host_verdict verdict)
{
    switch (verdict) {
    case HOST_READ:
        return "is there";
    case HOST_ABSENT:
        return "is not there";
    case HOST_DENIED:
        return "may not be read by this user; run the doctor as root";
    case HOST_UNFIT:
        return "is no regular file, or cannot be read";
    }
    return "";
}
