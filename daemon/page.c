/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/page.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "daemon/stats_view.h"

/* The picture: a column for each step of the decades from 10 us to 1 s, and one for what is longer;
 * below, those answered here, above, those that waited for upstream. */
#define PICTURE_COLUMNS 17
#define PICTURE_STEP    10 /* Width of a column with its gap. */
#define PICTURE_BAR     8
#define PICTURE_HEIGHT  48

static const uint64_t picture_edges_us[PICTURE_COLUMNS - 1] = {10, 20, 50, 100, 200, 500, 1000,
    2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000};

static const char page_head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width\"><title>mxcache</title>\n<style>\n"
    ":root{color-scheme:light dark;--ink:#1d2430;--dim:#667085;--line:#d9dee7;--paper:#fff;"
    "--here:#2f7d5b;--away:#c77d1f;--well:#2f7d5b;--warn:#a8640b;--bad:#b3261e}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e8ef;--dim:#98a2b3;--line:#303846;"
    "--paper:#12161d;--here:#58b98d;--away:#e0a04c;--well:#58b98d;--warn:#e0a04c;--bad:#f2867d}}\n"
    "body{margin:2rem auto;max-width:60rem;padding:0 1rem;color:var(--ink);background:var(--paper);"
    "font:15px/1.5 system-ui,sans-serif}\n"
    "h1{font-size:1.3rem;margin:0}h2{font-size:1rem;margin:2rem 0 .4rem}\n"
    "p{margin:.2rem 0;color:var(--dim)}table{border-collapse:collapse;width:100%}\n"
    "th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid var(--line);"
    "font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    "th{color:var(--dim);font-weight:500}th:first-child,td:first-child{text-align:left}\n"
    ".well,.idle{color:var(--well)}.limping{color:var(--warn)}.failing,.cut{color:var(--bad)}\n"
    "svg{display:block;margin-left:auto}.here{fill:var(--here)}.away{fill:var(--away)}"
    ".base{stroke:var(--line)}\n"
    ".key i{display:inline-block;width:.7em;height:.7em;margin:0 .3em 0 1em}\n"
    "</style></head><body>\n";

static void add_escaped(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        switch (*string) {
        case '&':
            text_add(text, "&amp;");
            break;
        case '<':
            text_add(text, "&lt;");
            break;
        case '>':
            text_add(text, "&gt;");
            break;
        case '"':
            text_add(text, "&quot;");
            break;
        default:
            text_add_bytes(text, string, 1);
        }
    }
}

static void add_percent(struct text *text, uint64_t part, uint64_t whole)
{
    if (whole == 0) {
        text_add(text, "–");
        return;
    }
    uint64_t permille = whole > UINT64_MAX / 1000 ? part / (whole / 1000) : part * 1000 / whole;
    text_addf(text, "%" PRIu64 ".%" PRIu64 " %%", permille / 10, permille % 10);
}

/* In 1,024s, with one decimal: 11.8 MiB. */
static void add_bytes(struct text *text, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    uint64_t tenths = bytes > UINT64_MAX / 10 ? UINT64_MAX : bytes * 10;
    while (tenths >= 10240 && unit < 4) {
        tenths /= 1024;
        unit++;
    }
    text_addf(text, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[unit]);
}

static void add_cell_latency(struct text *text, const struct histogram_sum *sum, unsigned permille)
{
    text_add(text, "<td>");
    if (sum->count == 0) {
        text_add(text, "–");
    } else {
        text_add_latency(text, histogram_quantile(sum, permille));
    }
    text_add(text, "</td>");
}

/* How many records each column of the picture stands for. */
static void picture_count(const struct histogram_sum *sum, uint64_t counts[PICTURE_COLUMNS])
{
    uint64_t below = 0;
    for (unsigned i = 0; i < PICTURE_COLUMNS - 1; i++) {
        uint64_t up_to = histogram_count_up_to(sum, picture_edges_us[i]);
        counts[i] += up_to - below;
        below = up_to;
    }
    counts[PICTURE_COLUMNS - 1] += sum->count - below;
}

/* What occurs at all can be seen. */
static unsigned picture_height(uint64_t count, uint64_t most)
{
    if (count == 0) {
        return 0;
    }
    uint64_t height = most > UINT64_MAX / PICTURE_HEIGHT ? count / (most / PICTURE_HEIGHT)
                                                         : count * PICTURE_HEIGHT / most;
    return height == 0 ? 1 : (unsigned)height;
}

static void add_bar(
    struct text *text, const char *kind, unsigned column, unsigned bottom, unsigned height)
{
    if (height > 0) {
        text_addf(text, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>", kind,
            column * PICTURE_STEP, PICTURE_HEIGHT - bottom - height, (unsigned)PICTURE_BAR, height);
    }
}

static void add_picture(struct text *text, const struct stats_view *view, enum question_class class)
{
    const struct histogram_sum *waits = view->waits[class];
    uint64_t here[PICTURE_COLUMNS] = {0};
    uint64_t away[PICTURE_COLUMNS] = {0};
    uint64_t most = 1;
    for (unsigned outcome = 0; outcome < OUTCOMES; outcome++) {
        bool is_here =
            outcome == OUTCOME_HIT || outcome == OUTCOME_STALE || outcome == OUTCOME_LOCAL;
        picture_count(&waits[outcome], is_here ? here : away);
    }
    for (unsigned i = 0; i < PICTURE_COLUMNS; i++) {
        most = here[i] + away[i] > most ? here[i] + away[i] : most;
    }
    text_addf(text,
        "<svg role=\"img\" aria-label=\"distribution of the waits, 10 us to 1 s\" "
        "width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\">",
        PICTURE_COLUMNS * PICTURE_STEP, PICTURE_HEIGHT + 1, PICTURE_COLUMNS * PICTURE_STEP,
        PICTURE_HEIGHT + 1);
    for (unsigned i = 0; i < PICTURE_COLUMNS; i++) {
        unsigned low = picture_height(here[i], most);
        unsigned high = picture_height(away[i], most);
        high = low + high > PICTURE_HEIGHT ? PICTURE_HEIGHT - low : high;
        add_bar(text, "here", i, 0, low);
        add_bar(text, "away", i, low, high);
    }
    text_addf(text, "<line class=\"base\" x1=\"0\" x2=\"%u\" y1=\"%u.5\" y2=\"%u.5\"/></svg>",
        PICTURE_COLUMNS * PICTURE_STEP, (unsigned)PICTURE_HEIGHT, (unsigned)PICTURE_HEIGHT);
}

static void add_class(struct text *text, const struct stats_view *view, enum question_class class)
{
    struct histogram_sum sum;
    stats_view_sum_class(view, class, &sum);
    if (sum.count == 0) {
        return;
    }
    text_addf(
        text, "<tr><td>%s</td><td>%" PRIu64 "</td><td>", question_class_name(class), sum.count);
    add_percent(text, stats_view_here(view, class), sum.count);
    text_add(text, "</td><td>");
    add_percent(text, view->waits[class][OUTCOME_FAILED].count, sum.count);
    text_add(text, "</td>");
    add_cell_latency(text, &sum, 500);
    add_cell_latency(text, &sum, 900);
    add_cell_latency(text, &sum, 990);
    add_cell_latency(text, &sum, 1000);
    text_add(text, "<td>");
    add_picture(text, view, class);
    text_add(text, "</td></tr>\n");
}

static void add_classes(struct text *text, const struct stats_view *view)
{
    text_add(text, "<h2>Questions</h2>\n<table><tr><th>class</th><th>asked</th><th>from here</th>"
                   "<th>failed</th><th>p50</th><th>p90</th><th>p99</th><th>max</th>"
                   "<th>wait, 10 µs to 1 s</th></tr>\n");
    for (unsigned class = 0; class < QUESTION_CLASSES; class ++) {
        add_class(text, view, (enum question_class) class);
    }
    text_add(text,
        "</table>\n<p class=\"key\"><i style=\"background:var(--here)\"></i>answered from here"
        "<i style=\"background:var(--away)\"></i>waited for upstream</p>\n");
}

static void add_upstream(struct text *text, const struct stats_upstream *upstream)
{
    text_add(text, "<tr><td>");
    add_escaped(text, upstream->address);
    if (upstream->tls_name[0] != '\0') {
        text_add(text, "#");
        add_escaped(text, upstream->tls_name);
    }
    text_add(text, "</td><td>");
    add_escaped(text, upstream->group);
    text_addf(
        text, "</td><td class=\"%s\">", strcmp(upstream->state, "well") == 0 ? "well" : "limping");
    add_escaped(text, upstream->state);
    text_addf(text, "</td><td>%" PRIu64 "</td><td>", upstream->sent);
    add_percent(text, upstream->timed_out, upstream->sent);
    text_addf(text, "</td><td>%" PRIu64 "</td>", upstream->failed);
    const uint64_t latencies[] = {upstream->p50_us, upstream->p90_us, upstream->p99_us};
    for (unsigned i = 0; i < 3; i++) {
        text_add(text, "<td>");
        text_add_latency(text, latencies[i]);
        text_add(text, "</td>");
    }
    text_add(text, "</tr>\n");
}

static void add_upstreams(struct text *text, const struct stats_view *view)
{
    text_add(text,
        "<h2>Upstream servers</h2>\n<table><tr><th>server</th><th>group</th><th>state</th>"
        "<th>sent</th><th>no reply</th><th>failed</th><th>p50</th><th>p90</th><th>p99</th></tr>\n");
    for (size_t i = 0; i < view->upstream_count; i++) {
        add_upstream(text, &view->upstreams[i]);
    }
    text_add(text, "</table>\n");
}

static void add_cache(struct text *text, const struct stats_view *view)
{
    text_add(text, "<h2>Cache</h2>\n<p>");
    text_addf(text, "%" PRIu64 " answers in ", stats_view_metric(view, "cache_entries"));
    add_bytes(text, stats_view_metric(view, "cache_bytes"));
    text_add(text, " of ");
    add_bytes(text, stats_view_metric(view, "cache_bytes_max"));
    text_addf(text, "; %" PRIu64 " made room before they expired.</p>\n",
        stats_view_metric(view, "cache_evictions"));
}

static void add_banner(struct text *text, const struct stats_view *view)
{
    const char *health = stats_health_name(stats_view_health(view));
    text_addf(
        text, "<h1>mxcache is <span class=\"%s\">%s</span></h1>\n<p>version ", health, health);
    add_escaped(text, view->version);
    text_addf(text, ", up %" PRIu64 " h %" PRIu64 " min, %" PRIu64 " worker%s; all numbers count ",
        view->uptime_s / 3600, view->uptime_s / 60 % 60, view->workers,
        view->workers == 1 ? "" : "s");
    text_add(text, "since the start. <code>mxcache stats</code> says more.</p>\n");
}

void page_add(struct text *text, const struct stats_view *view)
{
    text_add(text, page_head);
    add_banner(text, view);
    add_classes(text, view);
    add_upstreams(text, view);
    add_cache(text, view);
    text_add(text, "<p>For machines: <a href=\"/metrics\">/metrics</a>, "
                   "<a href=\"/healthz\">/healthz</a></p>\n</body></html>\n");
}
