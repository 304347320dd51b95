/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct stats_style;
struct stats_view;
struct text;

/* The DNS lists in use, one a line of at most STATS_TEXT_COLUMNS; nothing when there are none.
 * Pure; any thread. */
void stats_lists_add(
    struct text *text, const struct stats_style *style, const struct stats_view *view);
