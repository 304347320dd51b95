/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/stats.h"

#include "base/must.h"

const struct metric_row resolver_metric_rows[] = {
#define METRIC_COUNTER(name, sentence) {#name, METRIC_KIND_COUNTER, sentence},
#define METRIC_GAUGE(name, sentence)   {#name, METRIC_KIND_GAUGE, sentence},
#include "resolver/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
};

const size_t resolver_metric_row_count =
    sizeof resolver_metric_rows / sizeof resolver_metric_rows[0];

const char *question_class_name(enum question_class class)
{
    switch (class) {
    case QUESTION_CLASS_MX:
        return "mx";
    case QUESTION_CLASS_A:
        return "a";
    case QUESTION_CLASS_AAAA:
        return "aaaa";
    case QUESTION_CLASS_PTR:
        return "ptr";
    case QUESTION_CLASS_TXT:
        return "txt";
    case QUESTION_CLASS_TLSA:
        return "tlsa";
    case QUESTION_CLASS_LIST:
        return "list";
    case QUESTION_CLASS_OTHER:
        return "other";
    }
    must_never("a question class");
}

const char *outcome_name(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_HIT:
        return "hit";
    case OUTCOME_STALE:
        return "stale";
    case OUTCOME_JOINED:
        return "joined";
    case OUTCOME_MISS:
        return "miss";
    case OUTCOME_LOCAL:
        return "local";
    case OUTCOME_FAILED:
        return "failed";
    }
    must_never("an outcome");
}

uint64_t resolver_stats_read(const struct resolver_stats *stats, size_t index)
{
    const struct counter *const counters[] = {
#define METRIC_COUNTER(name, sentence) &stats->name,
#define METRIC_GAUGE(name, sentence)   &stats->name,
#include "resolver/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
    };
    must(index < resolver_metric_row_count);
    return counter_read(counters[index]);
}

/* Where the rows stand. */
enum stats_row {
#define METRIC_COUNTER(name, sentence) STATS_ROW_##name,
#define METRIC_GAUGE(name, sentence)   STATS_ROW_##name,
#include "resolver/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
};

size_t resolver_stats_ahead_row(enum sequel_step step, bool is_used)
{
    must(step != SEQUEL_NONE && (unsigned)step < SEQUEL_STEPS);
    size_t first = is_used ? STATS_ROW_ahead_used_client_ptr : STATS_ROW_ahead_asked_client_ptr;
    return first + (size_t)step - 1;
}

void resolver_stats_count_ahead(struct resolver_stats *stats, enum sequel_step step, bool is_used)
{
    counter_add((struct counter *)stats + resolver_stats_ahead_row(step, is_used), 1);
}
