/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * One setting of rspamd's configuration, from local.d and override.d, which is where admins write.
 * Understands as much of UCL as that takes: sections in braces, strings, lists in brackets,
 * comments. Any bytes are safe. Main thread.
 */
struct host;

#define RSPAMD_VALUE_SIZE 1024
#define RSPAMD_PATH_SIZE  128

struct rspamd_found {
    char value[RSPAMD_VALUE_SIZE]; /* As written, up to the end of the setting; may be cut. */
    char path[RSPAMD_PATH_SIZE];
    unsigned line;
};

/* `section` NULL: outside of all sections. The value in override.d counts before that in local.d.
 * False: it is set in neither. */
bool rspamd_value(const struct host *host, const char *file, const char *section, const char *key,
    struct rspamd_found *found_out);

/* The same in one file's text, which ends at the first NUL; the last setting counts. */
bool rspamd_text_value(
    const char *text, const char *section, const char *key, struct rspamd_found *found_out);
