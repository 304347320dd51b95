/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <time.h>

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
