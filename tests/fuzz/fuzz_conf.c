/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "conf/explain.h"
#include "conf/parse.h"
#include "conf/settings.h"

/*
 * Any bytes as a configuration file. What is accepted must come back: written out and read again,
 * the settings are the same. Every finding fits its line and can be shown on a terminal.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Too large for a stack; each run fills them anew. */
static struct settings settings;
static struct findings findings;

static char *explain(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    must(out != NULL);
    explain_settings(&settings, EXPLAIN_ALL, out);
    must(fclose(out) == 0);
    return text;
}

static void check_findings(void)
{
    must(findings.count <= FINDINGS_MAX);
    for (size_t i = 0; i < findings.count; i++) {
        char line[FINDING_FILE_SIZE + FINDING_SENTENCE_SIZE + 64];
        size_t len = finding_format(&findings.items[i], line, sizeof line);
        must(len == strlen(line) && len < sizeof line);
        for (size_t at = 0; at < len; at++) {
            must(line[at] >= 0x20 && line[at] < 0x7f);
        }
    }
}

static void check_round_trip(void)
{
    char *first = explain();
    must(settings_parse("again.conf", first, strlen(first), &settings, &findings));
    char *second = explain();
    must(strcmp(first, second) == 0);
    free(second);
    free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_good = settings_parse("fuzz.conf", (const char *)data, size, &settings, &findings);
    must(is_good == (findings.errors == 0));
    check_findings();
    if (is_good) {
        check_round_trip();
    }
    return 0;
}
