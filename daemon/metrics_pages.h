/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdint.h>

#include "daemon/export.h"

/*
 * What stands at metrics_listen: /metrics for monitoring systems, /healthz for supervisors, / for
 * people. Main thread.
 */
struct http_request;
struct stats_view;
struct text;

struct metrics_pages {
    struct export_sources *sources;
    struct export *export;   /* Filled anew for each page. */
    struct stats_view *view; /* The same. */
    const char *version;
    int64_t started_at;
};

/* `pages` is a struct metrics_pages: this is a metrics_http_handler. */
const char *metrics_pages_write(void *pages, const struct http_request *request, struct text *body);
