/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct stats_view;
struct text;

/*
 * The page for people at metrics_listen: health, the wait of clients by class of question with a
 * picture of its distribution, servers, cache. One HTML file without scripts and without anything
 * from elsewhere, for light and dark screens. It holds what `mxcache stats` shows: numbers, and the
 * addresses of upstream servers, no names that anybody asked for. Pure; any thread.
 */
void page_add(struct text *text, const struct stats_view *view);
