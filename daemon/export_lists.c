/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/export_lists.h"

#include <string.h>

#include "base/text.h"
#include "resolver/list_stats.h"
#include "resolver/resolver.h"

/* Those that found no place. */
#define EXPORT_LISTS_OTHERS "-"

static struct stats_list *export_list_of(struct export_lists *lists, const char *zone)
{
    for (size_t i = 0; i < lists->count; i++) {
        if (strcmp(lists->items[i].zone, zone) == 0) {
            return &lists->items[i];
        }
    }
    bool is_last = lists->count + 1 >= STATS_LISTS_MAX;
    if (is_last && strcmp(zone, EXPORT_LISTS_OTHERS) != 0) {
        return export_list_of(lists, EXPORT_LISTS_OTHERS);
    }
    struct stats_list *list = &lists->items[lists->count++];
    struct text text;
    memset(list, 0, sizeof *list);
    text_init(&text, list->zone, sizeof list->zone);
    text_add(&text, zone);
    text_init(&text, list->standing, sizeof list->standing);
    text_add(&text, "well");
    return list;
}

/* A worker that has seen nothing wrong may not have asked for a while. */
static void export_list_stand(struct stats_list *shown, const char *standing)
{
    if (!stats_list_is_well(shown)) {
        return;
    }
    struct text text;
    text_init(&text, shown->standing, sizeof shown->standing);
    text_add(&text, standing);
}

void export_lists_add(struct export_lists *lists, const struct resolver *resolver, int64_t now)
{
    struct list_view view;
    for (size_t index = 0; resolver_list_at(resolver, index, now, &view); index++) {
        if (view.stats == NULL) {
            continue;
        }
        struct stats_list *list = export_list_of(lists, view.zone);
        export_list_stand(list, view.standing);
        list->day += view.day;
        list->quota = view.quota;
        for (size_t row = 0; row < STATS_LIST_ROWS; row++) {
            list->counts[row] += list_stats_read(view.stats, row);
        }
        histogram_merge(&list->wait, &view.stats->wait);
        histogram_merge(&list->miss, &view.stats->miss);
    }
}

void export_lists_finish(struct export_lists *lists)
{
    for (size_t i = 0; i < lists->count; i++) {
        struct stats_list *list = &lists->items[i];
        list->wait_p50_us = histogram_quantile(&list->wait, 500);
        list->wait_p99_us = histogram_quantile(&list->wait, 990);
        list->wait_max_us = list->wait.max_us;
        list->miss_p50_us = histogram_quantile(&list->miss, 500);
        list->miss_p99_us = histogram_quantile(&list->miss, 990);
        list->miss_max_us = list->miss.max_us;
    }
}
