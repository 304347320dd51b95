/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/wrap.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

void wrap_add(struct text *text, const char *words, unsigned column, unsigned indent)
{
    size_t at = column;
    size_t begin = column; /* Of what stands in this line. */
    for (const char *word = words + strspn(words, " "); *word != '\0';) {
        size_t len = strcspn(word, " ");
        size_t blank = at > begin ? 1 : 0;
        if (blank > 0 && at + blank + len > WRAP_WIDTH) {
            text_addf(text, "\n%*s", (int)indent, "");
            at = indent;
            begin = indent;
            blank = 0;
        }
        text_add(text, blank > 0 ? " " : "");
        text_add_bytes(text, word, len);
        at += blank + len;
        word += len;
        word += strspn(word, " ");
    }
    text_add(text, "\n");
}
