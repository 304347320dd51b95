/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bounded text: a builder over a caller's buffer, and the forms of numbers that people write in
 * configuration files (4s, 250ms, 64M). Pure; any thread. No locale.
 */

/* Always NUL-terminated (size > 0). `is_cut` tells that something did not fit. */
struct text {
    char *data;
    size_t size;
    size_t len;
    bool is_cut;
};

void text_init(struct text *text, char *data, size_t size);
void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *bytes, size_t len);
__attribute__((format(printf, 2, 3))) void text_addf(struct text *text, const char *format, ...);
__attribute__((format(printf, 2, 0))) void text_addv(
    struct text *text, const char *format, va_list arguments);

/* Decimal digits and nothing else. False: not a number, or above `max`. */
bool text_parse_u64(const char *bytes, size_t len, uint64_t max, uint64_t *number_out);

/* A duration with one of ms s m h d w (no unit: seconds), in microseconds; 0 is valid. */
bool text_parse_duration(const char *bytes, size_t len, int64_t *duration_us_out);

/* A size with one of k M G T (powers of 1,024; no unit: bytes). */
bool text_parse_size(const char *bytes, size_t len, uint64_t *bytes_out);

/* The shortest exact form, as read by the parsers above: 400ms, 4s, 1d, 64M. Parts of a millisecond
 * have no such form and are left out; a negative duration is written as 0. */
void text_add_duration(struct text *text, int64_t duration_us);
void text_add_size(struct text *text, uint64_t bytes);

/* A duration for people, three digits and a unit in at most 7 columns: 43us, 1.25ms, 4.00s. */
void text_add_latency(struct text *text, uint64_t duration_us);

/* A JSON string literal with quotes. Input is any bytes, read as Latin-1; output is ASCII. When it
 * is cut it is no literal any more. */
void text_add_json_string(struct text *text, const char *bytes, size_t len);

/* "VALUE", for a log line: quotes and backslashes are escaped by a backslash, control characters
 * become question marks. */
void text_add_quoted(struct text *text, const char *value);

/* Edit distance (insert, delete, replace, swap of neighbours), capped at 99; for "did you mean".
 * A string of more than 99 bytes is 99 away from everything. */
unsigned text_distance(const char *a, const char *b);
