/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The query log: one line for each question, in a file of its own. Workers leave records in rings
 * (daemon/query_ring.h); a thread of the log turns them into lines a few times a second and writes
 * them. A disk that is slow or full holds up nobody: what finds no room is left out and counted.
 * Made, opened anew and ended by the main thread.
 *
 *     time=2026-01-31T07:15:00.123456Z client=127.0.0.1@4711 transport=udp name=example.org.
 * type=MX class=mx outcome=miss rcode=NOERROR wait_us=20345 upstream=192.0.2.53@53
 */
struct query_log;
struct query_record;
struct daemon_stats;
struct observed;
struct text;

/* A file that could not be opened is tried again. */
#define QUERY_LOG_REOPEN_US INT64_C(10000000)

struct query_log_options {
    const char *path; /* Copied. */
    bool shows_names; /* What a DNS list was asked about, too; keys never. */
    size_t worker_count;
    int64_t reopen_us;          /* 0: QUERY_LOG_REOPEN_US. */
    struct daemon_stats *stats; /* Its row query_log_lost is the log's alone. */
};

/* NULL: memory is short, or there is no thread for it. A file that cannot be opened is told by the
 * log and tried again every few seconds, and by query_log_reopen(). */
struct query_log *query_log_new(const struct query_log_options *options);

/* Writes what is there, and ends. */
void query_log_free(struct query_log **query_log);

/* The file may have been moved away (logrotate): the next lines go to a new one. */
void query_log_reopen(struct query_log *query_log);

/* Worker `index`'s. False: there was no room, it is left out. */
bool query_log_note(struct query_log *query_log, size_t index, const struct observed *observed);
void query_log_settle(struct query_log *query_log, size_t index, int64_t waited_us);

/* The line of a record, newline included; `wall_us` is when the question came. Pure. */
#define QUERY_LOG_LINE_SIZE 2048
void query_log_line(
    const struct query_record *record, int64_t wall_us, bool shows_names, struct text *line);
