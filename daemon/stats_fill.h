/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

struct export;
struct stats_view;

/* What the house says about itself beside its numbers. */
struct stats_info {
    const char *version;
    uint64_t uptime_s;
    uint64_t workers;
    uint64_t pid;
};

/*
 * The numbers of the house as they are shown: what a client of the control socket would make of
 * `stats`, without the way through text. Pure; any thread. `view_out` is overwritten.
 */
void stats_view_fill(
    struct stats_view *view_out, const struct export *export, const struct stats_info *info);
