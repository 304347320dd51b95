/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cmd/client.h"
#include "cmd/cmd.h"

static const char reload_usage[] =
    "usage: mxcache reload [-s SOCKET | -c FILE]\n"
    "\n"
    "Makes the daemon read its configuration again. The cache stays; with an error\n"
    "in the file the old settings stay too, and the exit code is 78.\n"
    "\n" CLIENT_USAGE;

static const struct option reload_options[] = {
    CLIENT_LONG_OPTIONS,
    {NULL, 0, NULL, 0},
};

/* A line of the reply is `finding ...` or `note ...`: what follows is for the operator. */
static void reload_print(struct reply *reply)
{
    static const char *const kinds[] = {"finding ", "note "};
    for (const char *line = reply_next(reply); line != NULL; line = reply_next(reply)) {
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
            size_t len = strlen(kinds[i]);
            if (strncmp(line, kinds[i], len) == 0) {
                (void)fprintf(stderr, "%s\n", line + len);
            }
        }
    }
}

static int reload_run(const struct client_place *place)
{
    struct reply reply;
    int exit_code = client_run(place, "reload", &reply);
    reload_print(&reply);
    if (exit_code == EX_OK) {
        (void)puts("reloaded");
    } else if (reply.is_refused && exit_code != EX_NOPERM) {
        exit_code = EX_CONFIG;
    }
    reply_fini(&reply);
    return exit_code;
}

int reload_main(int argc, char **argv)
{
    struct client_place place = {.socket = NULL};
    int option;
    while ((option = getopt_long(argc, argv, CLIENT_SHORT_OPTIONS, reload_options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(reload_usage, stdout);
            return EX_OK;
        }
        if (!client_take_option(&place, option, optarg)) {
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(
            stderr, "mxcache reload: `%s` is more than it takes; see --help.\n", argv[optind]);
        return EX_USAGE;
    }
    return reload_run(&place);
}
