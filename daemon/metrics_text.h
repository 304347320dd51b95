/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

struct stats_view;
struct text;

/*
 * The statistics as monitoring systems read them. Both forms have the same families and values; the
 * older one names a counter's family with its `_total` and knows no units, infos and end. Pure; any
 * thread.
 */
enum metrics_form {
    METRICS_FORM_OPENMETRICS, /* OpenMetrics 1.0, "# EOF" included. */
    METRICS_FORM_PROMETHEUS,  /* Prometheus text 0.0.4. */
};

/* The Content-Type of the form; a literal. */
const char *metrics_form_type(enum metrics_form form);

void metrics_text_add(struct text *text, const struct stats_view *view, enum metrics_form form);
