/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The numbers of the house in the words of the control socket (daemon/control.h). Pure; any thread.
 */
struct export;
struct text;

/* All of them: the lines of `stats` but for the first ones, about the daemon itself. */
void control_stats_add(struct text *answer, const struct export *export);

/* The names of the upstream servers alone. */
void control_stats_add_upstreams(struct text *answer, const struct export *export);
