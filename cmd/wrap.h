/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

/*
 * Prose on a screen of WRAP_WIDTH columns. Pure; any thread.
 */
#define WRAP_WIDTH 80

struct text;

/* Adds `words` (UTF-8, a column a character) and a newline, where `column` columns of the line are
 * taken; lines that follow begin with `indent` blanks. A line end among the words stays one. A word
 * that is too long for any line is not cut. */
void wrap_add(struct text *text, const char *words, unsigned column, unsigned indent);
