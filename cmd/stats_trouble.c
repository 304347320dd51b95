/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/stats_trouble.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "cmd/stats_cell.h"
#include "cmd/stats_text.h"
#include "daemon/stats_view.h"
#include "daemon/stats_went_wrong.h"

#define COUNT_COLUMNS    7
#define SENTENCE_COLUMNS (STATS_TEXT_COLUMNS - COUNT_COLUMNS - 2)

/* How much of the sentence goes on one line: whole words, or a whole line of a longer one. */
static size_t line_len(const char *sentence)
{
    size_t len = strlen(sentence);
    if (len <= SENTENCE_COLUMNS) {
        return len;
    }
    size_t end = SENTENCE_COLUMNS;
    while (end > 0 && sentence[end] != ' ') {
        end--;
    }
    return end > 0 ? end : SENTENCE_COLUMNS;
}

static void add_sentence(struct text *text, const char *sentence)
{
    bool is_first = true;
    while (*sentence != '\0') {
        size_t len = line_len(sentence);
        text_addf(text, "%*s", is_first ? 2 : COUNT_COLUMNS + 2, "");
        text_add_bytes(text, sentence, len);
        text_add(text, "\n");
        sentence += len;
        sentence += strspn(sentence, " ");
        is_first = false;
    }
}

static void add_heading(struct text *text, const struct stats_style *style, const char *words)
{
    text_add(text, "\n");
    stats_cell_colour(text, style, STATS_COLOUR_BOLD);
    text_add(text, words);
    stats_cell_colour(text, style, STATS_COLOUR_NONE);
    text_add(text, "\n");
}

/* Lists that do not answer as lists, with what to do. */
static void add_lists(
    struct text *text, const struct stats_style *style, const struct stats_view *view)
{
    for (size_t i = 0; i < view->list_count; i++) {
        const struct stats_list *list = &view->lists[i];
        char why[STATS_LIST_SENTENCE_SIZE];
        char sentence[STATS_LIST_SENTENCE_SIZE + STATS_LIST_ZONE_SIZE];
        struct text words;
        if (stats_list_is_well(list)) {
            continue;
        }
        stats_list_sentence(list, why);
        text_init(&words, sentence, sizeof sentence);
        text_addf(&words, "%s %s.", list->zone, why);
        stats_cell_colour(text, style, STATS_COLOUR_YELLOW);
        stats_cell_count(text, COUNT_COLUMNS, list->counts[STATS_LIST_asked]);
        stats_cell_colour(text, style, STATS_COLOUR_NONE);
        add_sentence(text, sentence);
    }
}

static const char *trouble_heading(const struct stats_view *view)
{
    return view->covers_s > 0 ? "what went wrong lately" : "what went wrong since the start";
}

static bool has_list_trouble(const struct stats_view *view)
{
    for (size_t i = 0; i < view->list_count; i++) {
        if (!stats_list_is_well(&view->lists[i])) {
            return true;
        }
    }
    return false;
}

void stats_trouble_add(
    struct text *text, const struct stats_style *style, const struct stats_view *view)
{
    bool is_first = !has_list_trouble(view);
    if (!is_first) {
        add_heading(text, style, trouble_heading(view));
        add_lists(text, style, view);
    }
    const struct stats_metric *metric;
    for (size_t at = 0; (metric = stats_went_wrong_next(view, &at)) != NULL;) {
        if (is_first) {
            add_heading(text, style, trouble_heading(view));
            is_first = false;
        }
        stats_cell_colour(text, style, STATS_COLOUR_YELLOW);
        stats_cell_count(text, COUNT_COLUMNS, metric->value);
        stats_cell_colour(text, style, STATS_COLOUR_NONE);
        add_sentence(text, metric->sentence != NULL ? metric->sentence : metric->name);
    }
    if (is_first) {
        add_heading(text, style,
            view->covers_s > 0 ? "nothing went wrong lately"
                               : "nothing went wrong since the start");
    }
}
