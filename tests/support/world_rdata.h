/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/bytes.h"

/*
 * From the words of a zone-file line to a record's data. A word keeps its bytes with escapes
 * resolved; `is_quoted` tells a string from a number or a name. Pure.
 */
#define WORLD_WORDS_MAX 32

struct world_word {
    char *bytes; /* NUL-terminated, in the caller's line. */
    size_t len;
    bool is_quoted;
};

struct world_line {
    struct world_word words[WORLD_WORDS_MAX];
    size_t count;
};

/* Cuts `text` into words, in place. False: an open quote, a bad escape or too many words. */
bool world_line_split(char *text, struct world_line *line_out);

/* Writes the data of `type` from the words at and after `first`. False: they do not fit the type.
 */
bool world_rdata_write(
    struct writer *writer, uint16_t type, const struct world_line *line, size_t first);
