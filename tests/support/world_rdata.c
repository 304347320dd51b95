/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/world_rdata.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/name.h"
#include "wire/types.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Resolves \DDD and \X at `from`; returns how many characters that took, 0 for a bad escape. */
static size_t escape_read(const char *from, char *byte_out)
{
    if (!is_digit(from[1])) {
        *byte_out = from[1];
        return from[1] == '\0' ? 0 : 2;
    }
    if (!is_digit(from[2]) || !is_digit(from[3])) {
        return 0;
    }
    int value = (from[1] - '0') * 100 + (from[2] - '0') * 10 + (from[3] - '0');
    *byte_out = (char)value;
    return value > 255 ? 0 : 4;
}

/* Reads a quoted string whose opening quote stands at *at. Bytes are moved down in place. */
static bool quoted_read(char **at, struct world_word *word_out)
{
    char *from = *at + 1;
    char *to = from;
    *word_out = (struct world_word){.bytes = from, .is_quoted = true};
    while (*from != '"') {
        size_t taken = 1;
        char byte = *from;
        if (byte == '\\') {
            taken = escape_read(from, &byte);
        }
        if (*from == '\0' || taken == 0) {
            return false;
        }
        *to++ = byte;
        from += taken;
    }
    word_out->len = (size_t)(to - word_out->bytes);
    *to = '\0';
    *at = from + 1;
    return true;
}

static void plain_read(char **at, struct world_word *word_out)
{
    char *from = *at;
    *word_out = (struct world_word){.bytes = from, .is_quoted = false};
    while (*from != '\0' && !is_blank(*from)) {
        from++;
    }
    word_out->len = (size_t)(from - word_out->bytes);
    *at = *from == '\0' ? from : from + 1;
    *from = '\0';
}

bool world_line_split(char *text, struct world_line *line_out)
{
    line_out->count = 0;
    char *at = text;
    while (true) {
        while (is_blank(*at)) {
            at++;
        }
        if (*at == '\0' || *at == '#') {
            return true;
        }
        if (line_out->count == WORLD_WORDS_MAX) {
            return false;
        }
        struct world_word *word = &line_out->words[line_out->count++];
        if (*at != '"') {
            plain_read(&at, word);
        } else if (!quoted_read(&at, word)) {
            return false;
        }
    }
}

static bool name_write(struct writer *writer, const struct world_word *word)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len = 0;
    if (!name_from_text(word->bytes, word->len, name, &len)) {
        return false;
    }
    writer_bytes(writer, name, len);
    return true;
}

static bool number_read(const struct world_word *word, uint64_t max, uint64_t *number_out)
{
    return text_parse_u64(word->bytes, word->len, max, number_out);
}

static bool address_write(struct writer *writer, int family, const struct world_word *word)
{
    uint8_t bytes[16];
    if (inet_pton(family, word->bytes, bytes) != 1) {
        return false;
    }
    writer_bytes(writer, bytes, family == AF_INET ? 4 : 16);
    return true;
}

static bool mx_write(struct writer *writer, const struct world_word words[2])
{
    uint64_t preference = 0;
    if (!number_read(&words[0], UINT16_MAX, &preference)) {
        return false;
    }
    writer_u16(writer, (uint16_t)preference);
    return name_write(writer, &words[1]);
}

static bool soa_write(struct writer *writer, const struct world_word words[7])
{
    if (!name_write(writer, &words[0]) || !name_write(writer, &words[1])) {
        return false;
    }
    for (size_t i = 2; i < 7; i++) {
        uint64_t number = 0;
        if (!number_read(&words[i], UINT32_MAX, &number)) {
            return false;
        }
        writer_u32(writer, (uint32_t)number);
    }
    return true;
}

/* A string of more than 255 bytes becomes several (RFC 1035 section 3.3). */
static void string_write(struct writer *writer, const struct world_word *word)
{
    size_t at = 0;
    do {
        size_t len = word->len - at < 255 ? word->len - at : 255;
        writer_u8(writer, (uint8_t)len);
        writer_bytes(writer, (const uint8_t *)word->bytes + at, len);
        at += len;
    } while (at < word->len);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c | 0x20);
    return at == NULL ? -1 : (int)(at - digits);
}

static bool hex_write(struct writer *writer, const struct world_word *word)
{
    for (size_t i = 0; i < word->len; i += 2) {
        int high = hex_digit(word->bytes[i]);
        int low = hex_digit(word->bytes[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        writer_u8(writer, (uint8_t)(high << 4 | low));
    }
    return word->len > 0;
}

static bool tlsa_write(struct writer *writer, const struct world_word words[4])
{
    for (size_t i = 0; i < 3; i++) {
        uint64_t number = 0;
        if (!number_read(&words[i], UINT8_MAX, &number)) {
            return false;
        }
        writer_u8(writer, (uint8_t)number);
    }
    return hex_write(writer, &words[3]);
}

static bool fixed_write(
    struct writer *writer, uint16_t type, const struct world_word *words, size_t count)
{
    switch (type) {
    case TYPE_A:
        return count == 1 && address_write(writer, AF_INET, words);
    case TYPE_AAAA:
        return count == 1 && address_write(writer, AF_INET6, words);
    case TYPE_NS:
    case TYPE_PTR:
    case TYPE_CNAME:
        return count == 1 && name_write(writer, words);
    case TYPE_MX:
        return count == 2 && mx_write(writer, words);
    case TYPE_SOA:
        return count == 7 && soa_write(writer, words);
    case TYPE_TLSA:
        return count == 4 && tlsa_write(writer, words);
    }
    return false;
}

bool world_rdata_write(
    struct writer *writer, uint16_t type, const struct world_line *line, size_t first)
{
    if (line->count <= first) {
        return false;
    }
    if (type != TYPE_TXT) {
        return fixed_write(writer, type, line->words + first, line->count - first) &&
               !writer->is_cut;
    }
    for (size_t i = first; i < line->count; i++) {
        string_write(writer, &line->words[i]);
    }
    return !writer->is_cut;
}
