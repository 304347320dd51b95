/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/doctor_text.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "cmd/stats_cell.h"
#include "cmd/wrap.h"
#include "doctor/report.h"

#define INDENT         10 /* Of an entry's sentences. */
#define LABEL_WIDTH    9  /* "healthy  ", "change   ". */
#define LIST_INDENT    2
#define PICTURE_INDENT 2

static enum stats_colour level_colour(enum report_level level)
{
    switch (level) {
    case REPORT_GOOD:
        return STATS_COLOUR_GREEN;
    case REPORT_WARNING:
        return STATS_COLOUR_YELLOW;
    case REPORT_ERROR:
        return STATS_COLOUR_RED;
    case REPORT_SKIPPED:
    case REPORT_NOTE:
        break;
    }
    return STATS_COLOUR_BOLD;
}

static void add_labelled(struct text *text, const char *label, const char *sentence)
{
    text_addf(text, "%*s%-*s", INDENT, "", LABEL_WIDTH, label);
    wrap_add(text, sentence, INDENT + LABEL_WIDTH, INDENT + LABEL_WIDTH);
}

/* As it is: its columns mean something. */
static void add_picture(struct text *text, const char *lines)
{
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\n");
        text_addf(text, "%*s", len > 0 ? PICTURE_INDENT : 0, "");
        text_add_bytes(text, lines, len);
        text_add(text, "\n");
        lines += len + (lines[len] != '\0');
    }
}

static void add_entry(
    struct text *text, const struct doctor_text_form *form, const struct report_entry *entry)
{
    bool is_trouble = entry->level >= REPORT_WARNING;
    stats_cell_colour(text, form->style, level_colour(entry->level));
    text_addf(text, "  %-8s", report_level_name(entry->level));
    stats_cell_colour(text, form->style, STATS_COLOUR_NONE);
    text_addf(text, "%s", check_name(entry->check));
    if (is_trouble) {
        text_addf(text, " (%s)", report_sure_name(entry->sure));
    }
    text_addf(text, "\n%*s", INDENT, "");
    wrap_add(text, entry->seen, INDENT, INDENT);
    if (is_trouble) {
        add_labelled(text, "healthy", check_healthy(entry->check));
        add_labelled(text, "why", check_why(entry->check));
    }
    if (entry->change != NULL) {
        add_labelled(text, "change", entry->change);
    }
    if (entry->picture != NULL) {
        add_picture(text, entry->picture);
    }
}

static bool level_is_told(const struct doctor_text_form *form, enum report_level level)
{
    return level >= REPORT_NOTE || form->shows_all;
}

static void add_group(struct text *text, const struct doctor_text_form *form,
    const struct report *report, enum check_group group)
{
    bool has_title = false;
    for (int level = REPORT_ERROR; level >= 0; level--) {
        for (size_t i = 0; i < report->count; i++) {
            const struct report_entry *entry = &report->entries[i];
            if (entry->level != (enum report_level)level || check_group(entry->check) != group ||
                !level_is_told(form, entry->level)) {
                continue;
            }
            if (!has_title) {
                stats_cell_colour(text, form->style, STATS_COLOUR_BOLD);
                text_addf(text, "%s\n", check_group_title(group));
                stats_cell_colour(text, form->style, STATS_COLOUR_NONE);
                has_title = true;
            }
            add_entry(text, form, entry);
        }
    }
    text_add(text, has_title ? "\n" : "");
}

static enum report_level group_worst(const struct report *report, enum check_group group)
{
    enum report_level worst = REPORT_GOOD;
    for (size_t i = 0; i < report->count; i++) {
        const struct report_entry *entry = &report->entries[i];
        if (check_group(entry->check) == group && entry->level > worst) {
            worst = entry->level;
        }
    }
    return worst;
}

static enum report_level check_worst(const struct report *report, enum check_id check)
{
    enum report_level worst = REPORT_GOOD;
    for (size_t i = 0; i < report->count; i++) {
        if (report->entries[i].check == check && report->entries[i].level > worst) {
            worst = report->entries[i].level;
        }
    }
    return worst;
}

static bool check_was_run(const struct report *report, enum check_id check)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->entries[i].check == check) {
            return true;
        }
    }
    return false;
}

/* The checks whose worst entry is of that level, below a title. */
static void add_names(
    struct text *text, const char *title, const struct report *report, enum report_level level)
{
    char names[CHECKS * (CHECK_NAME_MAX + 1) + 1];
    struct text list;
    text_init(&list, names, sizeof names);
    for (int i = 0; i < (int)CHECKS; i++) {
        enum check_id check = (enum check_id)i;
        if (check_was_run(report, check) && check_worst(report, check) == level) {
            text_addf(&list, "%s%s", list.len > 0 ? " " : "", check_name(check));
        }
    }
    if (list.len > 0) {
        text_addf(text, "%s\n%*s", title, LIST_INDENT, "");
        wrap_add(text, names, LIST_INDENT, LIST_INDENT);
        text_add(text, "\n");
    }
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void add_counts(struct text *text, const struct report *report)
{
    size_t errors = report_count(report, REPORT_ERROR);
    size_t warnings = report_count(report, REPORT_WARNING);
    size_t notes = report_count(report, REPORT_NOTE);
    text_addf(text, "%zu error%s, %zu warning%s, %zu note%s.", errors, plural(errors), warnings,
        plural(warnings), notes, plural(notes));
    if (report->dropped > 0) {
        text_addf(text, " %zu more found no room here.", report->dropped);
    }
    text_add(text, "\n");
}

void doctor_text_add_cause(struct text *text, const struct report *report)
{
    const struct report_entry *entry = report_likeliest(report);
    if (entry == NULL) {
        bool is_well =
            report_count(report, REPORT_ERROR) + report_count(report, REPORT_WARNING) == 0;
        text_add(text, is_well ? "Nothing was found that would make mail slow or refused."
                               : "None of this alone explains slow or refused mail.");
        return;
    }
    text_addf(text, "The most likely cause of slow or refused mail: %s", entry->cause);
    if (entry->cause[0] != '\0' && entry->cause[strlen(entry->cause) - 1] != '.') {
        text_add(text, ".");
    }
}

static void add_cause_wrapped(struct text *text, const struct report *report)
{
    char sentence[REPORT_TEXT_MAX + 128];
    struct text bare;
    text_init(&bare, sentence, sizeof sentence);
    doctor_text_add_cause(&bare, report);
    wrap_add(text, sentence, 0, 0);
}

void doctor_text_add(
    struct text *text, const struct doctor_text_form *form, const struct report *report)
{
    for (int level = REPORT_ERROR; level >= 0; level--) {
        for (int group = 0; group < CHECK_GROUPS; group++) {
            if (group_worst(report, (enum check_group)group) == (enum report_level)level) {
                add_group(text, form, report, (enum check_group)group);
            }
        }
    }
    if (!form->shows_all) {
        add_names(text, "Well:", report, REPORT_GOOD);
        add_names(
            text, "Not looked at, or nothing there (--all tells why):", report, REPORT_SKIPPED);
    }
    add_counts(text, report);
    add_cause_wrapped(text, report);
}
