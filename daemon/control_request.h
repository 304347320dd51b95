/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One line of the control protocol (daemon/control.h) as a checked request. Pure; any bytes are
 * safe; any thread.
 */
enum control_command {
    CONTROL_PING,
    CONTROL_STATS,
    CONTROL_LOOKUP,
    CONTROL_TRACE_START,
    CONTROL_TRACE_LOOK,
    CONTROL_UPSTREAMS,
    CONTROL_SLOW,
    CONTROL_SLOW_FAILED,
    CONTROL_FLUSH_NAME,
    CONTROL_FLUSH_UNDER,
    CONTROL_FLUSH_ALL,
    CONTROL_RELOAD,
};

struct control_request {
    enum control_command command;
    uint8_t name[255]; /* Wire form, lower case. Of LOOKUP, TRACE_START and FLUSH_... but ALL. */
    size_t name_len;
    uint16_t type;  /* Of LOOKUP and TRACE_START. */
    uint64_t trace; /* Of TRACE_LOOK: which one, and from which event on. */
    uint64_t from;
    uint64_t since_s; /* Of STATS: how far back; 0: to the start. */
    bool wants_names; /* Of SLOW: with the subjects of list questions. */
};

/* `line` without its newline. False: `complaint_out` is a sentence, a literal. */
bool control_request_parse(
    const char *line, size_t len, struct control_request *request_out, const char **complaint_out);

/* Names whom list questions were about, which is not for everybody who may read. */
bool control_request_is_personal(const struct control_request *request);

/* Changes what the daemon does or knows; not everybody who may read may do that. */
bool control_request_is_write(const struct control_request *request);
