/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_pages.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/http_request.h"
#include "daemon/metrics_text.h"
#include "daemon/page.h"
#include "daemon/stats_fill.h"
#include "daemon/stats_view.h"

static void pages_look(struct metrics_pages *pages)
{
    const struct stats_info info = {
        .version = pages->version,
        .uptime_s = (uint64_t)((clock_now() - pages->started_at) / CLOCK_US_PER_S),
        .workers = pages->sources->worker_count,
        .pid = (uint64_t)getpid(),
    };
    export_gather(pages->export, pages->sources);
    stats_view_fill(pages->view, pages->export, &info);
}

/*
 * Ready means that every worker takes part: gathering has just gone through all of them. How the
 * Internet does is told beside it and is no part of the verdict: a supervisor that took mail down
 * with the uplink would make things worse.
 */
static const char *pages_write_health(struct metrics_pages *pages, struct text *body)
{
    text_addf(body, "ready\nupstream: %s\n", stats_health_name(stats_view_health(pages->view)));
    return "text/plain; charset=utf-8";
}

const char *metrics_pages_write(void *world, const struct http_request *request, struct text *body)
{
    struct metrics_pages *pages = world;
    bool is_metrics = strcmp(request->path, "/metrics") == 0;
    bool is_health = strcmp(request->path, "/healthz") == 0;
    if (!is_metrics && !is_health && strcmp(request->path, "/") != 0) {
        return NULL;
    }
    pages_look(pages);
    if (is_health) {
        return pages_write_health(pages, body);
    }
    if (is_metrics) {
        enum metrics_form form =
            request->prefers_openmetrics ? METRICS_FORM_OPENMETRICS : METRICS_FORM_PROMETHEUS;
        metrics_text_add(body, pages->view, form);
        return metrics_form_type(form);
    }
    page_add(body, pages->view);
    return "text/html; charset=utf-8";
}
