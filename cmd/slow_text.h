/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * Questions and their time lines for people, in 80 columns. Pure; any thread.
 */
struct event_view;
struct slow_view;
struct stats_style;
struct text;

void slow_text_add(
    struct text *text, const struct stats_style *style, const struct slow_view *view);

/* One line of a time line that ends at `end_us`: when, a picture of it, and what. */
void slow_text_add_moment(struct text *text, const struct stats_style *style,
    const struct event_view *event, uint64_t end_us);
