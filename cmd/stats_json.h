/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct stats_view;
struct text;

/* One JSON object on one line; its names are stable and stand in mxcache(8). Pure; any thread. */
void stats_json_add(struct text *text, const struct stats_view *view);
