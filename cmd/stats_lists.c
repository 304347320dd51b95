/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/stats_lists.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/stats_cell.h"
#include "cmd/stats_text.h"
#include "daemon/stats_view.h"

#define ZONE_COLUMNS 28

/* A zone that is too long for its column gets a line of its own. */
static void add_zone(struct text *text, const struct stats_list *list)
{
    const char *zone = strcmp(list->zone, "-") == 0 ? "all others" : list->zone;
    if (strlen(zone) < ZONE_COLUMNS) {
        text_addf(text, "%-*s", ZONE_COLUMNS, zone);
    } else {
        bool is_long = strlen(zone) > STATS_TEXT_COLUMNS;
        text_addf(text, "%.*s%s\n%*s", STATS_TEXT_COLUMNS - (is_long ? 3 : 0), zone,
            is_long ? "..." : "", ZONE_COLUMNS, "");
    }
}

static void add_remark(
    struct text *text, const struct stats_style *style, const struct stats_list *list)
{
    if (stats_list_is_well(list)) {
        return;
    }
    stats_cell_colour(text, style, STATS_COLOUR_YELLOW);
    text_addf(text, " %.8s", list->standing);
    stats_cell_colour(text, style, STATS_COLOUR_NONE);
}

static void add_list(
    struct text *text, const struct stats_style *style, const struct stats_list *list)
{
    uint64_t asked = list->counts[STATS_LIST_asked];
    add_zone(text, list);
    stats_cell_count(text, 7, asked);
    stats_cell_percent(text, 7, list->counts[STATS_LIST_hits], asked);
    stats_cell_count(text, 7, list->counts[STATS_LIST_listed]);
    stats_cell_count(text, 8, stats_list_refusals(list));
    stats_cell_latency(text, 7, asked, list->wait_p50_us);
    stats_cell_latency(text, 7, asked, list->wait_p99_us);
    add_remark(text, style, list);
    text_add(text, "\n");
}

void stats_lists_add(
    struct text *text, const struct stats_style *style, const struct stats_view *view)
{
    if (view->list_count == 0) {
        return;
    }
    text_add(text, "\n");
    stats_cell_colour(text, style, STATS_COLOUR_BOLD);
    text_addf(text, "%-*s%s", ZONE_COLUMNS, "lists",
        "  asked here % listed refused    p50    p99 remark");
    stats_cell_colour(text, style, STATS_COLOUR_NONE);
    text_add(text, "\n");
    for (size_t i = 0; i < view->list_count; i++) {
        add_list(text, style, &view->lists[i]);
    }
}
