/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/daemon_log.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/text.h"
#include "conf/finding.h"
#include "daemon/events.h"
#include "daemon/export.h"

#define LINE_SIZE (FINDING_FILE_SIZE + FINDING_SENTENCE_SIZE + 64)

void daemon_log_findings(const struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        char line[LINE_SIZE];
        char quoted[2 * LINE_SIZE];
        struct text text;
        (void)finding_format(finding, line, sizeof line);
        text_init(&text, quoted, sizeof quoted);
        text_add_quoted(&text, line);
        log_event(finding->level == FINDING_ERROR ? &event_config_error : &event_config_warning,
            "finding=%s", quoted);
    }
    if (findings->dropped > 0) {
        log_event(&event_config_error, "further=%zu", findings->dropped);
    }
}

void daemon_log_ended(const struct export *export, int64_t uptime_us)
{
    uint64_t outcomes[OUTCOMES] = {0};
    uint64_t answers = 0;
    for (unsigned i = 0; i < QUESTION_CLASSES; i++) {
        for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
            outcomes[outcome] += export->wait[i][outcome].count;
            answers += export->wait[i][outcome].count;
        }
    }
    log_event(&event_ended,
        "answers=%" PRIu64 " hits=%" PRIu64 " stale=%" PRIu64 " failed=%" PRIu64 " uptime=%" PRId64
        "s",
        answers, outcomes[OUTCOME_HIT], outcomes[OUTCOME_STALE], outcomes[OUTCOME_FAILED],
        uptime_us / CLOCK_US_PER_S);
}

/* What has a remedy, and is no event of its own. */
static const char *const counters[] = {
    "clients_not_allowed",
    "udp_lost_in_kernel",
    "udp_shut_out",
    "udp_unsent",
    "questions_overflow",
    "questions_shed",
    "tcp_refused",
    "tcp_closed_unread",
    "upstream_ports_suspected",
    "upstream_ids_taken",
    "upstream_malformed",
    "loops",
    "cache_too_large",
    "control_refused",
    "http_refused",
    "http_misdirected",
    "query_log_dropped",
    "dnstap_dropped",
};

#define COUNTERS (sizeof counters / sizeof counters[0])

_Static_assert(COUNTERS <= DAEMON_LOG_COUNTERS_MAX, "each has its place");

static const struct metric_row *row_find(
    const struct metric_row *rows, size_t count, const char *name, size_t *index_out)
{
    for (*index_out = 0; *index_out < count; (*index_out)++) {
        if (strcmp(rows[*index_out].name, name) == 0) {
            return &rows[*index_out];
        }
    }
    return NULL;
}

static const struct metric_row *counter_find(
    const struct export *export, const char *name, uint64_t *value_out)
{
    size_t at;
    const struct metric_row *row =
        row_find(resolver_metric_rows, resolver_metric_row_count, name, &at);
    if (row != NULL) {
        *value_out = export->resolver[at];
        return row;
    }
    row = row_find(daemon_metric_rows, daemon_metric_row_count, name, &at);
    if (row != NULL) {
        *value_out = export->daemon[at];
        return row;
    }
    row = row_find(cache_metric_rows, cache_metric_row_count, name, &at);
    must(row != NULL);
    *value_out = export_cache_value(export, at);
    return row;
}

void daemon_log_minute(struct daemon_log_minute *minute, const struct export *export)
{
    for (size_t i = 0; i < COUNTERS; i++) {
        uint64_t value;
        const struct metric_row *row = counter_find(export, counters[i], &value);
        if (value > minute->seen[i]) {
            log_event(&event_counted,
                "counter=%s count=%" PRIu64 " total=%" PRIu64 " meaning=\"%s\"", row->name,
                value - minute->seen[i], value, row->sentence);
        }
        minute->seen[i] = value;
    }
}
