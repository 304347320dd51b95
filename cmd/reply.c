/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define REPLY_SIZE_FIRST ((size_t)16 << 10)

static const char reply_end[] = "\n.\n";
#define REPLY_END_LEN (sizeof reply_end - 1)

void reply_fini(struct reply *reply)
{
    free(reply->bytes);
    *reply = (struct reply){.bytes = NULL};
}

/* Room for `len` more bytes and a NUL. */
static bool reply_grow(struct reply *reply, size_t len)
{
    size_t size = reply->size > 0 ? reply->size : REPLY_SIZE_FIRST;
    while (size - reply->len <= len) {
        size *= 2;
    }
    if (size == reply->size) {
        return true;
    }
    char *bytes = realloc(reply->bytes, size);
    if (bytes == NULL) {
        return false;
    }
    reply->bytes = bytes;
    reply->size = size;
    return true;
}

bool reply_add(struct reply *reply, const char *bytes, size_t len)
{
    if (len > REPLY_SIZE_MAX - reply->len || !reply_grow(reply, len)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool is_printable = (bytes[i] >= ' ' && bytes[i] <= '~') || bytes[i] == '\n';
        reply->bytes[reply->len++] = is_printable ? bytes[i] : '?';
    }
    reply->bytes[reply->len] = '\0';
    return true;
}

bool reply_is_whole(const struct reply *reply)
{
    return reply->len >= REPLY_END_LEN &&
           memcmp(reply->bytes + reply->len - REPLY_END_LEN, reply_end, REPLY_END_LEN) == 0;
}

char *reply_next(struct reply *reply)
{
    if (reply->at >= reply->len) {
        return NULL;
    }
    char *line = reply->bytes + reply->at;
    char *end = memchr(line, '\n', reply->len - reply->at);
    if (end == NULL || (end - line == 1 && line[0] == '.')) {
        reply->at = reply->len;
        return NULL;
    }
    *end = '\0';
    reply->at += (size_t)(end - line) + 1;
    return line;
}

bool reply_open(struct reply *reply)
{
    static const char error[] = "error ";
    const char *line = reply_next(reply);
    reply->sentence = "";
    if (line == NULL) {
        return false;
    }
    if (strncmp(line, error, sizeof error - 1) == 0) {
        reply->is_refused = true;
        reply->sentence = line + sizeof error - 1;
        return true;
    }
    return strcmp(line, "ok") == 0;
}

size_t reply_words(char *line, char *words_out[], size_t max)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(line, " ", &rest); word != NULL && count < max;
         word = strtok_r(NULL, " ", &rest)) {
        words_out[count++] = word;
    }
    return count;
}

bool reply_number(const char *word, uint64_t max, uint64_t *number_out)
{
    return text_parse_u64(word, strlen(word), max, number_out);
}

bool reply_word_copy(const char *word, char *out, size_t size)
{
    size_t len = strlen(word);
    if (len >= size) {
        return false;
    }
    memcpy(out, word, len + 1);
    return true;
}
