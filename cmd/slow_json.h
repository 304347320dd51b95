/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct slow_view;
struct text;

/* The slow or failed questions as one JSON object on one line; its names stand in mxcache(8). */
void slow_json_add(struct text *text, const struct slow_view *view);
