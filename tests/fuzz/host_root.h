/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"

/*
 * The root of a host for targets that read files: a folder, in memory where there is such a place,
 * which goes when the program ends.
 */
#define HOST_ROOT_PATH_SIZE 256

static char host_root[64];

static inline void host_root_remove(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", host_root);
    must(system(command) == 0);
}

/* Once in a program. */
static inline void host_root_make(void)
{
    (void)snprintf(host_root, sizeof host_root, "%s/fuzz_host.XXXXXX",
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    must(mkdtemp(host_root) != NULL);
    must(atexit(host_root_remove) == 0);
}

/* The path outside the root; the folders on its way are made. */
static inline void host_root_path(const char *path, char path_out[static HOST_ROOT_PATH_SIZE])
{
    (void)snprintf(path_out, HOST_ROOT_PATH_SIZE, "%s%s", host_root, path);
    char *slash = path_out + strlen(host_root) + 1;
    while ((slash = strchr(slash, '/')) != NULL) {
        *slash = '\0';
        (void)mkdir(path_out, 0755);
        *slash++ = '/';
    }
}

static inline void host_root_put(const char *place, const uint8_t *bytes, size_t len)
{
    char path[HOST_ROOT_PATH_SIZE];
    host_root_path(place, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    must(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    must(close(fd) == 0);
}
