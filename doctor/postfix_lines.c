/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/postfix_private.h"

#include <string.h>

bool postfix_byte_is_blank(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

char *postfix_trim(char *text)
{
    while (postfix_byte_is_blank(*text)) {
        text++;
    }
    size_t len = strlen(text);
    while (len > 0 && postfix_byte_is_blank(text[len - 1])) {
        len--;
    }
    text[len] = '\0';
    return text;
}

bool postfix_split(char *text, const char **name_out, const char **value_out)
{
    text = postfix_trim(text);
    size_t name_len = 0;
    while (
        text[name_len] != '\0' && text[name_len] != '=' && !postfix_byte_is_blank(text[name_len])) {
        name_len++;
    }
    char *equals = text + name_len;
    while (postfix_byte_is_blank(*equals)) {
        equals++;
    }
    if (name_len == 0 || *equals != '=') {
        return false;
    }
    text[name_len] = '\0';
    *name_out = text;
    *value_out = postfix_trim(equals + 1);
    return true;
}

/* A NUL would hide the rest of its line from us but not from an editor. */
void postfix_lines_init(struct postfix_lines *lines, char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\0') {
            bytes[i] = ' ';
        }
    }
    *lines = (struct postfix_lines){.at = bytes, .end = bytes + len};
}

/* Without the blanks at its ends; *len_out 0: an empty line or a comment. */
static char *physical_next(struct postfix_lines *lines, size_t *len_out)
{
    char *start = lines->at;
    char *stop = memchr(start, '\n', (size_t)(lines->end - start));
    lines->at = stop != NULL ? stop + 1 : lines->end;
    lines->number++;
    if (stop == NULL) {
        stop = lines->end;
    }
    while (start < stop && postfix_byte_is_blank(*start)) {
        start++;
    }
    while (stop > start && postfix_byte_is_blank(stop[-1])) {
        stop--;
    }
    *len_out = start < stop && *start == '#' ? 0 : (size_t)(stop - start);
    return start;
}

/* Joins what goes on below; `to` never overtakes what is read, as a line end lies between. */
static void lines_join(struct postfix_lines *lines, char *to)
{
    while (lines->at < lines->end && (postfix_byte_is_blank(*lines->at) || *lines->at == '#')) {
        size_t len;
        const char *more = physical_next(lines, &len);
        if (len > 0) {
            *to++ = ' ';
            memmove(to, more, len);
            to += len;
        }
    }
    *to = '\0';
}

char *postfix_lines_next(struct postfix_lines *lines, unsigned *number_out)
{
    while (lines->at < lines->end) {
        size_t len;
        char *text = physical_next(lines, &len);
        if (len > 0) {
            *number_out = lines->number;
            lines_join(lines, text + len);
            return text;
        }
    }
    return NULL;
}
