/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

/*
 * What went wrong: those counters whose being above 0 is worth an admin's look, in the order of
 * what hurts mail most. Their sentences say what to do. What is normal in small numbers (a late
 * reply, a client that went away) is none of them. Pure; any thread.
 */
struct stats_metric;
struct stats_view;

/* The next of them that is above 0, NULL when there are no more. `*at` is 0 at first. */
const struct stats_metric *stats_went_wrong_next(const struct stats_view *view, size_t *at);
