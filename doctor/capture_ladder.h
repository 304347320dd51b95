/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What happened in one conversation, line by line, to be drawn with the client on the left, the
 * server on the right and the silences between. The first and the last lines are kept, those in
 * the middle are counted. Persons are taken out of addresses; bytes of a message never get here.
 * Pure.
 */
#define CAPTURE_LINES_FIRST    28
#define CAPTURE_LINES_LAST     24
#define CAPTURE_LINE_TEXT_SIZE 64

enum capture_side {
    CAPTURE_CLIENT,
    CAPTURE_SERVER,
    CAPTURE_NOBODY,
};
#define CAPTURE_SIDES 2 /* That speak. */

struct capture_line {
    int64_t at_us;
    int64_t last_us; /* Of the lines that became one. */
    uint64_t bytes;  /* 0: a line of words. */
    uint32_t count;  /* How many became one. */
    uint8_t side;    /* enum capture_side: who sent it. */
    uint8_t turn;    /* enum capture_side: whose turn it was before. */
    char words[CAPTURE_LINE_TEXT_SIZE];
};

struct capture_ladder {
    struct capture_line first[CAPTURE_LINES_FIRST];
    struct capture_line last[CAPTURE_LINES_LAST]; /* A ring. */
    size_t count;                                 /* Of all lines, left out ones too. */
};

/* Who says it, when, and whose turn it was. */
struct capture_stroke {
    int64_t at_us;
    enum capture_side side;
    enum capture_side turn;
};

/* Adds a line of words; `len` bytes of anything. Equal ones in a row become one. */
void capture_ladder_add(struct capture_ladder *ladder, const struct capture_stroke *stroke,
    const char *words, size_t len);

/* Adds bytes that are counted and not shown ("message", "encrypted"); those of less than a second
 * in a row become one line. */
void capture_ladder_add_bytes(struct capture_ladder *ladder, const struct capture_stroke *stroke,
    const char *words, uint64_t bytes);

struct text;

/* Draws it, a line each, times in seconds since the first. */
void capture_ladder_draw(
    const struct capture_ladder *ladder, const char *const names[CAPTURE_SIDES], struct text *text);

/* Copies words with the persons of addresses left out ("...@example.org") and what is not
 * printable ASCII made a question mark. Always NUL-terminated. */
void capture_redact(const char *bytes, size_t len, char *words_out, size_t size);
