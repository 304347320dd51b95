/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/stats_view.h"

#include <string.h>

#include "base/must.h"
#include "base/text.h"

/* One question in so many may fail before it is called failing: dead domains exist. */
#define FAILING_ONE_IN 100

void stats_view_sum_class(
    const struct stats_view *view, enum question_class class, struct histogram_sum *sum_out)
{
    memset(sum_out, 0, sizeof *sum_out);
    for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
        histogram_sum_add(sum_out, &view->waits[class][outcome]);
    }
}

void stats_view_sum_outcome(
    const struct stats_view *view, enum outcome outcome, struct histogram_sum *sum_out)
{
    memset(sum_out, 0, sizeof *sum_out);
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        histogram_sum_add(sum_out, &view->waits[class][outcome]);
    }
}

bool outcome_is_here(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_HIT:
    case OUTCOME_STALE:
    case OUTCOME_LOCAL:
        return true;
    case OUTCOME_JOINED:
    case OUTCOME_MISS:
    case OUTCOME_FAILED:
        return false;
    }
    must(false);
    return false;
}

uint64_t stats_view_here(const struct stats_view *view, enum question_class class)
{
    const struct histogram_sum *waits = view->waits[class];
    return waits[OUTCOME_HIT].count + waits[OUTCOME_STALE].count + waits[OUTCOME_LOCAL].count;
}

static uint64_t view_count_outcome(const struct stats_view *view, enum outcome outcome)
{
    uint64_t count = 0;
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        count += view->waits[class][outcome].count;
    }
    return count;
}

uint64_t stats_view_count(const struct stats_view *view)
{
    uint64_t count = 0;
    for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
        count += view_count_outcome(view, (enum outcome)outcome);
    }
    return count;
}

uint64_t stats_view_metric(const struct stats_view *view, const char *name)
{
    for (size_t i = 0; i < view->metric_count; i++) {
        if (strcmp(view->metrics[i].name, name) == 0) {
            return view->metrics[i].value;
        }
    }
    return 0;
}

bool stats_upstream_is_resting(const struct stats_upstream *upstream)
{
    return strcmp(upstream->state, "resting") == 0;
}

const char *stats_upstream_transport(const struct stats_upstream *upstream, enum server_way way)
{
    bool is_tls = upstream->tls_name[0] != '\0';
    switch (way) {
    case SERVER_WAY_DATAGRAM:
        return is_tls ? NULL : "udp";
    case SERVER_WAY_STREAM:
        return is_tls ? "tls" : "tcp";
    }
    must_never("a way to a server");
}

static uint64_t view_ahead(const struct stats_view *view, const char *what, enum sequel_step step)
{
    char name[STATS_WORD_SIZE];
    struct text text;
    text_init(&text, name, sizeof name);
    text_addf(&text, "ahead_%s_%s", what, sequel_step_name(step));
    return stats_view_metric(view, name);
}

uint64_t stats_view_ahead_asked(const struct stats_view *view, enum sequel_step step)
{
    return view_ahead(view, "asked", step);
}

uint64_t stats_view_ahead_used(const struct stats_view *view, enum sequel_step step)
{
    return view_ahead(view, "used", step);
}

/* Of what was asked before a time, more may be used in it than was asked in it. */
uint64_t stats_view_ahead_wasted(const struct stats_view *view, enum sequel_step step)
{
    uint64_t asked = stats_view_ahead_asked(view, step);
    uint64_t used = stats_view_ahead_used(view, step);
    return asked > used ? asked - used : 0;
}

/* Does any server of the group of `upstream` not rest? */
static bool group_has_hope(const struct stats_view *view, const struct stats_upstream *upstream)
{
    for (size_t i = 0; i < view->upstream_count; i++) {
        const struct stats_upstream *other = &view->upstreams[i];
        if (strcmp(other->group, upstream->group) == 0 && !stats_upstream_is_resting(other)) {
            return true;
        }
    }
    return false;
}

struct lately_count stats_view_lately(const struct stats_view *view)
{
    if (view->covers_s == 0 && view->knows_lately) {
        return view->lately;
    }
    return (struct lately_count){
        .asked = stats_view_count(view), .failed = view_count_outcome(view, OUTCOME_FAILED)};
}

/* A quiet night is no idleness. */
enum stats_health stats_view_health(const struct stats_view *view)
{
    struct lately_count lately = stats_view_lately(view);
    enum stats_health health = stats_view_health_of(view, lately.asked, lately.failed);
    bool is_quiet = health == STATS_HEALTH_IDLE && stats_view_count(view) > 0;
    return is_quiet ? STATS_HEALTH_WELL : health;
}

enum stats_health stats_view_health_of(
    const struct stats_view *view, uint64_t count, uint64_t failed)
{
    bool is_limping = false;
    for (size_t i = 0; i < view->upstream_count; i++) {
        if (!stats_upstream_is_resting(&view->upstreams[i])) {
            continue;
        }
        is_limping = true;
        if (!group_has_hope(view, &view->upstreams[i])) {
            return STATS_HEALTH_CUT_OFF;
        }
    }
    if (failed > count / FAILING_ONE_IN) {
        return STATS_HEALTH_FAILING;
    }
    if (is_limping) {
        return STATS_HEALTH_LIMPING;
    }
    return count == 0 ? STATS_HEALTH_IDLE : STATS_HEALTH_WELL;
}

const char *stats_health_name(enum stats_health health)
{
    switch (health) {
    case STATS_HEALTH_IDLE:
        return "idle";
    case STATS_HEALTH_WELL:
        return "well";
    case STATS_HEALTH_LIMPING:
        return "limping";
    case STATS_HEALTH_FAILING:
        return "failing";
    case STATS_HEALTH_CUT_OFF:
        return "cut off";
    }
    must(false);
    return "";
}
