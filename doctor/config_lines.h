/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Small configuration files of many programs, which are alike in being made of lines: a key, then
 * `=`, `:` or blanks, then a value, in quotes or not, behind # or ; a comment. Not a parser of any
 * of these formats; enough to find one setting. Any bytes are safe: lines longer than
 * CONFIG_LINE_MAX are cut, a NUL ends the file. Pure but for config_value(). Main thread.
 */
struct host;

#define CONFIG_LINE_MAX 4096

struct config_lines {
    const char *at;             /* The rest. */
    unsigned number;            /* Of the line, from 1. */
    char line[CONFIG_LINE_MAX]; /* Blanks at both ends left out. */
};

void config_lines_init(struct config_lines *lines, const char *bytes);

/* The next line that is neither empty nor a comment as a whole. False: the end. */
bool config_lines_next(struct config_lines *lines);

/* Is the line `key`, of any case, and one of `separators` (blanks around it do not matter; a blank
 * among them: blanks alone will do)? The value without quotes, and without a comment behind it. */
bool config_line_value(
    const char *line, const char *key, const char *separators, char *value_out, size_t size);

/* Where to look. */
struct config_place {
    const char *path;       /* A file; or, with an ending, a folder of files. */
    const char *ending;     /* NULL: a file. */
    const char *separators; /* " ", "=", ":", or several. */
    const char *section;    /* In which it counts, without []; NULL: there are no sections. */
};

#define CONFIG_PATH_SIZE 1024

struct config_found {
    char value[CONFIG_LINE_MAX];
    char path[CONFIG_PATH_SIZE]; /* The file. */
    unsigned line;
};

/* The last line with that key in these places, the last place winning. False: there is none. */
bool config_value(const struct host *host, const struct config_place *places, size_t place_count,
    const char *key, struct config_found *found_out);
