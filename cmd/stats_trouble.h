/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct stats_style;
struct stats_view;
struct text;

/* The counters that should be zero and are not, each with its sentence of advice, or one line that
 * says that there are none. Pure; any thread. */
void stats_trouble_add(
    struct text *text, const struct stats_style *style, const struct stats_view *view);
