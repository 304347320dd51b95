/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/text.h"
#include "conf/explain.h"
#include "conf/schema.h"
#include "conf/value.h"

#define EXPLAIN_COLUMNS 80

/* Writes a sentence in lines of at most EXPLAIN_COLUMNS, each behind `prefix`. */
static void explain_wrap(const char *prefix, const char *sentence, FILE *out)
{
    size_t column = 0;
    const char *at = sentence;
    while (*at != '\0') {
        size_t len = strcspn(at, " ");
        if (column > 0 && column + 1 + len > EXPLAIN_COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        fputs(column == 0 ? prefix : " ", out);
        column += column == 0 ? strlen(prefix) : 1;
        fwrite(at, 1, len, out);
        column += len;
        at += len;
        at += strspn(at, " ");
    }
    fputc('\n', out);
}

/* "Range: 100ms to 30s. Applied by a restart." */
static void explain_facts(const struct schema_row *row, struct text *text)
{
    size_t len = text->len;
    text_add(text, "Range: ");
    size_t behind = text->len;
    value_write_range(row, text);
    if (text->len == behind) {
        text->len = len;
        text->data[len] = '\0';
    } else {
        text_add(text, ". ");
    }
    text_add(text, row->change == SCHEMA_CHANGE_RESTART ? "A change needs a restart."
                                                        : "A reload applies a change.");
}

static void explain_sample_row(const struct schema_row *row, FILE *out)
{
    char facts[128];
    struct text text;
    text_init(&text, facts, sizeof facts);
    explain_facts(row, &text);
    fputc('\n', out);
    explain_wrap("# ", row->sentence, out);
    fprintf(out, "# %s Form: %s\n", facts, row->form);
    fprintf(out, row->default_text[0] == '\0' ? "#%s =%s\n" : "#%s = %s\n", row->name,
        row->default_text);
}

static const char explain_sample_head[] =
    "# mxcache.conf: the settings of mxcache, a caching DNS resolver for mail hosts.\n"
    "#\n"
    "# Every line here is a comment that shows the default; without this file mxcache\n"
    "# answers on 127.0.0.1 and ::1 and asks the servers of /etc/resolv.conf.\n"
    "# NAME = VALUE; a line that starts with a blank continues the one above;\n"
    "# \"include FILE\" reads another file. Durations: ms s m h d (without: seconds);\n"
    "# sizes: k M G (without: bytes).\n"
    "#\n"
    "# mxcache check tells what is wrong here, with its place; mxcache conf -n shows\n"
    "# what differs from the defaults. The manual is mxcache.conf(5).\n";

static const char explain_sample_sections[] =
    "\n\n"
    "#   Sections: from here to the end of the file.\n"
    "#\n"
    "#   [upstream NAME] is a group of servers, [zone NAME] sends the questions at and\n"
    "#   below NAME to one:\n"
    "#\n"
    "#   [upstream office]\n"
    "#   servers = 10.0.0.53 10.0.1.53\n"
    "#   trust_ad = no\n"
    "#   tls_pins =\n"
    "#\n"
    "#   [zone example.corp]\n"
    "#   upstream = office\n"
    "#   route = upstream\n"
    "#\n"
    "#   [list ZONE] says what mxcache does not know about a DNS list:\n"
    "#\n"
    "#   [list bl.example.org]\n"
    "#   kind = ip\n"
    "#   has_key = no\n"
    "#   refused = 127.255.255.0/24\n"
    "#   action = nxdomain\n"
    "#   quota = 100000\n";

void explain_sample(FILE *out)
{
    fputs(explain_sample_head, out);
    for (size_t topic = 0; topic < SCHEMA_TOPIC_COUNT; topic++) {
        const struct schema_topic_row *title = schema_topic((enum schema_topic)topic);
        if (title->section != SCHEMA_SECTION_MAIN) {
            continue;
        }
        fprintf(out, "\n\n#   %s\n", title->title);
        for (size_t id = 0; id < SCHEMA_ID_COUNT; id++) {
            const struct schema_row *row = schema_row((enum schema_id)id);
            if (row->topic == (enum schema_topic)topic) {
                explain_sample_row(row, out);
            }
        }
    }
    fputs(explain_sample_sections, out);
}

static void explain_manual_row(const struct schema_row *row, FILE *out)
{
    char facts[128];
    struct text text;
    text_init(&text, facts, sizeof facts);
    explain_facts(row, &text);
    fprintf(out, "*%s* = _%s_\n", row->name, row->form);
    explain_wrap("\t", row->sentence, out);
    fputs("\n\tDefault: ", out);
    fprintf(out, row->default_text[0] == '\0' ? "none. %s%s\n\n" : "*%s*. %s\n\n",
        row->default_text, facts);
}

void explain_manual(FILE *out)
{
    for (size_t topic = 0; topic < SCHEMA_TOPIC_COUNT; topic++) {
        const struct schema_topic_row *title = schema_topic((enum schema_topic)topic);
        fprintf(out, "## %s\n\n", title->title);
        if (title->sentence[0] != '\0') {
            explain_wrap("", title->sentence, out);
            fputc('\n', out);
        }
        for (size_t id = 0; id < SCHEMA_ID_COUNT; id++) {
            const struct schema_row *row = schema_row((enum schema_id)id);
            if (row->topic == (enum schema_topic)topic) {
                explain_manual_row(row, out);
            }
        }
    }
}
