/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/lookup_trace.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "wire/types.h"
#include "cmd/client.h"
#include "cmd/event_view.h"
#include "cmd/lookup_cached.h"
#include "cmd/lookup_hide.h"
#include "cmd/name_argument.h"
#include "cmd/wrap.h"

#define OUTPUT_SIZE   ((size_t)1 << 20)
#define COMMAND_SIZE  (NAME_ARGUMENT_TEXT_SIZE + TYPE_TEXT_SIZE + 16)
#define MOMENT_COLUMN 12
#define WORDS_MAX     EVENT_VIEW_WORDS

/* How it ended: over WAITED_US JOINED_US OUTCOME RCODE EDE */
#define OVER_WORDS 6

struct trace {
    struct client_place place;
    struct lookup_hide hide;
    uint64_t id;
    uint64_t seen;     /* Events. */
    uint64_t left_out; /* Of them there was no room in the daemon. */
    bool is_over;
    struct text output;
    char output_data[OUTPUT_SIZE];
};

static bool trace_print(struct trace *trace)
{
    struct text *output = &trace->output;
    bool is_written =
        fwrite(output->data, 1, output->len, stdout) == output->len && fflush(stdout) == 0;
    text_init(output, trace->output_data, sizeof trace->output_data);
    return is_written;
}

static void add_moment(struct trace *trace, uint64_t at_us, const char *words)
{
    char when[16];
    struct text text;
    text_init(&text, when, sizeof when);
    text_add_latency(&text, at_us);
    text_addf(&trace->output, "%*s  ", MOMENT_COLUMN - 2, at_us == 0 ? "0ms" : when);
    wrap_add(&trace->output, words, MOMENT_COLUMN, MOMENT_COLUMN);
}

static bool take_event(struct trace *trace, char *const words[], size_t count)
{
    struct event_view event;
    char phrase[EVENT_VIEW_TEXT_SIZE];
    struct text text;
    if (!event_view_read(words, count, &event)) {
        return false;
    }
    text_init(&text, phrase, sizeof phrase);
    event_view_add(&text, &event);
    add_moment(trace, event.at_us, phrase);
    trace->seen++;
    return true;
}

static bool take_over(struct trace *trace, char *const words[], size_t count)
{
    uint64_t waited_us;
    uint64_t joined_us;
    char phrase[128];
    if (count < OVER_WORDS || !reply_number(words[1], INT64_MAX / 2, &waited_us) ||
        !reply_number(words[2], INT64_MAX / 2, &joined_us)) {
        return false;
    }
    bool is_local = strcmp(words[3], "local") == 0;
    bool is_stale = strcmp(words[3], "stale") == 0;
    if (trace->left_out > 0) {
        text_addf(&trace->output, "%*sand %" PRIu64 " more that found no room\n", MOMENT_COLUMN, "",
            trace->left_out);
    }
    (void)snprintf(phrase, sizeof phrase, "the answer is %.16s%s%s", words[4],
        is_local   ? ", made in the house: nobody is asked for such names"
        : is_stale ? ", an expired one, for there is no other"
                   : "",
        joined_us > 0 ? "; the same question was under way already" : "");
    add_moment(trace, joined_us + waited_us, phrase);
    trace->is_over = true;
    return true;
}

/* What is not known is passed over. */
static bool take_words(struct trace *trace, char *words[], size_t count)
{
    if (strcmp(words[0], "list") == 0) {
        return lookup_hide_read(&trace->hide, words, count);
    }
    if (strcmp(words[0], "trace") == 0) {
        return count > 1 && reply_number(words[1], UINT64_MAX, &trace->id);
    }
    if (strcmp(words[0], "event") == 0) {
        return take_event(trace, words, count);
    }
    if (strcmp(words[0], "left-out") == 0) {
        return count > 1 && reply_number(words[1], UINT32_MAX, &trace->left_out);
    }
    if (strcmp(words[0], "over") == 0) {
        return take_over(trace, words, count);
    }
    if (strcmp(words[0], "message") == 0) {
        return count > 1 && lookup_cached_add_message(&trace->output, &trace->hide, words[1], 0);
    }
    return true;
}

static bool take_line(struct trace *trace, char *line)
{
    static const char reason[] = "reason ";
    char *words[WORDS_MAX];
    if (strncmp(line, reason, sizeof reason - 1) == 0) {
        text_addf(&trace->output, "%*s", MOMENT_COLUMN, "");
        wrap_add(&trace->output, line + sizeof reason - 1, MOMENT_COLUMN, MOMENT_COLUMN);
        return true;
    }
    size_t count = reply_words(line, words, WORDS_MAX);
    return count == 0 || take_words(trace, words, count);
}

/* One conversation with the daemon, printed. */
static int trace_ask(struct trace *trace, const char *command)
{
    struct reply reply;
    int exit_code = client_run(&trace->place, command, &reply);
    for (char *line = NULL; exit_code == EX_OK && (line = reply_next(&reply)) != NULL;) {
        exit_code = take_line(trace, line) ? EX_OK : client_complain_reply("lookup");
    }
    reply_fini(&reply);
    if (!trace_print(trace) && exit_code == EX_OK) {
        exit_code = EX_IOERR;
    }
    return exit_code;
}

static int trace_follow(struct trace *trace)
{
    const struct timespec pause = {.tv_nsec = LOOKUP_TRACE_LOOK_MS * 1000 * 1000};
    const int64_t ends_at = clock_now() + LOOKUP_TRACE_LIMIT_S * CLOCK_US_PER_S;
    char command[64];
    for (;;) {
        (void)snprintf(
            command, sizeof command, "trace look %" PRIu64 " %" PRIu64, trace->id, trace->seen);
        int exit_code = trace_ask(trace, command);
        if (exit_code != EX_OK || trace->is_over) {
            return exit_code;
        }
        if (clock_now() >= ends_at) {
            (void)fputs("mxcache lookup: the daemon finds no end with this question.\n", stderr);
            return EX_UNAVAILABLE;
        }
        (void)nanosleep(&pause, NULL);
    }
}

static int trace_run(struct trace *trace, const struct name_argument *name, uint16_t type)
{
    char command[COMMAND_SIZE];
    char type_text[TYPE_TEXT_SIZE];
    char shown[REDACT_TEXT_SIZE];
    (void)snprintf(
        command, sizeof command, "trace start %s %s", name->text, type_to_text(type, type_text));
    int exit_code = trace_ask(trace, command);
    if (exit_code != EX_OK) {
        return exit_code;
    }
    if (trace->id == 0) {
        return client_complain_reply("lookup");
    }
    lookup_hide_name(&trace->hide, name->name, name->len, shown);
    text_addf(&trace->output, "%s %s, asked anew\n\n", shown, type_text);
    return trace_follow(trace);
}

int lookup_trace_run(
    const struct client_place *place, const struct name_argument *name, uint16_t type)
{
    char path[SETTINGS_PATH_SIZE];
    struct trace *trace = malloc(sizeof *trace);
    if (trace == NULL) {
        (void)fputs("mxcache: out of memory.\n", stderr);
        return EX_OSERR;
    }
    int exit_code = EX_CONFIG;
    if (client_find(place, path)) {
        memset(trace, 0, offsetof(struct trace, output_data));
        trace->place = (struct client_place){.socket = path};
        text_init(&trace->output, trace->output_data, sizeof trace->output_data);
        lookup_hide_init(&trace->hide, name);
        exit_code = trace_run(trace, name, type);
    }
    free(trace);
    return exit_code;
}
