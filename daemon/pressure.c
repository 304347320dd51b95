/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/pressure.h"

void pressure_on_read(struct pressure *pressure, bool is_empty, int64_t now)
{
    if (is_empty) {
        pressure->full_since = 0;
    } else if (pressure->full_since == 0) {
        pressure->full_since = now;
    }
}

bool pressure_is_high(struct pressure *pressure, int64_t now)
{
    if (pressure->is_on && now - pressure->shed_at >= PRESSURE_CALM_US) {
        pressure->is_on = false;
    }
    int64_t patience = pressure->is_on ? PRESSURE_DELAY_US : PRESSURE_PATIENCE_US;
    if (pressure->full_since == 0 || now - pressure->full_since < patience) {
        return false;
    }
    pressure->is_on = true;
    pressure->shed_at = now;
    return true;
}
