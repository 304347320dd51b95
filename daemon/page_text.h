/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

/*
 * The small parts of the page for people (daemon/page.h): text that cannot become markup, and
 * numbers in the form that people read. Pure; any thread.
 */
struct text;

/* Any bytes, as HTML text or as the value of a quoted attribute. Control characters are shown as
 * a question mark. */
void page_text_escape(struct text *text, const char *string);

/* 1234567 with narrow spaces between the thousands. */
void page_text_count(struct text *text, uint64_t count);

/* 98.7 %; a dash when `whole` is 0. */
void page_text_percent(struct text *text, uint64_t part, uint64_t whole);

/* In powers of 1,024, with one decimal: 11.8 MiB. */
void page_text_bytes(struct text *text, uint64_t bytes);

/* 1.25 ms; a dash when nothing was measured. */
void page_text_latency(struct text *text, uint64_t count, uint64_t duration_us);

/* Two days, 3 h or 3 h 12 min. */
void page_text_uptime(struct text *text, uint64_t seconds);
