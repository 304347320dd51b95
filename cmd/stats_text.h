/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct stats_style;
struct stats_view;
struct text;

/* One screen for people, at most STATS_TEXT_COLUMNS wide: health in words, classes, outcomes,
 * upstream servers, the cache, and what went wrong. Pure; any thread. */
#define STATS_TEXT_COLUMNS 80

void stats_text_add(
    struct text *text, const struct stats_style *style, const struct stats_view *view);
