/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "conf/parse.h"

/*
 * The options -c FILE and -o NAME=VALUE of a command line. Without -c the usual file is read, if it
 * exists. The words are borrowed from argv; source_line_fini() frees the list of overrides.
 */
struct source_line {
    struct settings_source source;
    const char **overrides;
};

/* Short and long options for getopt_long(3), for a subcommand that has others as well. */
#define SOURCE_LINE_SHORT "c:o:"
#define SOURCE_LINE_LONG                                                                           \
    {"config", required_argument, NULL, 'c'},                                                      \
    {                                                                                              \
        "option", required_argument, NULL, 'o'                                                     \
    }
#define SOURCE_LINE_USAGE                                                                          \
    "  -c, --config FILE        default: " CONFIGURATION_FILE ", if it exists\n"                   \
    "  -o, --option NAME=VALUE  overrides a setting of the file; may be repeated\n"

/* Room for as many overrides as there are words. Out of memory, the program ends with a sentence.
 */
void source_line_init(struct source_line *line, int argc);
void source_line_fini(struct source_line *line);

void source_line_set_file(struct source_line *line, const char *file);

/* One option that getopt_long(3) has found. False: it is neither -c nor -o. */
bool source_line_take(struct source_line *line, int option, const char *value);

/* Reads all options of a subcommand that has these two and --help; optind is behind them then.
 * False: the line makes no sense, which has been said. */
bool source_line_read(struct source_line *line, int argc, char **argv, bool *wants_help_out);
