/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control_request.h"

#include <string.h>

#include "base/text.h"
#include "wire/name.h"
#include "wire/types.h"
#include "daemon/look_back.h"

#define WORDS_MAX 4
#define ROW_WORDS 3

struct word {
    const char *text;
    size_t len;
};

struct words {
    struct word items[WORDS_MAX];
    size_t count;
};

enum argument {
    ARGUMENT_NONE,
    ARGUMENT_NAME,
    ARGUMENT_NAME_AND_TYPE, /* The type may be left out: A. */
    ARGUMENT_SECONDS,
};

struct row {
    const char *words[ROW_WORDS]; /* Up to the first NULL. */
    enum control_command command;
    enum argument argument;
    bool wants_names;
};

static const struct row rows[] = {
    {{"ping", NULL}, CONTROL_PING, ARGUMENT_NONE, false},
    {{"stats", "since"}, CONTROL_STATS, ARGUMENT_SECONDS, false},
    {{"stats", NULL}, CONTROL_STATS, ARGUMENT_NONE, false},
    {{"lookup", NULL}, CONTROL_LOOKUP, ARGUMENT_NAME_AND_TYPE, false},
    {{"upstreams", NULL}, CONTROL_UPSTREAMS, ARGUMENT_NONE, false},
    {{"slow", "failed", "names"}, CONTROL_SLOW_FAILED, ARGUMENT_NONE, true},
    {{"slow", "failed", NULL}, CONTROL_SLOW_FAILED, ARGUMENT_NONE, false},
    {{"slow", "names", NULL}, CONTROL_SLOW, ARGUMENT_NONE, true},
    {{"slow", NULL}, CONTROL_SLOW, ARGUMENT_NONE, false},
    {{"flush", "name"}, CONTROL_FLUSH_NAME, ARGUMENT_NAME, false},
    {{"flush", "under"}, CONTROL_FLUSH_UNDER, ARGUMENT_NAME, false},
    {{"flush", "all"}, CONTROL_FLUSH_ALL, ARGUMENT_NONE, false},
    {{"reload", NULL}, CONTROL_RELOAD, ARGUMENT_NONE, false},
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* False: more words than any command has. */
static bool words_split(const char *line, size_t len, struct words *words)
{
    size_t at = 0;
    words->count = 0;
    while (at < len) {
        size_t start = at;
        while (at < len && !is_blank(line[at])) {
            at++;
        }
        if (at > start) {
            if (words->count == WORDS_MAX) {
                return false;
            }
            words->items[words->count++] = (struct word){.text = line + start, .len = at - start};
        }
        while (at < len && is_blank(line[at])) {
            at++;
        }
    }
    return true;
}

static bool word_is(const struct words *words, size_t index, const char *text)
{
    return index < words->count && words->items[index].len == strlen(text) &&
           memcmp(words->items[index].text, text, words->items[index].len) == 0;
}

/* How many words the row takes; 0: the line is none of its kind. */
static size_t row_match(const struct row *row, const struct words *words)
{
    size_t used = 0;
    while (used < ROW_WORDS && row->words[used] != NULL) {
        if (!word_is(words, used, row->words[used])) {
            return 0;
        }
        used++;
    }
    return used;
}

/* The row and how many words it took. */
static const struct row *row_find(const struct words *words, size_t *used_out)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        *used_out = row_match(&rows[i], words);
        if (*used_out > 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool request_set_name(struct control_request *request, const struct word *word)
{
    if (!name_from_text(word->text, word->len, request->name, &request->name_len)) {
        return false;
    }
    name_to_lower(request->name, request->name_len);
    return true;
}

static bool request_set_seconds(
    struct control_request *request, const struct word *word, const char **complaint_out)
{
    bool is_well = text_parse_u64(word->text, word->len, LOOK_BACK_S_MAX, &request->since_s) &&
                   request->since_s > 0;
    if (!is_well) {
        *complaint_out = "this is no number of seconds from 1 to 86400";
    }
    return is_well;
}

bool control_request_parse(
    const char *line, size_t len, struct control_request *request_out, const char **complaint_out)
{
    struct words words;
    size_t used;
    *request_out = (struct control_request){.type = TYPE_A};
    if (!words_split(line, len, &words)) {
        *complaint_out = "too many words";
        return false;
    }
    const struct row *row = row_find(&words, &used);
    if (row == NULL) {
        *complaint_out = "no such command; there are: ping, stats, stats since SECONDS, "
                         "lookup NAME [TYPE], upstreams, slow [failed] [names], flush name NAME, "
                         "flush under NAME, flush all, reload";
        return false;
    }
    request_out->command = row->command;
    request_out->wants_names = row->wants_names;
    size_t left = words.count - used;
    size_t least = row->argument == ARGUMENT_NONE ? 0 : 1;
    size_t most = row->argument == ARGUMENT_NAME_AND_TYPE ? 2 : least;
    if (left < least || left > most) {
        *complaint_out = left > most                         ? "too many words"
                         : row->argument == ARGUMENT_SECONDS ? "the command needs seconds"
                                                             : "the command needs a name";
        return false;
    }
    if (row->argument == ARGUMENT_SECONDS) {
        return request_set_seconds(request_out, &words.items[used], complaint_out);
    }
    if (left > 0 && !request_set_name(request_out, &words.items[used])) {
        *complaint_out = "this is not a domain name";
        return false;
    }
    if (left > 1 && !type_from_text(words.items[used + 1].text, words.items[used + 1].len,
                        &request_out->type)) {
        *complaint_out = "no such type of record; try MX, or TYPE15";
        return false;
    }
    return true;
}

bool control_request_is_personal(const struct control_request *request)
{
    return request->wants_names;
}

bool control_request_is_write(const struct control_request *request)
{
    switch (request->command) {
    case CONTROL_PING:
    case CONTROL_STATS:
    case CONTROL_LOOKUP:
    case CONTROL_UPSTREAMS:
    case CONTROL_SLOW:
    case CONTROL_SLOW_FAILED:
        return false;
    case CONTROL_FLUSH_NAME:
    case CONTROL_FLUSH_UNDER:
    case CONTROL_FLUSH_ALL:
    case CONTROL_RELOAD:
        return true;
    }
    return true;
}
