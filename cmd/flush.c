/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/name_argument.h"

static const char flush_usage[] =
    "usage: mxcache flush [-s SOCKET | -c FILE] NAME | --under NAME | --all\n"
    "\n"
    "Forgets answers, so that the next question for them goes upstream.\n"
    "\n"
    "  NAME                 all types of this one name\n"
    "  -u, --under NAME     the name and everything below it\n"
    "  -a, --all            everything\n" CLIENT_USAGE;

static const struct option flush_options[] = {
    {"under", required_argument, NULL, 'u'},
    {"all", no_argument, NULL, 'a'},
    CLIENT_LONG_OPTIONS,
    {NULL, 0, NULL, 0},
};

/* What to forget: exactly one of the three. */
struct flush_line {
    struct client_place place;
    const char *name;
    const char *under;
    bool is_all;
    bool wants_help;
};

static bool flush_line_read(struct flush_line *line, int argc, char **argv)
{
    int option;
    while (
        (option = getopt_long(argc, argv, "u:a" CLIENT_SHORT_OPTIONS, flush_options, NULL)) != -1) {
        if (option == 'u') {
            line->under = optarg;
        } else if (option == 'a') {
            line->is_all = true;
        } else if (option == 'h') {
            line->wants_help = true;
        } else if (!client_take_option(&line->place, option, optarg)) {
            return false;
        }
    }
    line->name = optind < argc ? argv[optind] : NULL;
    int ways = (line->name != NULL) + (line->under != NULL) + (line->is_all ? 1 : 0);
    if (!line->wants_help && (ways != 1 || optind + 1 < argc)) {
        (void)fputs("mxcache flush: give one of NAME, --under NAME and --all.\n", stderr);
        return false;
    }
    return true;
}

static int flush_run(const struct flush_line *line)
{
    char command[NAME_ARGUMENT_TEXT_SIZE + 32] = "flush all";
    if (!line->is_all) {
        struct name_argument name;
        if (!name_argument_read("flush", line->name != NULL ? line->name : line->under, &name)) {
            return EX_USAGE;
        }
        (void)snprintf(command, sizeof command, "flush %s %s",
            line->name != NULL ? "name" : "under", name.text);
    }
    struct reply reply;
    int exit_code = client_run(&line->place, command, &reply);
    if (exit_code == EX_OK) {
        char *text = reply_next(&reply);
        char *words[2] = {NULL, NULL};
        uint64_t count;
        if (text == NULL || reply_words(text, words, 2) < 2 || strcmp(words[0], "flushed") != 0 ||
            !reply_number(words[1], UINT64_MAX, &count)) {
            exit_code = client_complain_reply("flush");
        } else {
            (void)printf("flushed %" PRIu64 " answer%s\n", count, count == 1 ? "" : "s");
        }
    }
    reply_fini(&reply);
    return exit_code;
}

int flush_main(int argc, char **argv)
{
    struct flush_line line = {.name = NULL};
    if (!flush_line_read(&line, argc, argv)) {
        return EX_USAGE;
    }
    if (line.wants_help) {
        (void)fputs(flush_usage, stdout);
        return EX_OK;
    }
    return flush_run(&line);
}
