/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"

struct random;

/*
 * Domain names in wire form, uncompressed: length-prefixed labels with the root's zero byte, at
 * most 255 bytes and 127 labels (RFC 1035 section 2.3.4). Functions that take `name` expect such a
 * checked name. Comparison ignores ASCII case (RFC 4343). Pure, no allocation; any thread.
 */
#define NAME_SIZE_MAX   255
#define NAME_LABELS_MAX 127
#define NAME_HOPS_MAX   64   /* Compression pointers followed in one name. */
#define NAME_TEXT_SIZE  1025 /* Longest presentation form (\DDD for each byte), NUL included. */

/*
 * Reads the name at the reader's position, following compression pointers, each of which must point
 * strictly backward: before the place where the labels that led to it began, and not into the
 * header. On success the reader stands behind the name's first pointer or its end. False: not a
 * name; reader unmoved, but the hops are spent.
 */
bool name_read(struct reader *reader, uint8_t name_out[NAME_SIZE_MAX], size_t *len_out);

/* Reads a name without any compression pointer, as in a question. */
bool name_read_plain(struct reader *reader, uint8_t name_out[NAME_SIZE_MAX], size_t *len_out);

/* Steps over a name in place; checks its own labels, not where a pointer leads. */
bool name_skip(struct reader *reader);

/* The name equals the one at `at` in the message, without copying. False too if that is no name. */
bool name_equals_at(const uint8_t *name, size_t len, const struct reader *message, size_t at);

bool name_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* `name` is `zone` or below it; the root is above all. */
bool name_is_under(const uint8_t *name, size_t len, const uint8_t *zone, size_t zone_len);

void name_to_lower(uint8_t *name, size_t len);

/* Makes each letter upper or lower case, one random bit a letter, so that a reply must repeat a
 * spelling that nobody could guess (draft-vixie-dnsext-dns0x20 section 2). */
void name_randomise_case(uint8_t *name, size_t len, struct random *random);

/* Equal names have equal hashes. Not keyed: to skip comparisons, not to trust. */
uint32_t name_hash32(const uint8_t *name, size_t len);

/* Where the first label of the name at `at` stands, behind the pointers that lead to it. Names of
 * one place are equal. False: there is none. */
bool name_find_label(const struct reader *message, size_t at, size_t *label_at_out);

/* Labels without the root: 0 for ".". */
unsigned name_label_count(const uint8_t *name, size_t len);

/* Is `len` bytes at `name` a whole, uncompressed, bounded name? For bytes from files. */
bool name_is_valid(const uint8_t *name, size_t len);

/* Presentation form with a final dot, escapes \. \\ and \DDD for what is not printable ASCII (and
 * for blanks, so that a name is one word in a log). Returns the length; NUL-terminated; cut (and
 * ending in "...") when `size` is too small. */
size_t name_to_text(const uint8_t *name, size_t len, char *text_out, size_t size);

/* Reads the presentation form, with or without the final dot. False: empty label, label over 63
 * bytes, name over 255, bad escape. "." is the root; the empty string is not a name. */
bool name_from_text(
    const char *text, size_t text_len, uint8_t name_out[NAME_SIZE_MAX], size_t *len_out);
