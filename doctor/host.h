/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/*
 * The host's files as the doctor reads them: below one root directory, which is "/" or, in a test,
 * a folder that looks like a host. Nothing is ever written, followed out of the root, waited for or
 * read without a limit, so files of anybody's making are safe: a FIFO does not hang it, a symlink
 * loop ends, a device is not opened. Paths are absolute, as the host itself would write them.
 * Main thread.
 */
#define HOST_FILE_MAX  (4 * 1024 * 1024) /* Bytes of a configuration file that are read. */
#define HOST_NAMES_MAX 4096              /* Names of a directory that are listed. */
#define HOST_PATH_SIZE 1024

struct host {
    int root_fd;
    bool is_live; /* The root is "/": processes, sockets and the network are this host's own. */
};

enum host_verdict {
    HOST_READ,   /* Here it is. */
    HOST_ABSENT, /* There is no such file; or a symlink leads nowhere. */
    HOST_DENIED, /* It may not be read by this user. */
    HOST_UNFIT,  /* A directory, device or FIFO, or an I/O error. */
};

/* False, with errno: the root cannot be opened. */
bool host_init(struct host *host, const char *root);
void host_fini(struct host *host);

struct host_file {
    char *bytes; /* Owned; a NUL stands behind them. */
    size_t len;
    bool is_cut; /* The file is longer; see the function for which part this is. */
    struct stat stat;
};

/* Reads the first `size_max` bytes of a regular file; files of /proc are such. On failure the file
 * is empty; host_file_fini() takes it in any case. Out of memory is HOST_UNFIT. */
enum host_verdict host_read(
    const struct host *host, const char *path, size_t size_max, struct host_file *file_out);

/* The same with the last `size_max` bytes, for logs. The first line may be cut. */
enum host_verdict host_read_tail(
    const struct host *host, const char *path, size_t size_max, struct host_file *file_out);
void host_file_fini(struct host_file *file);

/* Of the file itself (lstat) or of what a symlink leads to. */
enum host_verdict host_stat(
    const struct host *host, const char *path, bool follows, struct stat *stat_out);

/* The target of a symlink, as written there. False: it is none, or does not fit. */
bool host_link(const struct host *host, const char *path, char *target_out, size_t size);

/* chattr +i, of what a symlink leads to: nobody can write it, root neither. */
bool host_is_immutable(const struct host *host, const char *path);

/* The names in a directory, sorted, without "." and ".."; at most HOST_NAMES_MAX. */
struct host_names {
    char **names; /* Owned. */
    size_t count;
    bool is_cut;
};
enum host_verdict host_list(
    const struct host *host, const char *path, struct host_names *names_out);
void host_names_fini(struct host_names *names);

/* May this user connect to, or open, what is there? A descriptor with O_PATH for connect(2) by way
 * of /proc/self/fd, or -1. The caller closes it. */
int host_open_path(const struct host *host, const char *path);

/* A folder, for those who do write (setup/path_state.h); or -1 with errno. The caller closes it. */
int host_open_folder(const struct host *host, const char *path);

/* "is not there", "may not be read (run as root)", ...: the end of a sentence about a path. */
const char *host_verdict_clause(enum host_verdict verdict);
