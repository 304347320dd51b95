/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/metrics_sheet.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/must.h"
#include "base/text.h"

#define EDGE_SIZE 32

/* A quote is special inside quotes, and in the comments of the newer form. */
static void add_escaped(struct text *text, const char *string, bool is_quote_special)
{
    for (; *string != '\0'; string++) {
        if (*string == '\n') {
            text_add(text, "\\n");
            continue;
        }
        if (*string == '\\' || (*string == '"' && is_quote_special)) {
            text_add(text, "\\");
        }
        text_add_bytes(text, string, 1);
    }
}

/* How one form speaks of a family: its word, and what follows its name in the comments. */
struct family_words {
    const char *type;
    const char *suffix;
};

static struct family_words family_words_of(enum metrics_family family, enum metrics_form form)
{
    bool is_openmetrics = form == METRICS_FORM_OPENMETRICS;
    switch (family) {
    case METRICS_FAMILY_INFO:
        return is_openmetrics ? (struct family_words){"info", ""}
                              : (struct family_words){"gauge", "_info"};
    case METRICS_FAMILY_GAUGE:
        return (struct family_words){"gauge", ""};
    case METRICS_FAMILY_COUNTER:
        return (struct family_words){"counter", is_openmetrics ? "" : "_total"};
    case METRICS_FAMILY_HISTOGRAM:
        return (struct family_words){"histogram", ""};
    }
    must_never("a family of metrics");
}

static const char *unit_of(const char *name)
{
    static const char *const units[] = {"seconds", "bytes"};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t unit_len = strlen(units[i]);
        if (len > unit_len && name[len - unit_len - 1] == '_' &&
            strcmp(name + len - unit_len, units[i]) == 0) {
            return units[i];
        }
    }
    return NULL;
}

void metrics_sheet_open(const struct metrics_sheet *sheet, const char *name,
    enum metrics_family family, const char *sentence)
{
    struct family_words words = family_words_of(family, sheet->form);
    bool is_openmetrics = sheet->form == METRICS_FORM_OPENMETRICS;
    const char *unit = is_openmetrics ? unit_of(name) : NULL;
    text_addf(sheet->text, "# TYPE mxcache_%s%s %s\n", name, words.suffix, words.type);
    if (unit != NULL) {
        text_addf(sheet->text, "# UNIT mxcache_%s %s\n", name, unit);
    }
    if (sentence != NULL) {
        text_addf(sheet->text, "# HELP mxcache_%s%s ", name, words.suffix);
        add_escaped(sheet->text, sentence, is_openmetrics);
        text_add(sheet->text, "\n");
    }
}

void metrics_sheet_label(struct text *text, const char *name, const char *value)
{
    text_addf(text, "%s=\"", name);
    add_escaped(text, value, true);
    text_add(text, "\"");
}

static void add_name(struct text *text, const char *name, const char *suffix, const char *labels)
{
    bool has_labels = labels[0] != '\0';
    text_addf(text, "mxcache_%s%s%s%s%s ", name, suffix, has_labels ? "{" : "", labels,
        has_labels ? "}" : "");
}

void metrics_sheet_sample(
    struct text *text, const char *name, const char *suffix, const char *labels, uint64_t value)
{
    add_name(text, name, suffix, labels);
    text_addf(text, "%" PRIu64 "\n", value);
}

void metrics_sheet_seconds(struct text *text, uint64_t duration_us)
{
    text_addf(text, "%" PRIu64 ".%06" PRIu64, duration_us / (uint64_t)CLOCK_US_PER_S,
        duration_us % (uint64_t)CLOCK_US_PER_S);
}

/* As numbers are written there: no needless zeros, but for the one behind a lone point. */
static void edge_format(uint64_t edge_us, char edge_out[EDGE_SIZE])
{
    struct text text;
    text_init(&text, edge_out, EDGE_SIZE);
    metrics_sheet_seconds(&text, edge_us);
    size_t len = text.len;
    while (edge_out[len - 1] == '0' && edge_out[len - 2] != '.') {
        len--;
    }
    edge_out[len] = '\0';
}

void metrics_sheet_histogram(
    struct text *text, const char *name, const char *labels, const struct histogram_sum *sum)
{
    const char *comma = labels[0] != '\0' ? "," : "";
    for (size_t i = 0; i < HISTOGRAM_EDGES; i++) {
        char edge[EDGE_SIZE];
        edge_format(histogram_edges_us[i], edge);
        text_addf(text, "mxcache_%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", name, labels, comma, edge,
            histogram_count_up_to(sum, histogram_edges_us[i]));
    }
    text_addf(
        text, "mxcache_%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, labels, comma, sum->count);
    metrics_sheet_sample(text, name, "_count", labels, sum->count);
    add_name(text, name, "_sum", labels);
    metrics_sheet_seconds(text, sum->sum_us);
    text_add(text, "\n");
}
