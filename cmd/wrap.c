/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/wrap.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* Where we are. */
struct wrap {
    struct text *text;
    unsigned indent;
    size_t column;
    bool is_begun; /* Words stand in this line. */
};

static size_t columns_of(const char *bytes, size_t len)
{
    size_t columns = 0;
    for (size_t i = 0; i < len; i++) {
        columns += ((unsigned char)bytes[i] & 0xc0u) != 0x80u;
    }
    return columns;
}

static void wrap_break(struct wrap *wrap)
{
    text_addf(wrap->text, "\n%*s", (int)wrap->indent, "");
    wrap->column = wrap->indent;
    wrap->is_begun = false;
}

static void wrap_word(struct wrap *wrap, const char *word, size_t len)
{
    size_t columns = columns_of(word, len);
    if (wrap->is_begun && wrap->column + 1 + columns > WRAP_WIDTH) {
        wrap_break(wrap);
    }
    if (wrap->is_begun) {
        text_add(wrap->text, " ");
        wrap->column++;
    }
    text_add_bytes(wrap->text, word, len);
    wrap->column += columns;
    wrap->is_begun = true;
}

void wrap_add(struct text *text, const char *words, unsigned column, unsigned indent)
{
    struct wrap wrap = {text, indent, column, false};
    while (*words != '\0') {
        size_t len = strcspn(words, " \n");
        if (len > 0) {
            wrap_word(&wrap, words, len);
        } else if (*words == '\n') {
            wrap_break(&wrap);
        }
        words += len > 0 ? len : 1;
    }
    text_add(text, "\n");
}
