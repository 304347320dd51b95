/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "conf/finding.h"

/*
 * Bytes of a configuration file to statements: `name = value`, `[section argument]` and
 * `include FILE`. A value is words between blanks or commas; `#` at the start of a line or word
 * begins a comment; a line that starts with a blank continues the setting above. A line with an
 * error is reported and left out, and reading goes on. The words point into the bytes, which the
 * caller owns. No allocation; main thread. Limits: LEXER_LINE_MAX bytes a line, LEXER_WORDS_MAX
 * words a statement.
 */
#define LEXER_LINE_MAX  65536
#define LEXER_WORDS_MAX 256

struct lexer_word {
    const char *bytes;
    size_t len;
    struct finding_place place;
};

enum lexer_kind {
    LEXER_SETTING, /* `name` = `words` */
    LEXER_SECTION, /* [`name` `words`]; an empty name: reported, and what follows has no place. */
    LEXER_INCLUDE, /* `name` is the keyword; `words` the files */
    LEXER_END,
};

struct lexer_statement {
    enum lexer_kind kind;
    struct lexer_word name;
    struct finding_place value_place; /* Of the first word, or behind the `=` of an empty value. */
    struct lexer_word words[LEXER_WORDS_MAX];
    size_t word_count;
};

struct lexer {
    const char *file;
    const char *at;
    const char *end;
    unsigned line; /* Of `at`, from 1; an -o override and a default are line 0. */
    struct findings *findings;
};

/* A leading UTF-8 byte order mark is skipped. `line` numbers the first line: 1, or 0 for text that
 * has no lines. */
void lexer_init(struct lexer *lexer, const char *file, unsigned line, struct findings *findings);
void lexer_feed(struct lexer *lexer, const char *bytes, size_t len);

/* The next statement, or LEXER_END. */
enum lexer_kind lexer_next(struct lexer *lexer, struct lexer_statement *statement_out);

/* The word equals the string. */
bool lexer_word_is(const struct lexer_word *word, const char *string);
