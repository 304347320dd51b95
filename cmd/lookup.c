/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/random.h"
#include "base/text.h"
#include "wire/message.h"
#include "wire/types.h"
#include "cmd/client.h"
#include "cmd/cmd.h"
#include "cmd/lookup_ask.h"
#include "cmd/lookup_cached.h"
#include "cmd/lookup_hide.h"
#include "cmd/lookup_show.h"
#include "cmd/lookup_trace.h"
#include "cmd/name_argument.h"
#include "cmd/upstream_list.h"

#define LOOKUP_OUTPUT_SIZE  ((size_t)4 << 20)
#define LOOKUP_COMMAND_SIZE (NAME_ARGUMENT_TEXT_SIZE + TYPE_TEXT_SIZE + 16)
#define SERVER_TEXT_SIZE    (ADDRESS_TEXT_SIZE + SETTINGS_TLS_SIZE)

static const char lookup_usage[] =
    "usage: mxcache lookup [-s SOCKET | -c FILE] [--cached | --trace] NAME [TYPE]\n"
    "\n"
    "What the cache holds for a name, and what each upstream server says now.\n"
    "TYPE is A unless given.\n"
    "\n"
    "  -t, --trace          has the daemon ask anew, whatever is cached, and tells\n"
    "                       what happens, as it happens\n"
    "      --cached         do not ask the upstream servers\n" CLIENT_USAGE;

static const struct option lookup_options[] = {
    {"cached", no_argument, NULL, 'k'},
    {"trace", no_argument, NULL, 't'},
    CLIENT_LONG_OPTIONS,
    {NULL, 0, NULL, 0},
};

struct lookup_line {
    struct client_place place;
    bool is_cached_only;
    bool is_trace;
    bool wants_help;
    struct name_argument name;
    uint16_t type;
};

/* What a run needs of memory. */
struct lookup {
    const struct lookup_line *line;
    struct upstream_list servers;
    struct lookup_hide hide;
    struct lookup_ask ask;
    struct text output;
    char output_data[LOOKUP_OUTPUT_SIZE];
    char cached_data[LOOKUP_OUTPUT_SIZE / 2];
};

static bool read_type(struct lookup_line *line, const char *argument)
{
    if (!type_from_text(argument, strlen(argument), &line->type)) {
        (void)fprintf(stderr,
            "mxcache lookup: there is no such type of record: try A, MX, TXT, or a number as"
            " TYPE65.\n");
        return false;
    }
    if (type_is_meta(line->type)) {
        (void)fprintf(stderr, "mxcache lookup: answers of this type are never cached.\n");
        return false;
    }
    return true;
}

static bool lookup_line_read(struct lookup_line *line, int argc, char **argv)
{
    int option;
    while (
        (option = getopt_long(argc, argv, "t" CLIENT_SHORT_OPTIONS, lookup_options, NULL)) != -1) {
        if (option == 'k') {
            line->is_cached_only = true;
        } else if (option == 't') {
            line->is_trace = true;
        } else if (option == 'h') {
            line->wants_help = true;
        } else if (!client_take_option(&line->place, option, optarg)) {
            return false;
        }
    }
    if (line->wants_help) {
        return true;
    }
    if (line->is_trace && line->is_cached_only) {
        (void)fputs("mxcache lookup: give one of --cached and --trace.\n", stderr);
        return false;
    }
    if (optind >= argc || optind + 2 < argc) {
        (void)fputs("mxcache lookup: give NAME and perhaps TYPE; see --help.\n", stderr);
        return false;
    }
    return name_argument_read("lookup", argv[optind], &line->name) &&
           (optind + 1 == argc || read_type(line, argv[optind + 1]));
}

static int lookup_read_servers(struct lookup *lookup)
{
    struct reply reply;
    int exit_code = client_run(&lookup->line->place, "upstreams", &reply);
    if (exit_code == EX_OK && !upstream_list_read(&reply, &lookup->servers)) {
        exit_code = client_complain_reply("lookup");
    }
    reply_fini(&reply);
    return exit_code;
}

/* The heading comes last: the daemon knows what is to be hidden in it. */
static int lookup_read_cached(struct lookup *lookup)
{
    const struct lookup_line *line = lookup->line;
    char command[LOOKUP_COMMAND_SIZE];
    char type[TYPE_TEXT_SIZE];
    char shown[REDACT_TEXT_SIZE];
    struct reply reply;
    struct text text;
    const struct lookup_cached cached = {
        .text = &text, .servers = &lookup->servers, .hide = &lookup->hide};
    (void)snprintf(
        command, sizeof command, "lookup %s %s", line->name.text, type_to_text(line->type, type));
    text_init(&text, lookup->cached_data, sizeof lookup->cached_data);
    lookup_hide_init(&lookup->hide, &line->name);
    int exit_code = client_run(&line->place, command, &reply);
    if (exit_code == EX_OK && !lookup_cached_add(&cached, &reply)) {
        exit_code = client_complain_reply("lookup");
    }
    reply_fini(&reply);
    lookup_hide_name(&lookup->hide, line->name.name, line->name.len, shown);
    text_addf(&lookup->output, "%s %s\n\n", shown, type);
    text_add(&lookup->output, text.data);
    lookup->output.is_cut = lookup->output.is_cut || text.is_cut;
    return exit_code;
}

static void add_round_trip(struct lookup *lookup)
{
    text_add(&lookup->output, " in ");
    text_add_latency(&lookup->output, (uint64_t)lookup->ask.round_trip_us);
    text_add(&lookup->output, lookup->ask.is_stream ? ", over TCP\n" : "\n");
}

static void add_reply(struct lookup *lookup)
{
    struct message message;
    char rcode[TYPE_TEXT_SIZE];
    if (message_read(lookup->ask.bytes, lookup->ask.len, &message) != MESSAGE_GOOD) {
        text_add(&lookup->output, "a reply that cannot be read\n");
        return;
    }
    text_addf(&lookup->output, "%s%s", rcode_to_text(message.rcode, rcode),
        message.counts[1] == 0 && message.rcode == RCODE_NOERROR ? ", no records of this type"
                                                                 : "");
    add_round_trip(lookup);
    lookup_show_records(&lookup->output, &lookup->hide, &message, 0);
}

static void add_outcome(struct lookup *lookup)
{
    char rcode[TYPE_TEXT_SIZE];
    switch (lookup->ask.verdict) {
    case LOOKUP_ASK_REPLY:
        add_reply(lookup);
        return;
    case LOOKUP_ASK_BARE:
        text_add(&lookup->output, rcode_to_text(header_rcode(lookup->ask.bytes), rcode));
        add_round_trip(lookup);
        return;
    case LOOKUP_ASK_SILENT:
        text_addf(&lookup->output, "no reply within %d s\n", LOOKUP_ASK_LIMIT_S);
        return;
    case LOOKUP_ASK_BROKEN:
        text_addf(&lookup->output, "cannot be asked: %s\n", strerror(lookup->ask.error));
        return;
    }
}

static void ask_server(struct lookup *lookup, const struct upstream *server, struct random *random)
{
    const struct lookup_line *line = lookup->line;
    char address[ADDRESS_TEXT_SIZE];
    bool is_tls = server->tls_name[0] != '\0';
    struct question question = {.name_len = line->name.len, .type = line->type, .class = CLASS_IN};
    memcpy(question.name, line->name.name, line->name.len);
    (void)address_format(&server->address, address, sizeof address);
    text_addf(&lookup->output, "%s%s%s", address, is_tls ? "#" : "", server->tls_name);
    if (strcmp(server->group, "default") != 0) {
        text_addf(&lookup->output, " (%s)", server->group);
    }
    text_add(&lookup->output, ": ");
    if (is_tls) {
        text_add(&lookup->output, "asked over TLS by the daemon only\n");
        return;
    }
    lookup_ask(&server->address, &question, random, &lookup->ask);
    add_outcome(lookup);
}

/* Prints what there is so far: a server that takes its time holds up only what comes after it. */
static bool lookup_print(struct lookup *lookup)
{
    struct text *output = &lookup->output;
    bool is_written =
        fwrite(output->data, 1, output->len, stdout) == output->len && fflush(stdout) == 0;
    if (output->is_cut) {
        (void)puts("    (and more, which is too long to show)");
    }
    text_init(output, lookup->output_data, sizeof lookup->output_data);
    return is_written;
}

static int lookup_run(struct lookup *lookup)
{
    struct random random;
    text_init(&lookup->output, lookup->output_data, sizeof lookup->output_data);
    int exit_code = lookup_read_servers(lookup);
    if (exit_code == EX_OK) {
        exit_code = lookup_read_cached(lookup);
    }
    if (exit_code != EX_OK || !lookup_print(lookup)) {
        return exit_code != EX_OK ? exit_code : EX_IOERR;
    }
    random_init_system(&random);
    for (size_t i = 0; !lookup->line->is_cached_only && i < lookup->servers.count; i++) {
        text_add(&lookup->output, "\n");
        ask_server(lookup, &lookup->servers.items[i], &random);
        if (!lookup_print(lookup)) {
            return EX_IOERR;
        }
    }
    return EX_OK;
}

int lookup_main(int argc, char **argv)
{
    struct lookup_line line = {.type = TYPE_A};
    if (!lookup_line_read(&line, argc, argv)) {
        return EX_USAGE;
    }
    if (line.wants_help) {
        (void)fputs(lookup_usage, stdout);
        return EX_OK;
    }
    if (line.is_trace) {
        return lookup_trace_run(&line.place, &line.name, line.type);
    }
    struct lookup *lookup = malloc(sizeof *lookup);
    if (lookup == NULL) {
        (void)fputs("mxcache: out of memory.\n", stderr);
        return EX_OSERR;
    }
    lookup->line = &line;
    int exit_code = lookup_run(lookup);
    free(lookup);
    return exit_code;
}
