/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "conf/settings.h"
#include "cmd/reply.h"

/*
 * Asks the running daemon on its control socket: one line there, one reply (cmd/reply.h) back,
 * within CLIENT_LIMIT_S seconds. Where it cannot be asked, one sentence says why and what to do.
 * Main thread.
 */
struct trouble;

#define CLIENT_LIMIT_S 5

/* Where the daemon is, from the command line. Zeroed: as the default configuration file says. */
struct client_place {
    const char *socket; /* -s */
    const char *file;   /* -c */
};

/* The options that all clients share, for their --help and getopt_long(3). */
#define CLIENT_USAGE                                                                               \
    "  -s, --socket SOCKET  the daemon's control socket; default: the control_socket\n"            \
    "  -c, --config FILE    of FILE; default: /etc/mxcache/mxcache.conf\n"                         \
    "  -h, --help\n"
#define CLIENT_SHORT_OPTIONS "s:c:h"
#define CLIENT_LONG_OPTIONS                                                                        \
    {"socket", required_argument, NULL, 's'}, {"config", required_argument, NULL, 'c'},            \
    {                                                                                              \
        "help", no_argument, NULL, 'h'                                                             \
    }

/* Sends `command` (without its newline) to the socket at `path`. On success reply_out has been
 * opened; it may be a refusal. On failure it is empty, and trouble_out says why. */
bool client_ask(
    const char *path, const char *command, struct reply *reply_out, struct trouble *trouble_out);

/* The socket's path. False: no usable configuration, which has been printed. */
bool client_find(const struct client_place *place, char path_out[SETTINGS_PATH_SIZE]);

/* The same for programs: finds the socket, and prints what goes wrong, a refusal's sentence
 * included, to standard error. Returns the exit code; reply_out is to be freed in any case. */
int client_run(const struct client_place *place, const char *command, struct reply *reply_out);

/* After getopt_long(3): takes -s and -c. False: the option is not one of these. */
bool client_take_option(struct client_place *place, int option, const char *argument);

/* Prints that the daemon said something that this program does not know. Returns the exit code. */
int client_complain_reply(const char *subcommand);
