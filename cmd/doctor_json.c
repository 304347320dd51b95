/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/doctor_json.h"

#include <string.h>

#include "base/text.h"
#include "cmd/doctor_text.h"
#include "doctor/report.h"

static void add_member(struct text *text, const char *name, const char *value)
{
    text_addf(text, ",\"%s\":", name);
    if (value == NULL) {
        text_add(text, "null");
    } else {
        text_add_json_string(text, value, strlen(value));
    }
}

static void add_entry(struct text *text, const struct report_entry *entry)
{
    text_addf(text, "{\"check\":\"%s\"", check_name(entry->check));
    add_member(text, "group", check_group_title(check_group(entry->check)));
    add_member(text, "level", report_level_name(entry->level));
    add_member(text, "sure", report_sure_name(entry->sure));
    add_member(text, "seen", entry->seen);
    add_member(text, "healthy", check_healthy(entry->check));
    add_member(text, "why", check_why(entry->check));
    add_member(text, "change", entry->change);
    add_member(text, "cause", entry->cause);
    if (entry->picture != NULL) {
        add_member(text, "picture", entry->picture);
    }
    text_add(text, "}");
}

void doctor_json_add(struct text *text, const struct report *report)
{
    const struct report_entry *likeliest = report_likeliest(report);
    text_addf(text, "{\"errors\":%zu,\"warnings\":%zu,\"notes\":%zu,\"dropped\":%zu",
        report_count(report, REPORT_ERROR), report_count(report, REPORT_WARNING),
        report_count(report, REPORT_NOTE), report->dropped);
    add_member(text, "cause", likeliest != NULL ? likeliest->cause : NULL);
    add_member(text, "cause_check", likeliest != NULL ? check_name(likeliest->check) : NULL);
    text_add(text, ",\"findings\":[");
    for (size_t i = 0; i < report->count; i++) {
        text_add(text, i > 0 ? "," : "");
        add_entry(text, &report->entries[i]);
    }
    text_add(text, "]}\n");
}

/* A bar would begin the performance data. */
static void add_without_bars(struct text *text, const char *line)
{
    for (; *line != '\0'; line++) {
        text_add_bytes(text, *line == '|' ? "/" : line, 1);
    }
}

void doctor_nagios_add(struct text *text, const struct report *report)
{
    char sentence[REPORT_TEXT_MAX + 128];
    struct text bare;
    size_t errors = report_count(report, REPORT_ERROR);
    size_t warnings = report_count(report, REPORT_WARNING);
    text_init(&bare, sentence, sizeof sentence);
    doctor_text_add_cause(&bare, report);
    text_addf(text, "MXCACHE %s - %zu error%s, %zu warning%s. ",
        errors > 0     ? "CRITICAL"
        : warnings > 0 ? "WARNING"
                       : "OK",
        errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
    add_without_bars(text, sentence);
    text_addf(text, " | errors=%zu;;1 warnings=%zu;1; notes=%zu\n", errors, warnings,
        report_count(report, REPORT_NOTE));
}
