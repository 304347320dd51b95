/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>

#include "conf/parse.h"

/*
 * What the operator erred in, with its place. The floor's readers add findings; `struct findings`
 * (conf/parse.h) belongs to the caller of settings_load(). Nothing from a file enters a sentence
 * unquoted, so a hostile file cannot write to a terminal. Main thread.
 */

/* Where something stands. `file` is borrowed: it lives as long as the load. Line 0: no line. */
struct finding_place {
    const char *file;
    unsigned line;
    unsigned column;
};

__attribute__((format(printf, 4, 5))) void finding_add(struct findings *findings,
    enum finding_level level, const struct finding_place *place, const char *format, ...);

/* Bytes of a file, printable and short: what is not ASCII becomes \xNN, the rest is cut with "...".
 * Room for 60 bytes in their longest form. */
#define FINDING_QUOTE_BYTES 60
struct finding_quote {
    char text[FINDING_QUOTE_BYTES * 4 + 4];
};

/* Fills `quote_out` and returns its text, to be used inside a call of finding_add(). */
const char *finding_quote(const char *bytes, size_t len, struct finding_quote *quote_out);
