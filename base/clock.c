/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"

static int64_t clock_read(clockid_t id)
{
    struct timespec time;
    must(clock_gettime(id, &time) == 0);
    return (int64_t)time.tv_sec * CLOCK_US_PER_S + (int64_t)time.tv_nsec / 1000;
}

int64_t clock_now(void)
{
    return clock_read(CLOCK_BOOTTIME);
}

int64_t clock_wall(void)
{
    return clock_read(CLOCK_REALTIME);
}

bool clock_boot(char boot_out[CLOCK_BOOT_SIZE])
{
    memset(boot_out, 0, CLOCK_BOOT_SIZE);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, boot_out, CLOCK_BOOT_SIZE - 1);
    if (fd >= 0) {
        (void)close(fd);
    }
    bool is_whole = got == CLOCK_BOOT_SIZE - 1;
    if (!is_whole) {
        boot_out[0] = '\0';
    }
    return is_whole;
}
