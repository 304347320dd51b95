/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct stats_view;
struct text;

/* The text form of OpenMetrics 1.0, "# EOF" included. Pure; any thread. */
void stats_openmetrics_add(struct text *text, const struct stats_view *view);
