/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/must.h"
#include "base/text.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/slow_json.h"
#include "cmd/slow_text.h"
#include "cmd/slow_view.h"
#include "cmd/terminal.h"

/* More than any view can fill: 64 questions of 35 lines, or events of 400 bytes of JSON. */
#define SLOW_OUTPUT_SIZE ((size_t)4 << 20)

static const char slow_usage[] =
    "usage: mxcache slow [-s SOCKET | -c FILE] [--failed] [--names] [--json]\n"
    "                    [--count N]\n"
    "\n"
    "The questions of the last hour that waited longest, and what happened to them.\n"
    "\n"
    "  -f, --failed         those that got SERVFAIL instead, the last one first\n"
    "  -n, --count N        at most N of them; default 10, at most 64\n"
    "  -N, --names          with the addresses and names that blocklists were asked\n"
    "                       about; for root\n"
    "  -j, --json           one JSON object; its names stand in mxcache(8)\n" CLIENT_USAGE;

static const struct option slow_options[] = {
    {"failed", no_argument, NULL, 'f'},
    {"count", required_argument, NULL, 'n'},
    {"names", no_argument, NULL, 'N'},
    {"json", no_argument, NULL, 'j'},
    CLIENT_LONG_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct slow_line {
    struct client_place place;
    bool is_failed;
    bool has_names;
    bool is_json;
    bool wants_help;
    uint64_t count;
};

static bool complain(const char *sentence)
{
    (void)fprintf(stderr, "mxcache slow: %s\n", sentence);
    return false;
}

static bool slow_line_take(struct slow_line *line, int option)
{
    switch (option) {
    case 'f':
        line->is_failed = true;
        return true;
    case 'N':
        line->has_names = true;
        return true;
    case 'j':
        line->is_json = true;
        return true;
    case 'h':
        line->wants_help = true;
        return true;
    case 'n':
        if (!reply_number(optarg, SLOW_VIEW_MAX, &line->count) || line->count == 0) {
            return complain("--count takes a number from 1 to 64.");
        }
        return true;
    default:
        return client_take_option(&line->place, option, optarg);
    }
}

static bool slow_line_read(struct slow_line *line, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "fn:Nj" CLIENT_SHORT_OPTIONS, slow_options, NULL)) !=
           -1) {
        if (!slow_line_take(line, option)) {
            return false;
        }
    }
    return optind == argc || complain("too many words; see --help.");
}

static int slow_print(const struct slow_line *line, const struct slow_view *view)
{
    char *output = malloc(SLOW_OUTPUT_SIZE);
    if (output == NULL) {
        (void)complain("out of memory.");
        return EX_OSERR;
    }
    struct text text;
    text_init(&text, output, SLOW_OUTPUT_SIZE);
    if (line->is_json) {
        slow_json_add(&text, view);
    } else {
        struct stats_style style = terminal_style();
        slow_text_add(&text, &style, view);
    }
    must(!text.is_cut);
    bool is_written = fwrite(text.data, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    free(output);
    return is_written ? EX_OK : EX_IOERR;
}

static int slow_run(const struct slow_line *line)
{
    char command[32];
    struct reply reply;
    struct slow_view *view = calloc(1, sizeof *view);
    if (view == NULL) {
        (void)complain("out of memory.");
        return EX_OSERR;
    }
    view->is_failed = line->is_failed;
    (void)snprintf(command, sizeof command, "slow%s%s", line->is_failed ? " failed" : "",
        line->has_names ? " names" : "");
    int exit_code = client_run(&line->place, command, &reply);
    if (exit_code == EX_OK && !slow_view_read(&reply, (size_t)line->count, view)) {
        exit_code = client_complain_reply("slow");
    }
    reply_fini(&reply);
    if (exit_code == EX_OK) {
        exit_code = slow_print(line, view);
    }
    free(view);
    return exit_code;
}

int slow_main(int argc, char **argv)
{
    struct slow_line line = {.count = 10};
    if (!slow_line_read(&line, argc, argv)) {
        return EX_USAGE;
    }
    if (line.wants_help) {
        (void)fputs(slow_usage, stdout);
        return EX_OK;
    }
    return slow_run(&line);
}
