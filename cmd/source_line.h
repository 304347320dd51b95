/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include "conf/parse.h"

/*
 * The options -c FILE and -o NAME=VALUE of a command line. Without -c the usual file is read, if it
 * exists. The words are borrowed from argv; source_line_fini() frees the list of overrides.
 */
struct source_line {
    struct settings_source source;
    const char **overrides;
};

/* Short and long options for getopt_long(3), to be put into a subcommand's own. */
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
void source_line_add_override(struct source_line *line, const char *text);
