/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * The pictures of the page for people (daemon/page.h), as SVG that stands in the page itself. All
 * of them show time on one axis, from 10 us to 10 s, so that they can be compared. Their colours
 * are those of page_style.c. Pure; any thread.
 */
struct histogram_sum;
struct text;

/* How long clients waited: a column for each step of time, those answered from here below, those
 * who waited for upstream above, and marks where half of them and 99 of 100 had their answer.
 * `name` is a literal of ours. */
void page_picture_waits(struct text *text, const char *name, const struct histogram_sum *here,
    const struct histogram_sum *away);

/* A line from the median to the 99th percentile with a dot at the median; nothing when `p50_us`
 * is 0. */
void page_picture_span(struct text *text, uint64_t p50_us, uint64_t p90_us, uint64_t p99_us);

/* How much of the whole, as a bar. */
void page_picture_share(struct text *text, uint64_t part, uint64_t whole);
