/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/stats_list.h"

#include <string.h>

#include "base/text.h"

bool stats_list_is_well(const struct stats_list *list)
{
    return strcmp(list->standing, "well") == 0;
}

enum list_cause stats_list_cause(const struct stats_list *list)
{
    for (unsigned cause = 0; cause < LIST_CAUSES; cause++) {
        if (strcmp(list->standing, list_cause_name((enum list_cause)cause)) == 0) {
            return (enum list_cause)cause;
        }
    }
    return LIST_CAUSE_NONE;
}

uint64_t stats_list_refusals(const struct stats_list *list)
{
    return list->counts[STATS_LIST_refused] + list->counts[STATS_LIST_parked] +
           list->counts[STATS_LIST_misused];
}

/* When it was closed, as lists.def says. */
static const char *stats_list_ended(const struct stats_list *list)
{
    size_t count;
    const struct list_zone *zones = list_zone_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (zones[i].ended != NULL && strcmp(zones[i].zone, list->zone) == 0) {
            return zones[i].ended;
        }
    }
    return "some time ago";
}

void stats_list_sentence(const struct stats_list *list, char sentence_out[STATS_LIST_SENTENCE_SIZE])
{
    enum list_cause cause = stats_list_cause(list);
    struct text text;
    text_init(&text, sentence_out, STATS_LIST_SENTENCE_SIZE);
    if (cause != LIST_CAUSE_NONE) {
        text_addf(&text, "%s: %s", list_cause_clause(cause), list_cause_remedy(cause));
    } else if (strcmp(list->standing, "ended") == 0) {
        text_addf(&text, "was closed (%s): take it out of the mail software; each mail asks it",
            stats_list_ended(list));
    } else {
        text_addf(&text, "stands as \"%s\"", list->standing);
    }
}
