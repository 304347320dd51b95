/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * The doctor's report for programs. Pure; any thread.
 */
struct report;
struct text;

/* One JSON object on one line; its names are stable and stand in mxcache(8). */
void doctor_json_add(struct text *text, const struct report *report);

/* One line as Nagios and its kin read it, with counts as performance data. */
void doctor_nagios_add(struct text *text, const struct report *report);
