/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What the files of the reader of Postfix's configuration share: logical lines, the two parsers,
 * and how a value is found and expanded. Main thread.
 */
struct postfix_instance;
struct postfix_service;

/* Logical lines: a line that starts with a blank goes on with the one above; empty lines and
 * comments do not count, not even within a continued line. Lines are joined in place. */
struct postfix_lines {
    char *at;
    char *end; /* A NUL stands here. */
    unsigned number;
};

void postfix_lines_init(struct postfix_lines *lines, char *bytes, size_t len);

/* The next one without blanks at its ends, and the number of its first line; NULL: the end. */
char *postfix_lines_next(struct postfix_lines *lines, unsigned *number_out);

bool postfix_byte_is_blank(char byte);

/* Cuts blanks off both ends, in place. */
char *postfix_trim(char *text);

/* "name = value" in place. False: that is not what it is. */
bool postfix_split(char *text, const char **name_out, const char **value_out);

/* Of instance->main_bytes and master_bytes, which they cut into pieces. */
void postfix_main_parse(struct postfix_instance *instance, size_t len);
void postfix_master_parse(struct postfix_instance *instance, size_t len);

/* The value as written: -o options of the service, main.cf, defaults. NULL: there is none. */
const char *postfix_lookup(const struct postfix_instance *instance,
    const struct postfix_service *service, const char *name, size_t name_len);

/* Expands `raw` into `out`; returns the length. NUL-terminated, cut at size - 1. */
size_t postfix_expand(const struct postfix_instance *instance,
    const struct postfix_service *service, const char *raw, char *out, size_t size);

/* 3.6 or 3.6.1 as POSTFIX_LEVEL(); 0: no level. */
unsigned long postfix_level(const char *text, size_t len);
