/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/pressure.h"

static bool pressure_lasts(const struct pressure *pressure, int64_t now, int64_t patience)
{
    return pressure->full_since != 0 && now - pressure->full_since >= patience;
}

enum pressure_level pressure_on_read(struct pressure *pressure, bool is_empty, int64_t now)
{
    if (is_empty) {
        pressure->full_since = 0;
        return PRESSURE_NONE;
    }
    if (pressure->full_since == 0) {
        pressure->full_since = now;
    }
    if (pressure->is_on && now - pressure->high_at >= PRESSURE_CALM_US) {
        pressure->is_on = false;
    }
    if (!pressure->is_on) {
        bool is_long = pressure_lasts(pressure, now, PRESSURE_PATIENCE_US);
        return is_long ? PRESSURE_SUSPECTED : PRESSURE_NONE;
    }
    if (!pressure_lasts(pressure, now, PRESSURE_DELAY_US)) {
        return PRESSURE_NONE;
    }
    pressure->high_at = now;
    return PRESSURE_HIGH;
}

void pressure_raise(struct pressure *pressure, int64_t now)
{
    pressure->is_on = true;
    pressure->high_at = now;
}
