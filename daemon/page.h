/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct stats_view;
struct text;

/*
 * The page for people at metrics_listen: health and what went wrong, the waits of clients by class
 * of question with a picture of their distribution, servers, lists, what was asked ahead, cache.
 * One HTML file without scripts and without anything from elsewhere, for light and dark screens. It
 * holds what `mxcache stats` shows: numbers, the addresses of upstream servers and the zones of
 * lists, no names that anybody asked for. Pure; any thread.
 */
void page_add(struct text *text, const struct stats_view *view);
