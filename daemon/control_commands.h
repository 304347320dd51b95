/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/export.h"

/*
 * What the commands of the control socket do, and the text form of what they say
 * (daemon/control.h). Main thread.
 */
struct control_peer;
struct findings;
struct text;

struct control_commands {
    struct export_sources sources;
    struct export *export;
    struct look_back *look_back;
    const char *version;
    const char *config; /* The file's path, or "-". */
    int64_t started_at;
    uint8_t *message; /* MESSAGE_SIZE_MAX bytes, for lookups. */

    /* Reads the settings again. False: nothing was changed, and the findings say why. Adds a line
     * "note SENTENCE" to `notes` for each thing that the operator should know. */
    void *daemon;
    bool (*reload)(void *daemon, struct findings *findings_out, struct text *notes);
};

/* `commands` is a struct control_commands: this is a control_handler. */
void control_commands_run(void *commands, const struct control_peer *peer, const char *line,
    size_t len, struct text *answer);
