/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_ladder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define SILENCE_US   CLOCK_US_PER_S /* Shorter ones are not drawn. */
#define MERGE_US     CLOCK_US_PER_S
#define COLUMN_LEFT  30
#define COLUMN_RIGHT 33

/* Where the person of an address ends: what may stand before it. */
static bool byte_is_of_person(char byte)
{
    return (unsigned char)byte > ' ' && strchr("<>()[]\",;:=", byte) == NULL;
}

/* A quoted person ("a b"@example.org) ends with a quote: it is taken out to the quote before. */
static size_t person_start(const char *words, size_t at)
{
    size_t start = at;
    if (start > 0 && words[start - 1] == '"') {
        start--;
        while (start > 0 && words[start - 1] != '"') {
            start--;
        }
        return start > 0 ? start - 1 : 0;
    }
    while (start > 0 && byte_is_of_person(words[start - 1])) {
        start--;
    }
    return start;
}

static size_t dots_add(char *words, size_t at, size_t size)
{
    for (int dots = 0; dots < 3 && at + 1 < size; dots++) {
        words[at++] = '.';
    }
    words[at] = '\0';
    return at;
}

/* Where the words were cut, by the room or by the capture, a person may stand whose @ is gone:
 * after a < that is still open, or as the last word before `rest`. */
static void redact_end(char *words, size_t size, const char *rest, size_t rest_len)
{
    size_t at = strlen(words);
    const char *open = strrchr(words, '<');
    size_t word_rest = 0;
    while (word_rest < rest_len && byte_is_of_person(rest[word_rest]) && rest[word_rest] != '@') {
        word_rest++;
    }
    if (open != NULL && strpbrk(open, "@>") == NULL) {
        (void)dots_add(words, (size_t)(open - words) + 1, size);
    } else if (word_rest < rest_len && rest[word_rest] == '@') {
        (void)dots_add(words, person_start(words, at), size);
    }
}

void capture_redact(const char *bytes, size_t len, char *words_out, size_t size)
{
    size_t at = 0;
    size_t used = 0;
    words_out[0] = '\0';
    for (; used < len && at + 1 < size; used++) {
        bool is_shown = bytes[used] >= ' ' && bytes[used] < 0x7f;
        if (bytes[used] == '@') {
            at = dots_add(words_out, person_start(words_out, at), size);
        }
        if (at + 1 < size) {
            words_out[at++] = is_shown ? bytes[used] : '?';
        }
        words_out[at] = '\0';
    }
    redact_end(words_out, size, bytes + used, len - used);
}

static struct capture_line *ladder_line(struct capture_ladder *ladder, size_t index)
{
    if (index < CAPTURE_LINES_FIRST) {
        return &ladder->first[index];
    }
    return &ladder->last[(index - CAPTURE_LINES_FIRST) % CAPTURE_LINES_LAST];
}

static struct capture_line *ladder_append(
    struct capture_ladder *ladder, const struct capture_stroke *stroke)
{
    struct capture_line *line = ladder_line(ladder, ladder->count++);
    *line = (struct capture_line){
        .at_us = stroke->at_us,
        .last_us = stroke->at_us,
        .count = 1,
        .side = (uint8_t)stroke->side,
        .turn = (uint8_t)stroke->turn,
    };
    return line;
}

/* The last line, when this stroke continues it; or NULL. */
static struct capture_line *ladder_continued(
    struct capture_ladder *ladder, const struct capture_stroke *stroke, const char *words)
{
    if (ladder->count == 0) {
        return NULL;
    }
    struct capture_line *line = ladder_line(ladder, ladder->count - 1);
    bool is_same = line->side == stroke->side && strcmp(line->words, words) == 0 &&
                   stroke->at_us - line->last_us < MERGE_US;
    return is_same ? line : NULL;
}

void capture_ladder_add(struct capture_ladder *ladder, const struct capture_stroke *stroke,
    const char *words, size_t len)
{
    char shown[CAPTURE_LINE_TEXT_SIZE];
    capture_redact(words, len, shown, sizeof shown);
    struct capture_line *line = ladder_continued(ladder, stroke, shown);
    if (line != NULL && line->bytes == 0) {
        line->count++;
        line->last_us = stroke->at_us;
        return;
    }
    line = ladder_append(ladder, stroke);
    memcpy(line->words, shown, sizeof shown);
}

void capture_ladder_add_bytes(struct capture_ladder *ladder, const struct capture_stroke *stroke,
    const char *words, uint64_t bytes)
{
    struct capture_line *line = ladder_continued(ladder, stroke, words);
    if (line == NULL || line->bytes == 0) {
        line = ladder_append(ladder, stroke);
        (void)snprintf(line->words, sizeof line->words, "%s", words);
    } else {
        line->count++;
        line->last_us = stroke->at_us;
    }
    line->bytes += bytes;
}

static void draw_silence(struct text *text, int64_t us, enum capture_side turn)
{
    static const char *const turns[] = {
        [CAPTURE_CLIENT] = "the client's turn",
        [CAPTURE_SERVER] = "the server's turn",
        [CAPTURE_NOBODY] = "silence",
    };
    text_addf(text, "         %*s: %.1f s, %s\n", COLUMN_LEFT / 2, "",
        (double)us / (double)CLOCK_US_PER_S, turns[turn]);
}

/* As many bytes as fit a column, broken after a blank where there is a late one. */
static size_t words_len(const char *words, size_t column)
{
    size_t len = strlen(words);
    if (len <= column) {
        return len;
    }
    for (len = column; len > column / 2 && words[len - 1] != ' '; len--) {
    }
    return len > column / 2 ? len : column;
}

/* What does not fit the column, in a second line. */
static void draw_overhang(struct text *text, const char *words, uint8_t side)
{
    size_t column = side == CAPTURE_SERVER ? COLUMN_RIGHT : COLUMN_LEFT;
    int before = side == CAPTURE_SERVER ? COLUMN_LEFT + 5 : 0;
    for (size_t len = words_len(words, column); words[len] != '\0';
         len = words_len(words, column)) {
        words += len;
        text_addf(text, "%9s%*s%.*s\n", "", before, "", (int)words_len(words, column), words);
    }
}

static void draw_line(struct text *text, const struct capture_line *line, int64_t begin_us)
{
    char words[CAPTURE_LINE_TEXT_SIZE + 40];
    struct text label;
    text_init(&label, words, sizeof words);
    text_add(&label, line->words);
    if (line->bytes > 0) {
        text_addf(&label, ", %" PRIu64 " bytes", line->bytes);
    } else if (line->count > 1) {
        text_addf(&label, ", %" PRIu32 " times", line->count);
    }
    text_addf(text, "%8.3f ", (double)(line->at_us - begin_us) / (double)CLOCK_US_PER_S);
    if (line->side != CAPTURE_SERVER) {
        text_addf(text, "%-*.*s -->\n", COLUMN_LEFT, (int)words_len(words, COLUMN_LEFT), words);
    } else {
        text_addf(
            text, "%*s <-- %.*s\n", COLUMN_LEFT, "", (int)words_len(words, COLUMN_RIGHT), words);
    }
    draw_overhang(text, words, line->side);
}

void capture_ladder_draw(
    const struct capture_ladder *ladder, const char *const names[CAPTURE_SIDES], struct text *text)
{
    size_t kept = CAPTURE_LINES_FIRST + CAPTURE_LINES_LAST;
    size_t left_out = ladder->count > kept ? ladder->count - kept : 0;
    const struct capture_line *before = NULL;
    text_addf(text, " seconds %-*.*s     %s\n", COLUMN_LEFT, COLUMN_LEFT, names[CAPTURE_CLIENT],
        names[CAPTURE_SERVER]);
    for (size_t i = 0; i < ladder->count; i++) {
        if (i == CAPTURE_LINES_FIRST && left_out > 0) {
            text_addf(text, "         %*s(%zu lines left out)\n", COLUMN_LEFT / 2, "", left_out);
            i += left_out;
            before = NULL;
        }
        const struct capture_line *line =
            i < CAPTURE_LINES_FIRST ? &ladder->first[i]
                                    : &ladder->last[(i - CAPTURE_LINES_FIRST) % CAPTURE_LINES_LAST];
        if (before != NULL && line->at_us - before->last_us >= SILENCE_US) {
            draw_silence(text, line->at_us - before->last_us, line->turn);
        }
        draw_line(text, line, ladder->first[0].at_us);
        before = line;
    }
}
