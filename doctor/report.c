/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/report.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

struct check_row {
    const char *name;
    enum check_group group;
    const char *healthy;
    const char *why;
};

static const struct check_row check_rows[CHECKS + 1] = {
#define CHECK(group_word, id, name_text, healthy_text, why_text)                                   \
    [CHECK_##id] = {                                                                               \
        .name = (name_text),                                                                       \
        .group = GROUP_##group_word,                                                               \
        .healthy = (healthy_text),                                                                 \
        .why = (why_text),                                                                         \
    },
#include "doctor/checks.def"
#undef CHECK
};

static const char *const group_titles[CHECK_GROUPS] = {
    [GROUP_LISTENING] = "Postfix and its listeners",
    [GROUP_FIREWALL] = "Firewall and ports",
    [GROUP_CHROOT] = "Postfix's chroot",
    [GROUP_RESOLVER] = "Resolver configuration",
    [GROUP_DNS] = "DNS as it answers now",
    [GROUP_LISTS] = "Block and allow lists",
    [GROUP_FILTERS] = "Greylisting, policy services, milters",
    [GROUP_TIMEOUTS] = "Time-outs and load",
    [GROUP_EVIDENCE] = "Logs, queue, captures",
};

void report_init(struct report *report)
{
    report->count = 0;
    report->dropped = 0;
}

void report_fini(struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        free(report->entries[i].seen);
        free(report->entries[i].change);
        free(report->entries[i].cause);
        free(report->entries[i].picture);
    }
    report_init(report);
}

/* A change may be of several lines; what was seen is one, lest a file write lines of its own. */
enum text_form {
    TEXT_LINE,
    TEXT_LINES,
};

static bool byte_is_shown(unsigned char byte, enum text_form form)
{
    return (byte == '\n' && form == TEXT_LINES) || (byte >= 0x20 && byte < 0x7f);
}

/* The length of the UTF-8 sequence of a printable character at `text`, or 0. */
static size_t utf8_len(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t len = (bytes[0] & 0xe0u) == 0xc0u ? 2 : (bytes[0] & 0xf0u) == 0xe0u ? 3 : 0;
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xc0u) != 0x80u) {
            return 0;
        }
    }
    /* C1 controls and overlong forms of ASCII hide in the two-byte sequences; direction marks and
     * other invisible ones in the block of general punctuation. */
    if (len == 2 && (bytes[0] < 0xc2 || (bytes[0] == 0xc2 && bytes[1] < 0xa0))) {
        return 0;
    }
    bool is_invisible = len == 3 && bytes[0] == 0xe2 && (bytes[1] == 0x80 || bytes[1] == 0x81) &&
                        !(bytes[1] == 0x80 && bytes[2] >= 0x90 && bytes[2] <= 0xa7);
    bool is_overlong = len == 3 && bytes[0] == 0xe0 && bytes[1] < 0xa0;
    bool is_surrogate = len == 3 && bytes[0] == 0xed && bytes[1] >= 0xa0;
    return is_invisible || is_overlong || is_surrogate ? 0 : len;
}

/* One byte or character of `from` to `to`. */
static size_t clean_step(const char *from, enum text_form form, char *to, size_t *at_inout)
{
    size_t len = utf8_len(from);
    if (len == 0 && byte_is_shown((unsigned char)*from, form)) {
        len = 1;
    }
    if (len > 0) {
        memcpy(to + *at_inout, from, len);
        *at_inout += len;
        return len;
    }
    (void)snprintf(to + *at_inout, 5, "\\x%02x", (unsigned)(unsigned char)*from);
    *at_inout += 4;
    return 1;
}

static char *clean_copy(const char *from, enum text_form form, size_t size_max)
{
    char *copy = malloc(size_max + 8);
    must(copy != NULL);
    size_t at = 0;
    while (*from != '\0' && at < size_max) {
        from += clean_step(from, form, copy, &at);
    }
    if (*from != '\0') {
        memcpy(copy + at, "...", 3);
        at += 3;
    }
    copy[at] = '\0';
    return copy;
}

__attribute__((format(printf, 2, 0))) static char *format_clean(
    enum text_form form, const char *format, va_list arguments)
{
    char raw[REPORT_TEXT_MAX * 2];
    (void)vsnprintf(raw, sizeof raw, format, arguments);
    return clean_copy(raw, form, REPORT_TEXT_MAX);
}

void report_add(struct report *report, enum check_id check, enum report_level level,
    enum report_sure sure, const char *format, ...)
{
    if (report->count == REPORT_ENTRIES_MAX) {
        report->dropped++;
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    report->entries[report->count++] = (struct report_entry){
        .check = check,
        .level = level,
        .sure = sure,
        .seen = format_clean(TEXT_LINE, format, arguments),
    };
    va_end(arguments);
}

/* NULL: the entry was dropped, and what belongs to it is as well. */
static struct report_entry *entry_last(struct report *report)
{
    return report->count > 0 && report->dropped == 0 ? &report->entries[report->count - 1] : NULL;
}

void report_advise(struct report *report, const char *format, ...)
{
    struct report_entry *entry = entry_last(report);
    if (entry == NULL) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    free(entry->change);
    entry->change = format_clean(TEXT_LINES, format, arguments);
    va_end(arguments);
}

void report_blame(struct report *report, const char *format, ...)
{
    struct report_entry *entry = entry_last(report);
    if (entry == NULL) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    free(entry->cause);
    entry->cause = format_clean(TEXT_LINE, format, arguments);
    va_end(arguments);
}

void report_picture(struct report *report, const char *lines)
{
    struct report_entry *entry = entry_last(report);
    if (entry != NULL) {
        free(entry->picture);
        entry->picture = clean_copy(lines, TEXT_LINES, REPORT_PICTURE_MAX);
    }
}

size_t report_count(const struct report *report, enum report_level level)
{
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++) {
        count += report->entries[i].level == level;
    }
    return count;
}

static bool entry_is_likelier(const struct report_entry *a, const struct report_entry *b)
{
    if (a->level != b->level) {
        return a->level > b->level;
    }
    return a->sure != b->sure ? a->sure > b->sure : a->check < b->check;
}

const struct report_entry *report_likeliest(const struct report *report)
{
    const struct report_entry *best = NULL;
    for (size_t i = 0; i < report->count; i++) {
        const struct report_entry *entry = &report->entries[i];
        if (entry->cause != NULL && entry->level >= REPORT_WARNING &&
            (best == NULL || entry_is_likelier(entry, best))) {
            best = entry;
        }
    }
    return best;
}

const char *check_name(enum check_id check)
{
    return check_rows[check].name;
}

enum check_group check_group(enum check_id check)
{
    return check_rows[check].group;
}

const char *check_healthy(enum check_id check)
{
    return check_rows[check].healthy;
}

const char *check_why(enum check_id check)
{
    return check_rows[check].why;
}

const char *check_group_title(enum check_group group)
{
    return group_titles[group];
}

const char *report_level_name(enum report_level level)
{
    switch (level) {
    case REPORT_GOOD:
        return "good";
    case REPORT_SKIPPED:
        return "skipped";
    case REPORT_NOTE:
        return "note";
    case REPORT_WARNING:
        return "warning";
    case REPORT_ERROR:
        return "error";
    }
    return "";
}

const char *report_sure_name(enum report_sure sure)
{
    switch (sure) {
    case REPORT_POSSIBLE:
        return "possible";
    case REPORT_LIKELY:
        return "likely";
    case REPORT_CERTAIN:
        return "certain";
    }
    return "";
}

bool check_find(const char *name, enum check_id *check_out)
{
    for (int i = 0; i < (int)CHECKS; i++) {
        if (strcmp(check_rows[i].name, name) == 0) {
            *check_out = (enum check_id)i;
            return true;
        }
    }
    return false;
}
