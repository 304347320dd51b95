/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/pressure.h"

static bool pressure_lasts(const struct pressure *pressure, int64_t now, int64_t patience)
{
    return pressure->full_since != 0 && now - pressure->full_since >= patience;
}

/* Is it worth going on? */
static void pressure_judge(struct pressure *pressure, int64_t now)
{
    int64_t duration_us = now - pressure->judged_at;
    if (pressure->is_on && duration_us >= PRESSURE_CALM_US) {
        pressure->is_on = pressure->high_us > duration_us / PRESSURE_CALM_SHARE;
        pressure->judged_at = now;
        pressure->high_us = 0;
    }
}

enum pressure_level pressure_on_read(struct pressure *pressure, bool is_empty, int64_t now)
{
    if (is_empty) {
        pressure->full_since = 0;
        return PRESSURE_NONE;
    }
    int64_t before = pressure->full_since == 0 ? now : pressure->read_at;
    if (pressure->full_since == 0) {
        pressure->full_since = now;
    }
    pressure->read_at = now;
    pressure_judge(pressure, now);
    if (!pressure->is_on) {
        bool is_long = pressure_lasts(pressure, now, PRESSURE_PATIENCE_US);
        return is_long ? PRESSURE_SUSPECTED : PRESSURE_NONE;
    }
    if (!pressure_lasts(pressure, now, PRESSURE_DELAY_US)) {
        return PRESSURE_NONE;
    }
    pressure->high_us += now - before;
    return PRESSURE_HIGH;
}

void pressure_raise(struct pressure *pressure, int64_t now)
{
    pressure->is_on = true;
    pressure->judged_at = now;
    pressure->high_us = 0;
}
