/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/finding.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Control bytes and what is not ASCII become \xNN. */
static void finding_add_printable(struct text *text, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)bytes[i];
        if (byte >= 0x20 && byte < 0x7f) {
            text_add_bytes(text, &bytes[i], 1);
        } else {
            text_addf(text, "\\x%02x", (unsigned)byte);
        }
    }
}

void finding_add(struct findings *findings, enum finding_level level,
    const struct finding_place *place, const char *format, ...)
{
    if (level == FINDING_ERROR) {
        findings->errors++;
    }
    if (findings->count == FINDINGS_MAX) {
        findings->dropped++;
        return;
    }

    struct finding *finding = &findings->items[findings->count++];
    memset(finding, 0, sizeof *finding);
    finding->level = level;
    finding->line = place->line;
    finding->column = place->column;
    const char *file = place->file == NULL ? "mxcache.conf" : place->file;
    struct text text;
    text_init(&text, finding->file, sizeof finding->file);
    finding_add_printable(&text, file, strlen(file));

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->sentence, sizeof finding->sentence, format, arguments);
    va_end(arguments);
}

const char *finding_quote(const char *bytes, size_t len, struct finding_quote *quote_out)
{
    struct text text;
    text_init(&text, quote_out->text, sizeof quote_out->text);
    size_t shown = len > FINDING_QUOTE_BYTES ? FINDING_QUOTE_BYTES : len;
    finding_add_printable(&text, bytes, shown);
    if (shown < len) {
        text_add(&text, "...");
    }
    return quote_out->text;
}

size_t finding_format(const struct finding *finding, char *text_out, size_t size)
{
    struct text text;
    text_init(&text, text_out, size);
    text_add(&text, finding->file);
    if (finding->line > 0) {
        text_addf(&text, ":%u:%u", finding->line, finding->column);
    }
    text_add(&text, finding->level == FINDING_ERROR ? ": error: " : ": warning: ");
    text_add(&text, finding->sentence);
    return text.len;
}
