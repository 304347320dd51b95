/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"

/*
 * Mail logs, read once and counted: how often each line of mail_log_patterns.def was met, from when
 * to when, one example, and about whom the most; and how long deliveries took. A log is hostile
 * text (strangers choose what stands in it): lines are cut, tables are bounded, nothing is believed
 * but the words in front of the text. Customers' keys of paid lists are taken out. Large: on the
 * heap. Main thread.
 */
#define MAIL_LOG_BYTES_MAX    (16 * 1024 * 1024)  /* Of a file, its end. */
#define MAIL_LOG_STREAM_MAX   (512 * 1024 * 1024) /* Of standard input, its beginning. */
#define MAIL_LOG_LINE_MAX     8192
#define MAIL_LOG_EXAMPLE_SIZE 512
#define MAIL_LOG_KEY_SIZE     96
#define MAIL_LOG_KEYS         32
#define MAIL_LOG_SOURCES_MAX  24
#define MAIL_LOG_PATH_SIZE    256

enum mail_log_pattern {
#define PATTERN(id, ...) LOG_##id,
#include "doctor/mail_log_patterns.def"
#undef PATTERN
    LOG_PATTERNS
};

struct mail_log_key {
    char text[MAIL_LOG_KEY_SIZE];
    uint64_t count; /* At most; the rarest make room for new ones. */
};

struct mail_log_tally {
    uint64_t count;
    int64_t first_s; /* Of the wall clock; 0: the stamps cannot be read. */
    int64_t last_s;
    char example[MAIL_LOG_EXAMPLE_SIZE]; /* The last one. */
    struct mail_log_key keys[MAIL_LOG_KEYS];
    size_t key_count;
};

/* delays=a/b/c/d of Postfix's deliveries. */
enum mail_log_delay {
    MAIL_LOG_BEFORE_QUEUE, /* a: from the first byte to the queue; checks of what comes in. */
    MAIL_LOG_IN_QUEUE,     /* b */
    MAIL_LOG_CONNECTION,   /* c: DNS, connection, greeting, TLS. */
    MAIL_LOG_TRANSMISSION, /* d */
    MAIL_LOG_DELAYS,
};

struct mail_log {
    char sources[MAIL_LOG_SOURCES_MAX][MAIL_LOG_PATH_SIZE]; /* That were read. */
    size_t source_count;
    char denied[MAIL_LOG_PATH_SIZE]; /* One that may not be read; empty: none. */
    bool is_cut;                     /* Older lines were left out. */
    uint64_t lines;
    int64_t first_s; /* 0: no stamp could be read. */
    int64_t last_s;
    uint64_t sent; /* Deliveries that were made, and put off, by smtp(8). */
    uint64_t deferred;
    struct histogram_sum delays[MAIL_LOG_DELAYS]; /* Of deliveries by smtp(8) that were made. */
    uint64_t slow_dns; /* Put off after 5 s or more of looking names up. */
    struct mail_log_tally tallies[LOG_PATTERNS];

    /* The reader's own. */
    int64_t now_s;
    int64_t offset_s; /* Of local time from UTC. */
    char line[MAIL_LOG_LINE_MAX];
    size_t line_len;
};

/* `offset_s`: what local time is ahead of UTC. */
void mail_log_init(struct mail_log *log, int64_t now_s, int64_t offset_s);

/* Any piece of a log; lines may be cut anywhere between pieces. mail_log_end() closes a source. */
void mail_log_feed(struct mail_log *log, const char *bytes, size_t len);
void mail_log_end(struct mail_log *log);

/* The key that was met most often; NULL: none. */
const struct mail_log_key *mail_log_top_key(const struct mail_log_tally *tally);

/* Takes the keys of paid lists' customers out of a text, in place. */
void mail_log_redact(char *text);

/* The time at the head of a line: of syslog (without a year; local time), RFC 3339, or with a blank
 * between date and time (local). Returns the length of the stamp, 0: there is none. */
size_t mail_log_stamp(
    const char *line, size_t len, const struct mail_log *log, int64_t *time_s_out);

/* The logs of the host, read at the first call and kept in the doctor's facts. */
struct doctor;
const struct mail_log *mail_log_of(struct doctor *doctor);
