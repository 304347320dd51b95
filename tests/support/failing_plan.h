/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * What the preloaded libraries of the live tests share: a page that the test writes into while the
 * program runs. It is the file that an environment variable names.
 */

/* NULL: no such variable, file or memory; then nothing is to fail. */
static inline void *failing_plan_open(const char *variable, size_t size)
{
    const char *path = getenv(variable);
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    return page == MAP_FAILED ? NULL : page;
}
