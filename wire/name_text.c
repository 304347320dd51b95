/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/name.h"

#include <string.h>

#define NAME_TEXT_LABEL_MAX 63

/* The text under construction; what does not fit is dropped and remembered. */
struct name_text {
    char *data;
    size_t size;
    size_t len;
    bool is_cut;
};

static void name_text_add(struct name_text *text, const char *piece, size_t len)
{
    if (text->is_cut || text->size - text->len <= len) {
        text->is_cut = true;
        return;
    }
    memcpy(text->data + text->len, piece, len);
    text->len += len;
}

/* A blank is escaped too, so that a name is one word in a log line. */
static void name_text_add_byte(struct name_text *text, uint8_t byte)
{
    char piece[4] = {'\\', (char)byte, 0, 0};
    if (byte == '.' || byte == '\\') {
        name_text_add(text, piece, 2);
    } else if (byte > ' ' && byte < 0x7f) {
        name_text_add(text, piece + 1, 1);
    } else {
        piece[1] = (char)('0' + byte / 100);
        piece[2] = (char)('0' + byte / 10 % 10);
        piece[3] = (char)('0' + byte % 10);
        name_text_add(text, piece, 4);
    }
}

size_t name_to_text(const uint8_t *name, size_t len, char *text_out, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct name_text text = {.data = text_out, .size = size};
    if (len <= 1) {
        name_text_add(&text, ".", 1);
    }
    for (size_t at = 0; at < len && name[at] != 0; at += (size_t)name[at] + 1) {
        for (size_t i = 1; i <= name[at]; i++) {
            name_text_add_byte(&text, name[at + i]);
        }
        name_text_add(&text, ".", 1);
    }
    if (text.is_cut) {
        size_t dots = size > 3 ? 3 : size - 1;
        size_t dots_at = text.len < size - 1 - dots ? text.len : size - 1 - dots;
        memcpy(text_out + dots_at, "...", dots);
        text.len = dots_at + dots;
    }
    text_out[text.len] = '\0';
    return text.len;
}

/* Reads one character, with its escape, from text[*at_inout]. */
static bool name_text_read_byte(
    const char *text, size_t text_len, size_t *at_inout, uint8_t *byte_out)
{
    size_t at = *at_inout;
    if (text[at] != '\\') {
        *byte_out = (uint8_t)text[at];
        *at_inout = at + 1;
        return true;
    }
    at++;
    if (at >= text_len) {
        return false;
    }
    if (text[at] < '0' || text[at] > '9') {
        *byte_out = (uint8_t)text[at];
        *at_inout = at + 1;
        return true;
    }
    unsigned value = 0;
    for (size_t end = at + 3; at < end; at++) {
        if (at >= text_len || text[at] < '0' || text[at] > '9') {
            return false;
        }
        value = value * 10 + (unsigned)(text[at] - '0');
    }
    *byte_out = (uint8_t)value;
    *at_inout = at;
    return value <= UINT8_MAX;
}

/* Reads a label up to an unescaped dot (stepped over) or the end. */
static bool name_text_read_label(
    const char *text, size_t text_len, size_t *at_inout, uint8_t label_out[NAME_TEXT_LABEL_MAX + 1])
{
    uint8_t count = 0;
    while (*at_inout < text_len && text[*at_inout] != '.') {
        uint8_t byte;
        if (count == NAME_TEXT_LABEL_MAX || !name_text_read_byte(text, text_len, at_inout, &byte)) {
            return false;
        }
        label_out[++count] = byte;
    }
    *at_inout += *at_inout < text_len ? 1 : 0;
    label_out[0] = count;
    return count > 0;
}

bool name_from_text(
    const char *text, size_t text_len, uint8_t name_out[NAME_SIZE_MAX], size_t *len_out)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    size_t at = text_len == 1 && text[0] == '.' ? 1 : 0;
    if (text_len == 0) {
        return false;
    }
    while (at < text_len) {
        uint8_t label[NAME_TEXT_LABEL_MAX + 1];
        if (!name_text_read_label(text, text_len, &at, label)) {
            return false;
        }
        size_t count = (size_t)label[0] + 1;
        if (count > NAME_SIZE_MAX - 1 - len) {
            return false;
        }
        memcpy(name + len, label, count);
        len += count;
    }
    name[len++] = 0;
    memcpy(name_out, name, len);
    *len_out = len;
    return true;
}
