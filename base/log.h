/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * One line an event, to standard error: "name: sentence key=value key=value". Under systemd
 * (JOURNAL_STREAM names standard error) with the journal's <N> priority, elsewhere with a
 * timestamp. The level is the one mutable global of the tree. Any thread; a line is one write(2).
 * Events stand in the events.def of their floor, from which the manual's table comes. A value that
 * may hold a blank is quoted; one from outside by text_add_quoted() or as name_to_text() has it,
 * which escape.
 */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6,
    LOG_LEVEL_DEBUG = 7,
};

/* Lines above this level are not written. Default: notice. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Reads error, warning, notice, info or debug. */
bool log_level_parse(const char *text, enum log_level *level_out);
const char *log_level_name(enum log_level level);

struct log_event {
    const char *name; /* What programs look for; it stays, when the sentence is written better. */
    enum log_level level;
    const char *sentence;
};

/* `pairs`: "key=%s key=%d". */
__attribute__((format(printf, 2, 3))) void log_event(
    const struct log_event *event, const char *pairs, ...);
void log_event_bare(const struct log_event *event);

/* A line of any form, for tests. */
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format, ...);

/*
 * Holds a repeating line down to one a minute: zero it at first, keep one for each message. True:
 * write it now; `suppressed_out` tells how many were held back since the last one.
 */
struct log_limit {
    int64_t next_at;
    uint64_t suppressed;
};

bool log_limit_allows(struct log_limit *limit, int64_t now, uint64_t *suppressed_out);

/* The event, if the limit allows it, and " suppressed=N" behind it if there were any. */
__attribute__((format(printf, 4, 5))) void log_event_limited(
    const struct log_event *event, struct log_limit *limit, int64_t now, const char *pairs, ...);
