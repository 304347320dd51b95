/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/page_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define DASH         "–"
#define NARROW_SPACE "\u202f"

/* How a byte is written; NULL: as it is. */
static const char *byte_entity(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return (unsigned char)byte < 0x20 || byte == 0x7f ? "?" : NULL;
    }
}

void page_text_escape(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        const char *entity = byte_entity(*string);
        if (entity != NULL) {
            text_add(text, entity);
        } else {
            text_add_bytes(text, string, 1);
        }
    }
}

void page_text_count(struct text *text, uint64_t count)
{
    char digits[24];
    struct text plain;
    text_init(&plain, digits, sizeof digits);
    text_addf(&plain, "%" PRIu64, count);
    for (size_t i = 0; i < plain.len; i++) {
        if (i > 0 && (plain.len - i) % 3 == 0) {
            text_add(text, NARROW_SPACE);
        }
        text_add_bytes(text, digits + i, 1);
    }
}

void page_text_percent(struct text *text, uint64_t part, uint64_t whole)
{
    if (whole == 0) {
        text_add(text, DASH);
        return;
    }
    uint64_t permille = whole > UINT64_MAX / 1000 ? part / (whole / 1000) : part * 1000 / whole;
    text_addf(text, "%" PRIu64 ".%" PRIu64 NARROW_SPACE "%%", permille / 10, permille % 10);
}

void page_text_bytes(struct text *text, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    uint64_t tenths = bytes > UINT64_MAX / 10 ? UINT64_MAX : bytes * 10;
    while (tenths >= 10240 && unit < 4) {
        tenths /= 1024;
        unit++;
    }
    text_addf(
        text, "%" PRIu64 ".%" PRIu64 NARROW_SPACE "%s", tenths / 10, tenths % 10, units[unit]);
}

void page_text_latency(struct text *text, uint64_t count, uint64_t duration_us)
{
    char plain[16];
    struct text latency;
    if (count == 0) {
        text_add(text, DASH);
        return;
    }
    text_init(&latency, plain, sizeof plain);
    text_add_latency(&latency, duration_us);
    size_t digits = strspn(plain, "0123456789.");
    text_add_bytes(text, plain, digits);
    text_add(text, NARROW_SPACE);
    text_add(text, strcmp(plain + digits, "us") == 0 ? "µs" : plain + digits);
}

void page_text_uptime(struct text *text, uint64_t seconds)
{
    uint64_t days = seconds / 86400;
    if (days > 0) {
        text_addf(text, "%" PRIu64 " day%s, ", days, days == 1 ? "" : "s");
    }
    if (seconds >= 3600) {
        text_addf(text, "%" PRIu64 " h", seconds / 3600 % 24);
    }
    if (days == 0) {
        text_addf(text, "%s%" PRIu64 " min", seconds >= 3600 ? " " : "", seconds / 60 % 60);
    }
}
