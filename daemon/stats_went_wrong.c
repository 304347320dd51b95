/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/stats_went_wrong.h"

#include <string.h>

#include "daemon/stats_view.h"

static const char *const troubles[] = {
    "answers_servfail",
    "deadline_passed",
    "questions_overflow",
    "questions_shed",
    "fetches_failed",
    "upstream_unsent",
    "upstream_lost",
    "upstream_mismatched",
    "upstream_ports_suspected",
    "upstream_ports_attacked",
    "upstream_ids_taken",
    "upstream_malformed",
    "udp_lost_in_kernel",
    "udp_shut_out",
    "udp_unsent",
    "clients_not_allowed",
    "tcp_refused",
    "tcp_accept_rests",
    "tcp_closed_unread",
    "cache_evictions",
    "cache_too_large",
    "control_refused",
    "reloads_failed",
};

#define TROUBLES (sizeof troubles / sizeof troubles[0])

static const struct stats_metric *find_trouble(const struct stats_view *view, const char *name)
{
    for (size_t i = 0; i < view->metric_count; i++) {
        const struct stats_metric *metric = &view->metrics[i];
        if (metric->value > 0 && strcmp(metric->name, name) == 0) {
            return metric;
        }
    }
    return NULL;
}

const struct stats_metric *stats_went_wrong_next(const struct stats_view *view, size_t *at)
{
    while (*at < TROUBLES) {
        const struct stats_metric *metric = find_trouble(view, troubles[(*at)++]);
        if (metric != NULL) {
            return metric;
        }
    }
    return NULL;
}
