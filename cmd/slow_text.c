/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/slow_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/slow_view.h"
#include "cmd/stats_cell.h"
#include "cmd/wrap.h"

#define INDENT       9 /* Of what stands below a question's wait. */
#define BAR_WIDTH    16
#define MOMENT_WORDS 30 /* The column where the words of a moment begin. */
#define TYPE_WIDTH   6
#define LINE_SIZE    1024

/* The end of a long name tells more than its beginning. */
static void add_name(struct text *text, const char *name, size_t width)
{
    static const char dots[] = "...";
    size_t len = strlen(name);
    bool is_long = len > width;
    text_add(text, is_long ? dots : "");
    text_add(text, is_long ? name + len - (width - (sizeof dots - 1)) : name);
}

static void add_bar(
    struct text *text, const struct stats_style *style, uint64_t at_us, uint64_t end_us)
{
    uint64_t last = BAR_WIDTH - 1;
    uint64_t mark = end_us == 0 ? 0 : at_us >= end_us ? last : at_us * last / end_us;
    for (uint64_t i = 0; i < BAR_WIDTH; i++) {
        if (i == mark) {
            text_add(text, style->is_utf8 ? "\u25cf" : "#");
        } else {
            text_add(text, style->is_utf8 ? "\u2500" : "-");
        }
    }
}

/* When, where in the whole, and words. */
static void add_moment(
    struct text *text, const struct stats_style *style, const uint64_t at[2], const char *words)
{
    char when[16];
    struct text when_text;
    text_init(&when_text, when, sizeof when);
    text_add_latency(&when_text, at[0]);
    text_addf(text, "   %8s  ", at[0] == 0 ? "0ms" : when);
    add_bar(text, style, at[0], at[1]);
    text_add(text, " ");
    wrap_add(text, words, MOMENT_WORDS, MOMENT_WORDS);
}

void slow_text_add_moment(struct text *text, const struct stats_style *style,
    const struct event_view *event, uint64_t end_us)
{
    char words[EVENT_VIEW_TEXT_SIZE];
    struct text words_text;
    const uint64_t at[2] = {event->at_us, end_us};
    text_init(&words_text, words, sizeof words);
    event_view_add(&words_text, event);
    add_moment(text, style, at, words);
}

/* When the whole story ends. */
static uint64_t question_end(const struct slow_question *question)
{
    uint64_t end = question->joined_us + question->waited_us;
    for (size_t i = 0; i < question->event_count; i++) {
        end = question->events[i].at_us > end ? question->events[i].at_us : end;
    }
    return end;
}

static void add_end(
    struct text *text, const struct stats_style *style, const struct slow_question *question)
{
    char words[64] = "gave the client an expired answer";
    const uint64_t at[2] = {question->joined_us + question->waited_us, question_end(question)};
    if (strcmp(question->outcome, "stale") != 0) {
        (void)snprintf(words, sizeof words, "gave the client its answer: %s", question->rcode);
    }
    add_moment(text, style, at, words);
}

static void add_timeline(
    struct text *text, const struct stats_style *style, const struct slow_question *question)
{
    const uint64_t end_us = question_end(question);
    const uint64_t joined[2] = {question->joined_us, end_us};
    bool is_told = question->joined_us == 0;
    for (size_t i = 0; i < question->event_count; i++) {
        const struct event_view *event = &question->events[i];
        if (!is_told && event->at_us >= question->joined_us) {
            add_moment(text, style, joined, "this question came, and waited for the same");
            is_told = true;
        }
        slow_text_add_moment(text, style, event, end_us);
    }
    if (!is_told) {
        add_moment(text, style, joined, "this question came, and waited for the same");
    }
    if (question->left_out > 0) {
        text_addf(text, "%*sand %" PRIu64 " more that found no room\n", MOMENT_WORDS, "",
            question->left_out);
    }
    add_end(text, style, question);
}

/* How it ended, when, how often and why. */
static void add_outcome(struct text *text, const struct slow_question *question)
{
    char line[LINE_SIZE];
    struct text words;
    text_init(&words, line, sizeof line);
    text_add(&words, question->rcode);
    text_add(&words, strcmp(question->outcome, "stale") == 0 ? " (expired), " : ", ");
    stats_cell_uptime(&words, question->age_s);
    text_add(&words, " ago");
    if (question->count > 1) {
        text_addf(&words, ", %" PRIu64 " times in a row", question->count);
    }
    if (question->reason[0] != '\0') {
        text_addf(&words, ": %s", question->reason);
    } else if (question->has_ede) {
        text_addf(&words, ": extended error %" PRIu64, question->ede);
    }
    text_addf(text, "%*s", INDENT, "");
    wrap_add(text, line, INDENT, INDENT);
}

static void add_question(
    struct text *text, const struct stats_style *style, const struct slow_question *question)
{
    bool is_bad = strcmp(question->rcode, "SERVFAIL") == 0;
    size_t type_len = strlen(question->type);
    size_t type_width = type_len > TYPE_WIDTH ? type_len : TYPE_WIDTH;
    text_add(text, "\n");
    stats_cell_latency(text, INDENT - 2, 1, question->waited_us);
    text_addf(text, "  %-*s ", TYPE_WIDTH, question->type);
    stats_cell_colour(text, style, is_bad ? STATS_COLOUR_RED : STATS_COLOUR_BOLD);
    add_name(text, question->name, WRAP_WIDTH - INDENT - type_width - 1);
    stats_cell_colour(text, style, STATS_COLOUR_NONE);
    text_add(text, "\n");
    add_outcome(text, question);
    if (question->event_count > 0) {
        add_timeline(text, style, question);
    }
}

static bool has_hidden(const struct slow_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        if (strncmp(view->questions[i].name, "?.", 2) == 0) {
            return true;
        }
    }
    return false;
}

void slow_text_add(struct text *text, const struct stats_style *style, const struct slow_view *view)
{
    if (view->count == 0) {
        text_add(text, view->is_failed ? "No question has failed in the last hour.\n"
                                       : "No question had to wait in the last hour.\n");
        return;
    }
    text_add(text, view->is_failed ? "Questions that failed in the last hour, the last one first\n"
                                   : "The questions of the last hour that waited longest\n");
    for (size_t i = 0; i < view->count; i++) {
        add_question(text, style, &view->questions[i]);
    }
    if (has_hidden(view)) {
        text_add(text, "\n");
        wrap_add(text,
            "A ? stands for whom a blocklist was asked about; --names shows it, to root.", 0, 0);
    }
}
