/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/control_request.h"

#include <string.h>

#include "base/text.h"
#include "wire/name.h"
#include "wire/types.h"
#include "daemon/look_back.h"

#define WORDS_MAX 4
#define ROW_WORDS 3

#define EVENTS_MAX 255 /* More than any time line has. */

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
    ARGUMENT_TRACE, /* Which one, and from which event on. */
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
    {{"trace", "start", NULL}, CONTROL_TRACE_START, ARGUMENT_NAME_AND_TYPE, false},
    {{"trace", "look", NULL}, CONTROL_TRACE_LOOK, ARGUMENT_TRACE, false},
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

static bool request_set_trace(
    struct control_request *request, const struct word *words, const char **complaint_out)
{
    bool is_well = text_parse_u64(words[0].text, words[0].len, UINT64_MAX, &request->trace) &&
                   text_parse_u64(words[1].text, words[1].len, EVENTS_MAX, &request->from);
    if (!is_well) {
        *complaint_out = "these are no two numbers, of a trace and of an event";
    }
    return is_well;
}

static bool request_set_name_and_type(struct control_request *request, const struct word *words,
    size_t count, const char **complaint_out)
{
    if (!request_set_name(request, &words[0])) {
        *complaint_out = "this is not a domain name";
        return false;
    }
    if (count > 1 && !type_from_text(words[1].text, words[1].len, &request->type)) {
        *complaint_out = "no such type of record; try MX, or TYPE15";
        return false;
    }
    return true;
}

/* The words behind the command, of which there are as many as it wants. */
static bool request_take(struct control_request *request, enum argument argument,
    const struct word *words, size_t count, const char **complaint_out)
{
    switch (argument) {
    case ARGUMENT_NONE:
        return true;
    case ARGUMENT_NAME:
    case ARGUMENT_NAME_AND_TYPE:
        return request_set_name_and_type(request, words, count, complaint_out);
    case ARGUMENT_SECONDS:
        return request_set_seconds(request, words, complaint_out);
    case ARGUMENT_TRACE:
        return request_set_trace(request, words, complaint_out);
    }
    return false;
}

/* How many words each takes. */
static const struct {
    size_t least;
    size_t most;
    const char *complaint;
} arguments[] = {
    [ARGUMENT_NONE] = {0, 0, ""},
    [ARGUMENT_NAME] = {1, 1, "the command needs a name"},
    [ARGUMENT_NAME_AND_TYPE] = {1, 2, "the command needs a name"},
    [ARGUMENT_SECONDS] = {1, 1, "the command needs seconds"},
    [ARGUMENT_TRACE] = {2, 2, "the command needs the number of a trace and of an event"},
};

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
                         "lookup NAME [TYPE], trace start NAME [TYPE], trace look ID FROM, "
                         "upstreams, slow [failed] [names], flush name NAME, "
                         "flush under NAME, flush all, reload";
        return false;
    }
    request_out->command = row->command;
    request_out->wants_names = row->wants_names;
    size_t left = words.count - used;
    if (left < arguments[row->argument].least || left > arguments[row->argument].most) {
        *complaint_out = left > arguments[row->argument].most ? "too many words"
                                                              : arguments[row->argument].complaint;
        return false;
    }
    return request_take(request_out, row->argument, words.items + used, left, complaint_out);
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
    case CONTROL_TRACE_START:
    case CONTROL_TRACE_LOOK:
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
