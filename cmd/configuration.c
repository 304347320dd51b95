/* SPDX-License-Identifier: BSD-2-Clause */
#include "cmd/configuration.h"

#include <stdlib.h>
#include <sysexits.h>

#define FINDING_LINE_SIZE (FINDING_FILE_SIZE + FINDING_SENTENCE_SIZE + 64)

struct configuration *configuration_new(const struct settings_source *source)
{
    struct configuration *configuration = calloc(1, sizeof *configuration);
    if (configuration == NULL) {
        (void)fputs("mxcache: out of memory.\n", stderr);
        exit(EX_OSERR);
    }
    configuration->is_good =
        settings_load(source, &configuration->settings, &configuration->findings);
    return configuration;
}

void configuration_free(struct configuration **configuration)
{
    free(*configuration);
    *configuration = NULL;
}

void configuration_print_findings(const struct configuration *configuration, FILE *out)
{
    const struct findings *findings = &configuration->findings;
    for (size_t i = 0; i < findings->count; i++) {
        char line[FINDING_LINE_SIZE];
        (void)finding_format(&findings->items[i], line, sizeof line);
        (void)fprintf(out, "%s\n", line);
    }
    if (findings->dropped > 0) {
        (void)fprintf(out, "mxcache: and %zu more.\n", findings->dropped);
    }
}
