/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/source_line.h"

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

void source_line_add_override(struct source_line *line, const char *text)
{
    line->overrides[line->source.override_count++] = text;
}
