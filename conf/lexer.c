/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/lexer.h"

#include <stdint.h>
#include <string.h>

/* One physical line without its line end. */
struct lexer_line {
    const char *start;
    const char *end;
    unsigned number;
    bool is_bad; /* Reported already; nothing of it is used. */
};

void lexer_init(struct lexer *lexer, const char *file, unsigned line, struct findings *findings)
{
    *lexer = (struct lexer){.file = file, .line = line, .findings = findings};
}

void lexer_feed(struct lexer *lexer, const char *bytes, size_t len)
{
    lexer->at = bytes;
    lexer->end = bytes + len;
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        lexer->at += 3;
    }
}

bool lexer_word_is(const struct lexer_word *word, const char *string)
{
    return word->len == strlen(string) && memcmp(word->bytes, string, word->len) == 0;
}

static bool lexer_is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool lexer_is_separator(char byte)
{
    return lexer_is_blank(byte) || byte == ',';
}

static bool lexer_is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

static struct finding_place lexer_place(
    const struct lexer *lexer, const struct lexer_line *line, const char *at)
{
    return (struct finding_place){
        .file = lexer->file,
        .line = line->number,
        .column = (unsigned)(at - line->start) + 1,
    };
}

static void lexer_complain(
    struct lexer *lexer, const struct lexer_line *line, const char *at, const char *sentence)
{
    struct finding_place place = lexer_place(lexer, line, at);
    finding_add(lexer->findings, FINDING_ERROR, &place, "%s", sentence);
}

/* One finding a line is enough: a binary file would otherwise bury all the others. */
static bool lexer_line_is_clean(struct lexer *lexer, const struct lexer_line *line)
{
    if (line->end - line->start > LEXER_LINE_MAX) {
        lexer_complain(lexer, line, line->start,
            "this line is longer than 64 KiB: break it up, a line that starts with a blank "
            "continues the one above");
        return false;
    }
    for (const char *at = line->start; at < line->end; at++) {
        uint8_t byte = (uint8_t)*at;
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            struct finding_place place = lexer_place(lexer, line, at);
            finding_add(lexer->findings, FINDING_ERROR, &place,
                "a control byte (0x%02x) stands here: is this a text file? Take it out",
                (unsigned)byte);
            return false;
        }
    }
    return true;
}

/* False at the end of the bytes. */
static bool lexer_take_line(struct lexer *lexer, struct lexer_line *line_out)
{
    if (lexer->at == lexer->end) {
        return false;
    }
    size_t left = (size_t)(lexer->end - lexer->at);
    const char *newline = memchr(lexer->at, '\n', left);
    line_out->start = lexer->at;
    line_out->end = newline == NULL ? lexer->end : newline;
    line_out->number = lexer->line++;
    lexer->at = newline == NULL ? lexer->end : newline + 1;
    if (line_out->end > line_out->start && line_out->end[-1] == '\r') {
        line_out->end--;
    }
    line_out->is_bad = !lexer_line_is_clean(lexer, line_out);
    return true;
}

static const char *lexer_skip_blanks(const char *at, const char *end)
{
    while (at < end && lexer_is_blank(*at)) {
        at++;
    }
    return at;
}

/* Nothing but blanks or a comment from `at` on. */
static bool lexer_is_empty(const char *at, const char *end)
{
    at = lexer_skip_blanks(at, end);
    return at == end || *at == '#';
}

/* Adds the words from `at` to `end`, up to a comment. False when there are too many. */
static bool lexer_add_words(struct lexer *lexer, const struct lexer_line *line,
    struct lexer_statement *statement, const char *at, const char *end)
{
    while (true) {
        while (at < end && lexer_is_separator(*at)) {
            at++;
        }
        if (at == end || *at == '#') {
            return true;
        }
        if (statement->word_count == LEXER_WORDS_MAX) {
            lexer_complain(lexer, line, at, "more than 256 words in one value: nothing needs that");
            return false;
        }
        struct lexer_word *word = &statement->words[statement->word_count++];
        word->bytes = at;
        word->place = lexer_place(lexer, line, at);
        while (at < end && !lexer_is_separator(*at)) {
            at++;
        }
        word->len = (size_t)(at - word->bytes);
    }
}

/* A continuation that reads like a setting or a section is an indented one: in this syntax it would
 * silently become part of the value above. */
static bool lexer_looks_like_head(const struct lexer_line *line)
{
    const char *at = lexer_skip_blanks(line->start, line->end);
    if (at < line->end && *at == '[') {
        return true;
    }
    const char *name = at;
    while (at < line->end && lexer_is_name_byte(*at)) {
        at++;
    }
    const char *behind = lexer_skip_blanks(at, line->end);
    return at > name && behind < line->end && *behind == '=';
}

static bool lexer_read_section(
    struct lexer *lexer, const struct lexer_line *line, struct lexer_statement *statement)
{
    const char *start = line->start + 1;
    const char *close = memchr(start, ']', (size_t)(line->end - start));
    if (close == NULL) {
        lexer_complain(lexer, line, line->end, "the section's closing ] is missing");
        return false;
    }
    if (!lexer_is_empty(close + 1, line->end)) {
        lexer_complain(lexer, line, lexer_skip_blanks(close + 1, line->end),
            "something stands behind the section's ]: put it on a line of its own");
        return false;
    }
    if (!lexer_add_words(lexer, line, statement, start, close)) {
        return false;
    }
    if (statement->word_count == 0) {
        lexer_complain(lexer, line, line->start,
            "an empty section: there are [upstream NAME], [zone NAME] and [list ZONE]");
        return false;
    }
    statement->kind = LEXER_SECTION;
    statement->name = statement->words[0];
    statement->word_count--;
    memmove(&statement->words[0], &statement->words[1],
        statement->word_count * sizeof statement->words[0]);
    statement->value_place = statement->words[0].place;
    if (statement->word_count == 0) {
        statement->value_place = lexer_place(lexer, line, close);
    }
    return true;
}

/* The first line of a setting or an include. */
static bool lexer_read_setting(
    struct lexer *lexer, const struct lexer_line *line, struct lexer_statement *statement)
{
    const char *at = line->start;
    while (at < line->end && lexer_is_name_byte(*at)) {
        at++;
    }
    statement->name.bytes = line->start;
    statement->name.len = (size_t)(at - line->start);
    statement->name.place = lexer_place(lexer, line, line->start);
    const char *behind = lexer_skip_blanks(at, line->end);
    bool has_equals = behind < line->end && *behind == '=';
    if (statement->name.len == 0) {
        lexer_complain(lexer, line, line->start,
            "expected NAME = VALUE, [section] or include FILE; a comment starts with #");
        return false;
    }
    bool is_word = behind > at || behind == line->end;
    if (!has_equals && is_word && lexer_word_is(&statement->name, "include")) {
        statement->kind = LEXER_INCLUDE;
    } else if (!has_equals) {
        bool is_ascii = behind == line->end || (uint8_t)*behind < 0x80;
        lexer_complain(lexer, line, behind,
            is_ascii ? "expected = behind the name: write NAME = VALUE"
                     : "a letter outside ASCII, or a blank that is none, stands here: type the "
                       "line anew if it was copied");
        return false;
    } else {
        statement->kind = LEXER_SETTING;
        behind = lexer_skip_blanks(behind + 1, line->end);
    }
    statement->value_place = lexer_place(lexer, line, behind);
    return lexer_add_words(lexer, line, statement, behind, line->end);
}

/* Does the next line belong to the setting above? Comments and empty lines do not end it. */
static bool lexer_continues(const struct lexer *lexer)
{
    return lexer->at < lexer->end && memchr(" \t#\r\n", *lexer->at, 5) != NULL;
}

/* Takes the continuation lines. False: one of them was reported. */
static bool lexer_read_continuation(struct lexer *lexer, struct lexer_statement *statement)
{
    bool is_well = true;
    while (lexer_continues(lexer)) {
        struct lexer_line line;
        lexer_take_line(lexer, &line);
        if (line.is_bad) {
            is_well = is_well && !lexer_is_blank(*line.start);
            continue;
        }
        if (lexer_is_empty(line.start, line.end)) {
            continue;
        }
        if (lexer_looks_like_head(&line)) {
            lexer_complain(lexer, &line, lexer_skip_blanks(line.start, line.end),
                "this line starts with a blank and so continues the one above: to make it a "
                "setting or section of its own, start it in the first column");
            is_well = false;
        } else if (is_well) {
            is_well = lexer_add_words(lexer, &line, statement, line.start, line.end);
        }
    }
    return is_well;
}

/* The statement that starts on this line. False: reported, and its continuation skipped. */
static bool lexer_read_statement(
    struct lexer *lexer, const struct lexer_line *line, struct lexer_statement *statement)
{
    statement->word_count = 0;
    if (*line->start == '[') {
        if (line->is_bad || !lexer_read_section(lexer, line, statement)) {
            statement->kind = LEXER_SECTION;
            statement->name = (struct lexer_word){.place = lexer_place(lexer, line, line->start)};
        }
        return true;
    }
    bool is_head_well = !line->is_bad && lexer_read_setting(lexer, line, statement);
    bool is_rest_well = lexer_read_continuation(lexer, statement);
    return is_head_well && is_rest_well;
}

enum lexer_kind lexer_next(struct lexer *lexer, struct lexer_statement *statement_out)
{
    struct lexer_line line;
    while (lexer_take_line(lexer, &line)) {
        if (!line.is_bad && lexer_is_empty(line.start, line.end)) {
            continue;
        }
        if (!line.is_bad && lexer_is_blank(*line.start)) {
            lexer_complain(lexer, &line, lexer_skip_blanks(line.start, line.end),
                "this line starts with a blank, but there is no setting above that it could "
                "continue: start it in the first column");
            continue;
        }
        if (lexer_read_statement(lexer, &line, statement_out)) {
            return statement_out->kind;
        }
    }
    statement_out->kind = LEXER_END;
    return LEXER_END;
}
