/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "doctor/config_lines.h"
#include "doctor/resolver_files.h"
#include "doctor/rspamd_config.h"

/* Any bytes as one of the small configuration files that the doctor looks into: what comes out
 * keeps to its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(const char *text)
{
    struct config_lines *lines = malloc(sizeof *lines);
    char value[64];
    must(lines != NULL);
    config_lines_init(lines, text);
    while (config_lines_next(lines)) {
        must(lines->line[0] != '\0' && strlen(lines->line) < CONFIG_LINE_MAX);
        if (config_line_value(lines->line, "nameserver", " =:", value, sizeof value)) {
            must(strlen(value) < sizeof value);
        }
    }
    free(lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rspamd_found found;
    struct resolv_conf conf;
    char *text = malloc(size + 1);
    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (rspamd_text_value(text, "dns", "nameserver", &found)) {
        must(strlen(found.value) < RSPAMD_VALUE_SIZE && found.line >= 1);
    }
    if (rspamd_text_value(text, NULL, "enabled", &found)) {
        must(strlen(found.value) < RSPAMD_VALUE_SIZE && found.line >= 1);
    }
    check_lines(text);
    resolver_lease_parse((const char *)data, size, &conf);
    must(conf.server_count <= RESOLV_CONF_SERVERS_MAX);
    resolver_networkd_parse((const char *)data, size, &conf);
    must(conf.server_count <= RESOLV_CONF_SERVERS_MAX);
    free(text);
    return 0;
}
