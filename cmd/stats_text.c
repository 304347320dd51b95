/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/stats_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mail/sequel.h"
#include "cmd/stats_cell.h"
#include "cmd/stats_lists.h"
#include "cmd/stats_trouble.h"
#include "daemon/stats_view.h"

#define SERVER_NAME_COLUMNS 19
#define SERVER_NAME_SIZE    (STATS_ADDRESS_SIZE + 1 + STATS_TLS_SIZE)
#define LATENCY_COLUMNS     7

struct screen {
    struct text *text;
    const struct stats_style *style;
    const struct stats_view *view;
};

static enum stats_colour health_colour(enum stats_health health)
{
    switch (health) {
    case STATS_HEALTH_IDLE:
    case STATS_HEALTH_WELL:
        return STATS_COLOUR_GREEN;
    case STATS_HEALTH_LIMPING:
        return STATS_COLOUR_YELLOW;
    case STATS_HEALTH_FAILING:
    case STATS_HEALTH_CUT_OFF:
        return STATS_COLOUR_RED;
    }
    return STATS_COLOUR_NONE;
}

static size_t count_resting(const struct stats_view *view)
{
    size_t count = 0;
    for (size_t i = 0; i < view->upstream_count; i++) {
        count += stats_upstream_is_resting(&view->upstreams[i]) ? 1 : 0;
    }
    return count;
}

/* What stands behind the word of health, where it needs more. */
static void add_health_reason(const struct screen *screen, enum stats_health health)
{
    const struct stats_view *view = screen->view;
    size_t resting = count_resting(view);
    struct lately_count lately = stats_view_lately(view);
    switch (health) {
    case STATS_HEALTH_IDLE:
        text_addf(
            screen->text, ", nothing was asked %s", view->covers_s > 0 ? "in this time" : "yet");
        break;
    case STATS_HEALTH_WELL:
        break;
    case STATS_HEALTH_LIMPING:
        text_addf(screen->text, ", %zu of %zu servers %s not answer", resting, view->upstream_count,
            resting == 1 ? "does" : "do");
        break;
    case STATS_HEALTH_FAILING:
        text_add(screen->text, ", ");
        stats_cell_percent(screen->text, 0, lately.failed, lately.asked);
        text_add(screen->text, " % of all questions got SERVFAIL");
        break;
    case STATS_HEALTH_CUT_OFF:
        text_add(screen->text, resting == view->upstream_count
                                   ? ", no upstream server answers"
                                   : ", one upstream group does not answer");
        break;
    }
}

static void add_summary(const struct screen *screen)
{
    const struct stats_view *view = screen->view;
    uint64_t count = stats_view_count(view);
    uint64_t here = 0;
    struct histogram_sum mx;
    if (count == 0) {
        return;
    }
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        here += stats_view_here(view, (enum question_class) class);
    }
    stats_cell_percent(screen->text, 0, here, count);
    text_add(screen->text, " % answered from here");
    stats_view_sum_class(view, QUESTION_CLASS_MX, &mx);
    if (mx.count > 0) {
        text_add(screen->text, "; the slowest 1 % of MX questions wait ");
        stats_cell_latency(screen->text, 0, mx.count, histogram_quantile(&mx, 990));
        text_add(screen->text, " or more");
    }
    text_add(screen->text, ".\n");
}

static void add_head(const struct screen *screen)
{
    enum stats_health health = stats_view_health(screen->view);
    text_addf(screen->text, "mxcache %.10s, up ", screen->view->version);
    stats_cell_uptime(screen->text, screen->view->uptime_s);
    text_add(screen->text, ": ");
    stats_cell_colour(screen->text, screen->style, health_colour(health));
    text_add(screen->text, stats_health_name(health));
    stats_cell_colour(screen->text, screen->style, STATS_COLOUR_NONE);
    add_health_reason(screen, health);
    text_add(screen->text, ".\n");
    bool is_lately = screen->view->covers_s == 0 && screen->view->knows_lately;
    if (is_lately && health == STATS_HEALTH_FAILING) {
        text_add(
            screen->text, "That is of the last ten minutes; the numbers count from the start.\n");
    }
    if (screen->view->covers_s > 0) {
        text_add(screen->text, "The numbers are those of the last ");
        stats_cell_uptime(screen->text, screen->view->covers_s);
        text_add(screen->text, ".\n");
    }
    add_summary(screen);
}

static void add_title(const struct screen *screen, const char *title)
{
    text_add(screen->text, "\n");
    stats_cell_colour(screen->text, screen->style, STATS_COLOUR_BOLD);
    text_add(screen->text, title);
    stats_cell_colour(screen->text, screen->style, STATS_COLOUR_NONE);
    text_add(screen->text, "\n");
}

static void add_quantiles(struct text *text, const struct histogram_sum *sum)
{
    stats_cell_latency(text, LATENCY_COLUMNS, sum->count, histogram_quantile(sum, 500));
    stats_cell_latency(text, LATENCY_COLUMNS, sum->count, histogram_quantile(sum, 900));
    stats_cell_latency(text, LATENCY_COLUMNS, sum->count, histogram_quantile(sum, 990));
    stats_cell_latency(text, LATENCY_COLUMNS, sum->count, sum->max_us);
}

static void add_class(const struct screen *screen, enum question_class class)
{
    const struct histogram_sum *waits = screen->view->waits[class];
    struct histogram_sum sum;
    stats_view_sum_class(screen->view, class, &sum);
    text_addf(screen->text, "%-5s", question_class_name(class));
    stats_cell_count(screen->text, 7, sum.count);
    stats_cell_percent(screen->text, 7, stats_view_here(screen->view, class), sum.count);
    stats_cell_count(screen->text, 6, waits[OUTCOME_STALE].count);
    stats_cell_count(screen->text, 7, waits[OUTCOME_FAILED].count);
    add_quantiles(screen->text, &sum);
    if (sum.count > 0) {
        text_add(screen->text, "  ");
        stats_cell_bars(screen->text, screen->style, &sum);
    }
    text_add(screen->text, "\n");
}

static void add_classes(const struct screen *screen)
{
    add_title(screen, "asked  count here % stale failed    p50    p90    p99    max "
                      " " STATS_CELL_BARS_TITLE);
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        add_class(screen, (enum question_class) class);
    }
}

static const char *outcome_words(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_HIT:
        return "fresh from the cache";
    case OUTCOME_STALE:
        return "expired, but given";
    case OUTCOME_JOINED:
        return "waited for another's work";
    case OUTCOME_MISS:
        return "waited for upstream";
    case OUTCOME_LOCAL:
        return "answered in the house";
    case OUTCOME_FAILED:
        return "SERVFAIL";
    }
    return "";
}

static void add_outcomes(const struct screen *screen)
{
    uint64_t count = stats_view_count(screen->view);
    add_title(
        screen, "answered                           count      %    p50    p90    p99    max");
    for (unsigned i = 0; i < OUTCOMES; i++) {
        struct histogram_sum sum;
        stats_view_sum_outcome(screen->view, (enum outcome)i, &sum);
        text_addf(screen->text, "%-6s  %-25s", outcome_name((enum outcome)i),
            outcome_words((enum outcome)i));
        stats_cell_count(screen->text, 7, sum.count);
        stats_cell_percent(screen->text, 7, sum.count, count);
        add_quantiles(screen->text, &sum);
        text_add(screen->text, "\n");
    }
}

/* How much of the address is shown: as in the configuration, the usual port is left out. */
static int address_len(const struct stats_upstream *upstream)
{
    const char *usual = upstream->tls_name[0] != '\0' ? "@853" : "@53";
    size_t len = strlen(upstream->address);
    size_t usual_len = strlen(usual);
    bool is_usual = len > usual_len && strcmp(upstream->address + len - usual_len, usual) == 0;
    return (int)(is_usual ? len - usual_len : len);
}

/* A name that is too long for its column gets a line of its own. */
static void add_server_name(struct text *text, const struct stats_upstream *upstream)
{
    char name[SERVER_NAME_SIZE];
    int len = snprintf(name, sizeof name, "%.*s%s%s", address_len(upstream), upstream->address,
        upstream->tls_name[0] != '\0' ? "#" : "", upstream->tls_name);
    if (len < SERVER_NAME_COLUMNS) {
        text_addf(text, "%-*s", SERVER_NAME_COLUMNS, name);
    } else if (len <= STATS_TEXT_COLUMNS) {
        text_addf(text, "%s\n%*s", name, SERVER_NAME_COLUMNS, "");
    } else {
        text_addf(text, "%.*s...\n%*s", STATS_TEXT_COLUMNS - 3, name, SERVER_NAME_COLUMNS, "");
    }
}

static void add_server(const struct screen *screen, const struct stats_upstream *upstream)
{
    bool is_resting = stats_upstream_is_resting(upstream);
    add_server_name(screen->text, upstream);
    stats_cell_colour(
        screen->text, screen->style, is_resting ? STATS_COLOUR_YELLOW : STATS_COLOUR_NONE);
    text_addf(screen->text, "%-8.8s", upstream->state);
    stats_cell_colour(screen->text, screen->style, STATS_COLOUR_NONE);
    stats_cell_count(screen->text, 7, upstream->sent);
    stats_cell_count(screen->text, 9, upstream->answered);
    stats_cell_count(screen->text, 7, upstream->failed);
    stats_cell_count(screen->text, 9, upstream->timed_out + upstream->lost);
    stats_cell_latency(screen->text, LATENCY_COLUMNS, upstream->answered, upstream->p50_us);
    stats_cell_latency(screen->text, LATENCY_COLUMNS, upstream->answered, upstream->p90_us);
    stats_cell_latency(screen->text, LATENCY_COLUMNS, upstream->answered, upstream->p99_us);
    text_add(screen->text, "\n");
}

/* Where a server was asked by both ways, what it took over a connection; the line above is about
 * all. */
static void add_server_stream(const struct screen *screen, const struct stats_upstream *upstream)
{
    const struct histogram_sum *stream = &upstream->round_trips[SERVER_WAY_STREAM];
    if (stream->count == 0 || upstream->round_trips[SERVER_WAY_DATAGRAM].count == 0) {
        return;
    }
    text_addf(screen->text, "%-*s", SERVER_NAME_COLUMNS + 15, "  of these over tcp");
    stats_cell_count(screen->text, 9, stream->count);
    text_addf(screen->text, "%*s", 16, "");
    stats_cell_latency(
        screen->text, LATENCY_COLUMNS, stream->count, histogram_quantile(stream, 500));
    stats_cell_latency(
        screen->text, LATENCY_COLUMNS, stream->count, histogram_quantile(stream, 900));
    stats_cell_latency(
        screen->text, LATENCY_COLUMNS, stream->count, histogram_quantile(stream, 990));
    text_add(screen->text, "\n");
}

static void add_servers(const struct screen *screen)
{
    const char *group = NULL;
    for (size_t i = 0; i < screen->view->upstream_count; i++) {
        const struct stats_upstream *upstream = &screen->view->upstreams[i];
        if (group == NULL || strcmp(group, upstream->group) != 0) {
            char heading[SERVER_NAME_COLUMNS];
            char title[STATS_TEXT_COLUMNS + 1];
            bool is_default = strcmp(upstream->group, "default") == 0;
            (void)snprintf(heading, sizeof heading, "%s%s%.9s",
                is_default ? "upstreams" : "upstream", is_default ? "" : " ",
                is_default ? "" : upstream->group);
            (void)snprintf(title, sizeof title, "%-*s%s", SERVER_NAME_COLUMNS, heading,
                "state      sent answered failed no reply    p50    p90    p99");
            add_title(screen, title);
            group = upstream->group;
        }
        add_server(screen, upstream);
        add_server_stream(screen, upstream);
    }
}

static void add_ahead_step(const struct screen *screen, enum sequel_step step)
{
    uint64_t asked = stats_view_ahead_asked(screen->view, step);
    uint64_t used = stats_view_ahead_used(screen->view, step);
    bool is_on = screen->view->ahead_is_on[step];
    if (asked == 0) {
        return;
    }
    text_addf(screen->text, "%-19s", sequel_step_name(step));
    stats_cell_count(screen->text, 7, asked);
    stats_cell_count(screen->text, 7, used);
    stats_cell_percent(screen->text, 7, used, asked);
    stats_cell_count(screen->text, 8, stats_view_ahead_wasted(screen->view, step));
    text_addf(screen->text, "  %s\n", is_on ? "on" : "off");
}

/* What was fetched before a client asked it, by what it was foreseen from. */
static void add_ahead(const struct screen *screen)
{
    if (stats_view_metric(screen->view, "fetches_ahead") == 0) {
        return;
    }
    add_title(screen, "asked ahead          asked   used used %  wasted  at present");
    for (unsigned step = SEQUEL_NONE + 1; step < SEQUEL_STEPS; step++) {
        add_ahead_step(screen, (enum sequel_step)step);
    }
}

static void add_cache(const struct screen *screen)
{
    const struct stats_view *view = screen->view;
    uint64_t used = stats_view_metric(view, "cache_bytes");
    uint64_t budget = stats_view_metric(view, "cache_bytes_max");
    add_title(screen, "cache");
    stats_cell_bytes(screen->text, used);
    text_add(screen->text, " of ");
    stats_cell_bytes(screen->text, budget);
    text_add(screen->text, " in use (");
    stats_cell_percent(screen->text, 0, used, budget);
    text_add(screen->text, " %): ");
    stats_cell_count(screen->text, 0, stats_view_metric(view, "cache_entries"));
    text_add(screen->text, " answers; ");
    stats_cell_count(screen->text, 0, stats_view_metric(view, "cache_evictions"));
    text_add(screen->text, " evicted to make room\n");
}

void stats_text_add(
    struct text *text, const struct stats_style *style, const struct stats_view *view)
{
    const struct screen screen = {.text = text, .style = style, .view = view};
    add_head(&screen);
    add_classes(&screen);
    add_outcomes(&screen);
    add_servers(&screen);
    stats_lists_add(text, style, view);
    add_ahead(&screen);
    add_cache(&screen);
    stats_trouble_add(text, style, view);
}
