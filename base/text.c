/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

#define DISTANCE_MAX 99

struct text_unit {
    const char *name;
    uint64_t size;
};

/* From small to large; each divides the next. The first entry without a name is the plain form. */
static const struct text_unit duration_units[] = {
    {"ms", UINT64_C(1000)},
    {"s", UINT64_C(1000000)},
    {"m", UINT64_C(60000000)},
    {"h", UINT64_C(3600000000)},
    {"d", UINT64_C(86400000000)},
    {"w", UINT64_C(604800000000)},
};

static const struct text_unit size_units[] = {
    {"", 1},
    {"k", UINT64_C(1) << 10},
    {"M", UINT64_C(1) << 20},
    {"G", UINT64_C(1) << 30},
    {"T", UINT64_C(1) << 40},
};

#define UNIT_COUNT(units) (sizeof(units) / sizeof((units)[0]))

void text_init(struct text *text, char *data, size_t size)
{
    must(size > 0);
    *text = (struct text){.data = data, .size = size};
    data[0] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_add_bytes(struct text *text, const char *bytes, size_t len)
{
    size_t room = text->size - text->len - 1;
    if (len > room) {
        text->is_cut = true;
        len = room;
    }
    if (len > 0) {
        memcpy(text->data + text->len, bytes, len);
    }
    text->len += len;
    text->data[text->len] = '\0';
}

void text_addv(struct text *text, const char *format, va_list arguments)
{
    size_t room = text->size - text->len;
    int len = vsnprintf(text->data + text->len, room, format, arguments);
    if (len < 0) {
        text->data[text->len] = '\0';
        text->is_cut = true;
    } else if ((size_t)len >= room) {
        text->len = text->size - 1;
        text->is_cut = true;
    } else {
        text->len += (size_t)len;
    }
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_addv(text, format, arguments);
    va_end(arguments);
}

bool text_parse_u64(const char *bytes, size_t len, uint64_t max, uint64_t *number_out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] < '0' || bytes[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(bytes[i] - '0');
        if (number > max / 10 || digit > max - number * 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    if (len == 0) {
        return false;
    }
    *number_out = number;
    return true;
}

static size_t digits_count(const char *bytes, size_t len)
{
    size_t digits = 0;
    while (digits < len && bytes[digits] >= '0' && bytes[digits] <= '9') {
        digits++;
    }
    return digits;
}

static const struct text_unit *unit_find(
    const struct text_unit *units, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(units[i].name) == len && memcmp(units[i].name, name, len) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

bool text_parse_duration(const char *bytes, size_t len, int64_t *duration_us_out)
{
    size_t digits = digits_count(bytes, len);
    const char *name = digits < len ? bytes + digits : "s";
    size_t name_len = digits < len ? len - digits : 1;
    const struct text_unit *unit =
        unit_find(duration_units, UNIT_COUNT(duration_units), name, name_len);
    uint64_t number = 0;
    if (unit == NULL || !text_parse_u64(bytes, digits, INT64_MAX / unit->size, &number)) {
        return false;
    }
    *duration_us_out = (int64_t)(number * unit->size);
    return true;
}

bool text_parse_size(const char *bytes, size_t len, uint64_t *bytes_out)
{
    size_t digits = digits_count(bytes, len);
    const struct text_unit *unit =
        unit_find(size_units, UNIT_COUNT(size_units), bytes + digits, len - digits);
    uint64_t number = 0;
    if (unit == NULL || !text_parse_u64(bytes, digits, UINT64_MAX / unit->size, &number)) {
        return false;
    }
    *bytes_out = number * unit->size;
    return true;
}

/* Writes in the largest unit that leaves no rest. */
static void unit_add(struct text *text, const struct text_unit *units, size_t count, uint64_t value)
{
    size_t i = count - 1;
    while (i > 0 && value % units[i].size != 0) {
        i--;
    }
    text_addf(text, "%" PRIu64 "%s", value / units[i].size, units[i].name);
}

void text_add_duration(struct text *text, int64_t duration_us)
{
    if (duration_us <= 0) {
        text_add(text, "0");
        return;
    }
    unit_add(text, duration_units, UNIT_COUNT(duration_units), (uint64_t)duration_us);
}

void text_add_size(struct text *text, uint64_t bytes)
{
    if (bytes == 0) {
        text_add(text, "0");
        return;
    }
    unit_add(text, size_units, UNIT_COUNT(size_units), bytes);
}

/* Values below `limit` are rounded to `step` and written with `decimals` after the point. The
 * limits lie where rounding would make a fourth digit. */
struct latency_form {
    uint64_t limit;
    uint64_t step;
    uint64_t steps_per_unit;
    int decimals;
    const char *unit;
};

static const struct latency_form latency_forms[] = {
    {1000, 1, 1, 0, "us"},
    {9995, 10, 100, 2, "ms"},
    {99950, 100, 10, 1, "ms"},
    {999500, 1000, 1, 0, "ms"},
    {9995000, 10000, 100, 2, "s"},
    {99950000, 100000, 10, 1, "s"},
    {UINT64_MAX, 1000000, 1, 0, "s"},
};

void text_add_latency(struct text *text, uint64_t duration_us)
{
    /* Eleven days is long enough for anything that waits, and fits in seven columns. */
    uint64_t duration_max = UINT64_C(999999) * 1000000;
    uint64_t duration = duration_us < duration_max ? duration_us : duration_max;
    const struct latency_form *form = latency_forms;
    while (duration >= form->limit) {
        form++;
    }
    uint64_t steps = (duration + form->step / 2) / form->step;
    text_addf(text, "%" PRIu64, steps / form->steps_per_unit);
    if (form->decimals > 0) {
        text_addf(text, ".%0*" PRIu64, form->decimals, steps % form->steps_per_unit);
    }
    text_add(text, form->unit);
}

void text_add_json_string(struct text *text, const char *bytes, size_t len)
{
    text_add(text, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte == '"' || byte == '\\') {
            text_addf(text, "\\%c", byte);
        } else if (byte < 0x20 || byte >= 0x7f) {
            text_addf(text, "\\u%04x", byte);
        } else {
            text_addf(text, "%c", byte);
        }
    }
    text_add(text, "\"");
}

static uint8_t smaller(unsigned a, unsigned b)
{
    return (uint8_t)(a < b ? a : b);
}

/* The optimal string alignment distance, row by row; the row before the last serves the swaps. */
unsigned text_distance(const char *a, const char *b)
{
    size_t a_len = strnlen(a, DISTANCE_MAX + 1);
    size_t b_len = strnlen(b, DISTANCE_MAX + 1);
    if (a_len > DISTANCE_MAX || b_len > DISTANCE_MAX) {
        return DISTANCE_MAX;
    }
    uint8_t rows[3][DISTANCE_MAX + 1] = {{0}};
    for (size_t j = 0; j <= b_len; j++) {
        rows[0][j] = (uint8_t)j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        const uint8_t *swapped = rows[(i + 1) % 3];
        const uint8_t *above = rows[(i - 1) % 3];
        uint8_t *row = rows[i % 3];
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned replaced = above[j - 1] + (a[i - 1] != b[j - 1] ? 1u : 0u);
            row[j] = smaller(replaced, smaller(above[j] + 1u, row[j - 1] + 1u));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = smaller(row[j], swapped[j - 2] + 1u);
            }
        }
    }
    return rows[a_len % 3][b_len];
}

void text_add_quoted(struct text *text, const char *value)
{
    text_add(text, "\"");
    for (; *value != '\0'; value++) {
        unsigned char byte = (unsigned char)*value;
        if (byte == '"' || byte == '\\') {
            text_add(text, "\\");
        }
        bool is_control = byte < 0x20 || byte == 0x7f;
        text_add_bytes(text, is_control ? "?" : value, 1);
    }
    text_add(text, "\"");
}
