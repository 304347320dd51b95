/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

struct reply;
struct stats_view;

/*
 * From the daemon's reply to `stats` (daemon/control.h) to a view. Lines of other kinds, further
 * words, classes and outcomes of another version are ignored; a known line that cannot be read
 * makes it all false. Pure; any thread.
 */
bool stats_read(struct reply *reply, struct stats_view *view_out);
