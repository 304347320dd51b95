/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "conf/lexer.h"
#include "conf/schema.h"

struct text;

/*
 * One setting's value: from words to the field that the row names, and back to text. Main thread.
 * `base` is the struct of the row's section.
 */

/* False: reported, and the field is as it was. The kind GROUP is not read here. */
bool value_read(const struct schema_row *row, const struct lexer_statement *statement, void *base,
    struct findings *findings);

/* The shortest text that value_read() reads back to the same field; empty for an empty list. */
void value_write(const struct schema_row *row, const void *base, struct text *text);

/* "100ms to 30s", or nothing for a kind without a range. */
void value_write_range(const struct schema_row *row, struct text *text);

/* Room for the longest value: 16 servers with a TLS name each. */
#define VALUE_TEXT_SIZE 8192
