/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/source_line.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cmd/configuration.h"

void source_line_init(struct source_line *line, int argc)
{
    *line = (struct source_line){
        .source = {.file = CONFIGURATION_FILE, .is_file_optional = true},
        .overrides = calloc((size_t)argc, sizeof *line->overrides),
    };
    if (line->overrides == NULL) {
        (void)fputs("mxcache: out of memory.\n", stderr);
        exit(EX_OSERR);
    }
    line->source.overrides = line->overrides;
}

void source_line_fini(struct source_line *line)
{
    free(line->overrides);
    *line = (struct source_line){.overrides = NULL};
}

void source_line_set_file(struct source_line *line, const char *file)
{
    line->source.file = file;
    line->source.is_file_optional = false;
}

bool source_line_take(struct source_line *line, int option, const char *value)
{
    if (option == 'c') {
        source_line_set_file(line, value);
    } else if (option == 'o') {
        line->overrides[line->source.override_count++] = value;
    } else {
        return false;
    }
    return true;
}

bool source_line_read(struct source_line *line, int argc, char **argv, bool *wants_help_out)
{
    static const struct option options[] = {
        SOURCE_LINE_LONG,
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, SOURCE_LINE_SHORT "h", options, NULL)) != -1) {
        if (option == 'h') {
            *wants_help_out = true;
        } else if (!source_line_take(line, option, optarg)) {
            return false;
        }
    }
    return true;
}
