/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "mail/sequel.h"
#include "daemon/page_picture.h"
#include "daemon/page_style.h"
#include "daemon/page_text.h"
#include "daemon/stats_view.h"
#include "daemon/stats_went_wrong.h"

/* ---- Parts of tables ---- */

/* A table that is too wide for its screen is moved in its own frame, by the keyboard as well. */
static void table_open(struct text *text, const char *title, const char *head)
{
    text_addf(text,
        "<section><h2>%s</h2>\n<div class=\"card scroll\" role=\"region\" aria-label=\"%s\" "
        "tabindex=\"0\"><table><thead><tr>%s</tr></thead><tbody>\n",
        title, title, head);
}

static void table_close(struct text *text)
{
    text_add(text, "</tbody></table></div></section>\n");
}

static void cell_count(struct text *text, const char *class, uint64_t count)
{
    text_addf(text, "<td%s>", class);
    page_text_count(text, count);
    text_add(text, "</td>");
}

static void cell_percent(struct text *text, uint64_t part, uint64_t whole)
{
    text_add(text, "<td>");
    page_text_percent(text, part, whole);
    text_add(text, "</td>");
}

static void cell_latency(struct text *text, const char *class, uint64_t count, uint64_t latency_us)
{
    text_addf(text, "<td%s>", class);
    page_text_latency(text, count, latency_us);
    text_add(text, "</td>");
}

static void cell_share(struct text *text, uint64_t part, uint64_t whole)
{
    text_add(text, "<td class=\"narrow\">");
    page_picture_share(text, part, whole);
    text_add(text, "</td>");
}

static void pill_add(struct text *text, const char *kind, const char *word)
{
    text_addf(text, "<td><span class=\"pill %s\">", kind);
    page_text_escape(text, word);
    text_add(text, "</span></td>");
}

#define NARROW " class=\"narrow\""

/* ---- Health ---- */

static size_t count_resting(const struct stats_view *view)
{
    size_t count = 0;
    for (size_t i = 0; i < view->upstream_count; i++) {
        count += stats_upstream_is_resting(&view->upstreams[i]) ? 1 : 0;
    }
    return count;
}

static const char *health_class(enum stats_health health)
{
    switch (health) {
    case STATS_HEALTH_IDLE:
    case STATS_HEALTH_WELL:
        return "well";
    case STATS_HEALTH_LIMPING:
        return "limping";
    case STATS_HEALTH_FAILING:
        return "failing";
    case STATS_HEALTH_CUT_OFF:
        return "cut";
    }
    return "";
}

/* What the word means for mail, and where to look next. */
static void add_health_reason(
    struct text *text, const struct stats_view *view, enum stats_health health)
{
    size_t resting = count_resting(view);
    switch (health) {
    case STATS_HEALTH_IDLE:
        text_add(text, "Nothing was asked yet. Does /etc/resolv.conf name this host?");
        break;
    case STATS_HEALTH_WELL:
        text_add(text, "Questions are answered, and every upstream server that was asked replies.");
        break;
    case STATS_HEALTH_LIMPING:
        text_addf(text,
            "%zu of %zu upstream servers %s not answer; the others of the same group stand in.",
            resting, view->upstream_count, resting == 1 ? "does" : "do");
        break;
    case STATS_HEALTH_FAILING:
        text_add(text, "More than one question in a hundred got SERVFAIL in the last ten minutes. "
                       "See what went wrong.");
        break;
    case STATS_HEALTH_CUT_OFF:
        text_add(text, resting == view->upstream_count
                           ? "No upstream server answers. Is this host on the network?"
                           : "One upstream group does not answer at all.");
        break;
    }
}

static void add_head(struct text *text, const struct stats_view *view)
{
    enum stats_health health = stats_view_health(view);
    const char *class = health_class(health);
    text_addf(text,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<title>mxcache is %s</title>\n<style>\n",
        stats_health_name(health));
    text_add(text, page_style);
    text_addf(text,
        "</style></head><body>\n<header class=\"%s\"><h1>mxcache is <span class=\"%s\">", class,
        class);
    text_addf(text, "%s</span></h1>\n<p>", stats_health_name(health));
    add_health_reason(text, view, health);
    text_add(text, "</p>\n<p>Version ");
    page_text_escape(text, view->version);
    text_add(text, ", up ");
    page_text_uptime(text, view->uptime_s);
    text_addf(text, ", %" PRIu64 " worker%s. All numbers count since the start.</p></header>\n",
        view->workers, view->workers == 1 ? "" : "s");
}

/* ---- In short ---- */

static void tile_open(struct text *text, const char *label)
{
    text_addf(text, "<div class=\"card\"><p>%s<span class=\"big\">", label);
}

static void tile_close(struct text *text)
{
    text_add(text, "</span></p></div>\n");
}

static void add_tiles(struct text *text, const struct stats_view *view)
{
    uint64_t count = stats_view_count(view);
    uint64_t here = 0;
    struct histogram_sum failed;
    struct histogram_sum mx;
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        here += stats_view_here(view, (enum question_class) class);
    }
    stats_view_sum_outcome(view, OUTCOME_FAILED, &failed);
    stats_view_sum_class(view, QUESTION_CLASS_MX, &mx);
    text_add(text, "<div class=\"grid tiles\">\n");
    tile_open(text, "questions answered");
    page_text_count(text, count);
    tile_close(text);
    tile_open(text, "answered from here");
    page_text_percent(text, here, count);
    tile_close(text);
    tile_open(text, "got SERVFAIL");
    page_text_percent(text, failed.count, count);
    tile_close(text);
    tile_open(text, "99 % of MX within");
    page_text_latency(text, mx.count, histogram_quantile(&mx, 990));
    tile_close(text);
    text_add(text, "</div>\n");
}

/* ---- What went wrong ---- */

static void trouble_add(struct text *text, uint64_t count, const char *subject, const char *words)
{
    text_add(text, "<li><b>");
    page_text_count(text, count);
    text_add(text, "</b><span>");
    page_text_escape(text, subject);
    page_text_escape(text, words);
    text_add(text, "</span></li>\n");
}

static bool add_list_troubles(struct text *text, const struct stats_view *view)
{
    bool is_any = false;
    for (size_t i = 0; i < view->list_count; i++) {
        const struct stats_list *list = &view->lists[i];
        char why[STATS_LIST_SENTENCE_SIZE];
        char zone[STATS_LIST_ZONE_SIZE + 8];
        if (stats_list_is_well(list)) {
            continue;
        }
        is_any = true;
        stats_list_sentence(list, why);
        (void)snprintf(zone, sizeof zone, "%s ", list->zone);
        trouble_add(text, list->counts[STATS_LIST_asked], zone, why);
    }
    return is_any;
}

static void add_troubles(struct text *text, const struct stats_view *view)
{
    const struct stats_metric *metric;
    text_add(text, "<section><h2>What went wrong</h2>\n<ul class=\"card\">\n");
    bool is_any = add_list_troubles(text, view);
    for (size_t at = 0; (metric = stats_went_wrong_next(view, &at)) != NULL;) {
        is_any = true;
        trouble_add(
            text, metric->value, "", metric->sentence != NULL ? metric->sentence : metric->name);
    }
    if (!is_any) {
        text_add(text, "<li><b class=\"well\">0</b><span>Nothing, since the start.</span></li>\n");
    }
    text_add(text, "</ul></section>\n");
}

/* ---- Waits ---- */

static void sum_outcomes(const struct histogram_sum *waits, bool is_here, struct histogram_sum *sum)
{
    memset(sum, 0, sizeof *sum);
    for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
        if (outcome_is_here((enum outcome)outcome) == is_here) {
            histogram_sum_add(sum, &waits[outcome]);
        }
    }
}

static void add_class_picture(
    struct text *text, const struct stats_view *view, enum question_class class)
{
    struct histogram_sum here;
    struct histogram_sum away;
    sum_outcomes(view->waits[class], true, &here);
    sum_outcomes(view->waits[class], false, &away);
    if (here.count + away.count == 0) {
        return;
    }
    text_addf(
        text, "<div class=\"card\"><div class=\"top\"><h3>%s</h3><p>", question_class_name(class));
    page_text_count(text, here.count + away.count);
    text_add(text, here.count + away.count == 1 ? " question</p></div>" : " questions</p></div>");
    page_picture_waits(text, question_class_name(class), &here, &away);
    text_add(text, "</div>\n");
}

static void add_pictures(struct text *text, const struct stats_view *view)
{
    text_add(text, "<section><h2>How long clients waited</h2>\n"
                   "<p class=\"key\"><span><i class=\"here\"></i>answered from here</span>"
                   "<span><i class=\"away\"></i>waited for upstream</span></p>\n"
                   "<div class=\"grid wide\">\n");
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        add_class_picture(text, view, (enum question_class) class);
    }
    text_add(text, "</div></section>\n");
}

static void add_class(struct text *text, const struct stats_view *view, enum question_class class)
{
    struct histogram_sum sum;
    stats_view_sum_class(view, class, &sum);
    if (sum.count == 0) {
        return;
    }
    text_addf(text, "<tr><th scope=\"row\">%s</th>", question_class_name(class));
    cell_count(text, "", sum.count);
    cell_percent(text, stats_view_here(view, class), sum.count);
    cell_count(text, NARROW, view->waits[class][OUTCOME_STALE].count);
    cell_count(text, "", view->waits[class][OUTCOME_FAILED].count);
    cell_latency(text, "", sum.count, histogram_quantile(&sum, 500));
    cell_latency(text, NARROW, sum.count, histogram_quantile(&sum, 900));
    cell_latency(text, "", sum.count, histogram_quantile(&sum, 990));
    cell_latency(text, NARROW, sum.count, sum.max_us);
    text_add(text, "</tr>\n");
}

static void add_classes(struct text *text, const struct stats_view *view)
{
    table_open(text, "Questions by kind",
        "<th scope=\"col\">kind</th><th scope=\"col\">asked</th><th scope=\"col\">from here</th>"
        "<th scope=\"col\" class=\"narrow\">stale</th><th scope=\"col\">failed</th><th "
        "scope=\"col\">p50</th>"
        "<th scope=\"col\" class=\"narrow\">p90</th><th scope=\"col\">p99</th>"
        "<th scope=\"col\" class=\"narrow\">max</th>");
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        add_class(text, view, (enum question_class) class);
    }
    table_close(text);
}

/* ---- Upstream servers and lists ---- */

static void add_upstream(struct text *text, const struct stats_upstream *upstream)
{
    const char *kind = stats_upstream_is_resting(upstream)       ? "bad"
                       : strcmp(upstream->state, "well") == 0    ? "well"
                       : strcmp(upstream->state, "untried") == 0 ? "idle"
                                                                 : "";
    text_add(text, "<tr><th scope=\"row\">");
    page_text_escape(text, upstream->address);
    if (upstream->tls_name[0] != '\0') {
        text_add(text, "#");
        page_text_escape(text, upstream->tls_name);
    }
    text_add(text, "</th><td class=\"narrow\">");
    page_text_escape(text, upstream->group);
    text_add(text, "</td>");
    pill_add(text, kind, upstream->state);
    cell_count(text, "", upstream->sent);
    cell_percent(text, upstream->timed_out + upstream->lost, upstream->sent);
    cell_count(text, NARROW, upstream->failed);
    cell_latency(text, "", upstream->answered, upstream->p50_us);
    cell_latency(text, "", upstream->answered, upstream->p99_us);
    text_add(text, "<td class=\"narrow\">");
    page_picture_span(text, upstream->p50_us, upstream->p90_us, upstream->p99_us);
    text_add(text, "</td></tr>\n");
}

static void add_upstreams(struct text *text, const struct stats_view *view)
{
    table_open(text, "Upstream servers",
        "<th scope=\"col\">server</th><th scope=\"col\" class=\"narrow\">group</th>"
        "<th scope=\"col\">state</th><th scope=\"col\">sent</th><th scope=\"col\">no reply</th>"
        "<th scope=\"col\" class=\"narrow\">failed</th><th scope=\"col\">p50</th>"
        "<th scope=\"col\">p99</th><th scope=\"col\" class=\"narrow\">10 µs to 10 s</th>");
    for (size_t i = 0; i < view->upstream_count; i++) {
        add_upstream(text, &view->upstreams[i]);
    }
    table_close(text);
}

static void add_list(struct text *text, const struct stats_list *list)
{
    uint64_t asked = list->counts[STATS_LIST_asked];
    bool is_well = stats_list_is_well(list);
    text_add(text, "<tr><th scope=\"row\">");
    page_text_escape(text, strcmp(list->zone, "-") == 0 ? "all others" : list->zone);
    text_add(text, "</th>");
    pill_add(text, is_well ? "well" : "bad", list->standing);
    cell_count(text, "", asked);
    cell_percent(text, list->counts[STATS_LIST_hits], asked);
    cell_count(text, "", list->counts[STATS_LIST_listed]);
    cell_count(text, "", stats_list_refusals(list));
    cell_latency(text, "", asked, list->wait_p50_us);
    cell_latency(text, "", asked, list->wait_p99_us);
    text_add(text, "</tr>\n");
}

static void add_lists(struct text *text, const struct stats_view *view)
{
    if (view->list_count == 0) {
        return;
    }
    table_open(text, "DNS lists",
        "<th scope=\"col\">list</th><th scope=\"col\">standing</th><th scope=\"col\">asked</th>"
        "<th scope=\"col\">from here</th><th scope=\"col\">listed</th>"
        "<th scope=\"col\">refused</th><th scope=\"col\">p50</th><th scope=\"col\">p99</th>");
    for (size_t i = 0; i < view->list_count; i++) {
        add_list(text, &view->lists[i]);
    }
    table_close(text);
}

/* ---- Asked ahead ---- */

static uint64_t ahead_count(const struct stats_view *view, const char *what, enum sequel_step step)
{
    char name[STATS_WORD_SIZE];
    (void)snprintf(name, sizeof name, "ahead_%s_%s", what, sequel_step_name(step));
    return stats_view_metric(view, name);
}

static void add_ahead_step(struct text *text, const struct stats_view *view, enum sequel_step step)
{
    uint64_t asked = ahead_count(view, "asked", step);
    uint64_t used = ahead_count(view, "used", step);
    if (asked == 0) {
        return;
    }
    text_addf(text, "<tr><th scope=\"row\">%s</th>", sequel_step_name(step));
    cell_count(text, "", asked);
    cell_count(text, "", used);
    cell_percent(text, used, asked);
    cell_share(text, used, asked);
    text_add(text, "</tr>\n");
}

static void add_ahead(struct text *text, const struct stats_view *view)
{
    if (stats_view_metric(view, "fetches_ahead") == 0) {
        return;
    }
    table_open(text, "Asked ahead",
        "<th scope=\"col\">foreseen from</th><th scope=\"col\">asked</th>"
        "<th scope=\"col\">used</th><th scope=\"col\">used of these</th>"
        "<th scope=\"col\" class=\"narrow\"></th>");
    for (unsigned step = SEQUEL_NONE + 1; step < SEQUEL_STEPS; step++) {
        add_ahead_step(text, view, (enum sequel_step)step);
    }
    table_close(text);
}

/* ---- Cache ---- */

static void add_cache(struct text *text, const struct stats_view *view)
{
    uint64_t used = stats_view_metric(view, "cache_bytes");
    uint64_t budget = stats_view_metric(view, "cache_bytes_max");
    text_add(text, "<section><h2>Cache</h2>\n<div class=\"card\"><p>");
    page_picture_share(text, used, budget);
    text_add(text, " ");
    page_text_bytes(text, used);
    text_add(text, " of ");
    page_text_bytes(text, budget);
    text_add(text, " in use: ");
    page_text_count(text, stats_view_metric(view, "cache_entries"));
    text_add(text, " answers; ");
    page_text_count(text, stats_view_metric(view, "cache_evictions"));
    text_add(text, " made room before they expired.</p></div></section>\n");
}

void page_add(struct text *text, const struct stats_view *view)
{
    add_head(text, view);
    text_add(text, "<main>\n");
    add_tiles(text, view);
    add_troubles(text, view);
    if (stats_view_count(view) > 0) {
        add_pictures(text, view);
        add_classes(text, view);
    }
    add_upstreams(text, view);
    add_lists(text, view);
    add_ahead(text, view);
    add_cache(text, view);
    text_add(text,
        "</main>\n<footer><p>Load the page again for new numbers. <code>mxcache stats</code>, "
        "<code>top</code> and <code>slow</code> say more. For machines: "
        "<a href=\"/metrics\">/metrics</a>, <a href=\"/healthz\">/healthz</a>.</p></footer>\n"
        "</body></html>\n");
}
