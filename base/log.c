/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define LINE_SIZE 1024 /* Newline included. */

#define LIMIT_INTERVAL_US (60 * CLOCK_US_PER_S)

static _Atomic int log_level_now = LOG_LEVEL_NOTICE;

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_NOTICE] = "notice",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_level_now, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

bool log_level_parse(const char *text, enum log_level *level_out)
{
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        if (strcmp(text, level_names[level]) == 0) {
            *level_out = (enum log_level)level;
            return true;
        }
    }
    return false;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

/* JOURNAL_STREAM is "device:inode" of the stream that systemd connected; it is inherited by
 * children whose standard error was redirected, hence the comparison (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat stat;
    if (stream == NULL || fstat(STDERR_FILENO, &stat) != 0) {
        return false;
    }
    char own[48];
    snprintf(
        own, sizeof(own), "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)stat.st_dev, (uintmax_t)stat.st_ino);
    return strcmp(stream, own) == 0;
}

static void prefix_add(struct text *line, enum log_level level)
{
    if (stderr_is_journal()) {
        text_addf(line, "<%d>", (int)level);
        return;
    }
    int64_t now = clock_wall();
    time_t seconds = (time_t)(now / CLOCK_US_PER_S);
    struct tm utc;
    char stamp[32];
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc) == 0) {
        return;
    }
    int millisecond = (int)(now % CLOCK_US_PER_S / CLOCK_US_PER_MS);
    text_addf(line, "%s.%03dZ %s: ", stamp, millisecond, level_names[level]);
}

/* One event is one line, whatever stood in the values. */
static void controls_replace(char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte < 0x20 || byte == 0x7f) {
            bytes[i] = '?';
        }
    }
}

/* The line under construction; its errno is for %m, and is what the caller had. */
struct log_text {
    char buffer[LINE_SIZE];
    struct text text;
    int errno_kept;
};

/* False: nobody wants to read it. */
static bool log_text_begin(struct log_text *line, enum log_level level)
{
    if (level > log_get_level()) {
        return false;
    }
    line->errno_kept = errno;
    text_init(&line->text, line->buffer, sizeof line->buffer);
    prefix_add(&line->text, level);
    errno = line->errno_kept;
    return true;
}

static void log_text_end(struct log_text *line)
{
    struct text *text = &line->text;
    controls_replace(line->buffer, text->len);
    if (text->is_cut) {
        memcpy(line->buffer + text->len - 3, "...", 3);
    }
    line->buffer[text->len] = '\n'; /* In the place of the NUL. */
    ssize_t written = write(STDERR_FILENO, line->buffer, text->len + 1);
    (void)written; /* Nobody is left to tell. */
    errno = line->errno_kept;
}

void log_line(enum log_level level, const char *format, ...)
{
    struct log_text line;
    if (!log_text_begin(&line, level)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    text_addv(&line.text, format, arguments);
    va_end(arguments);
    log_text_end(&line);
}

static void log_text_add_event(struct log_text *line, const struct log_event *event)
{
    text_addf(&line->text, "%s: %s", event->name, event->sentence);
    errno = line->errno_kept;
}

void log_event_bare(const struct log_event *event)
{
    struct log_text line;
    if (log_text_begin(&line, event->level)) {
        log_text_add_event(&line, event);
        log_text_end(&line);
    }
}

void log_event(const struct log_event *event, const char *pairs, ...)
{
    struct log_text line;
    if (!log_text_begin(&line, event->level)) {
        return;
    }
    log_text_add_event(&line, event);
    text_add(&line.text, " ");
    va_list arguments;
    va_start(arguments, pairs);
    text_addv(&line.text, pairs, arguments);
    va_end(arguments);
    log_text_end(&line);
}

bool log_limit_allows(struct log_limit *limit, int64_t now, uint64_t *suppressed_out)
{
    if (now < limit->next_at) {
        limit->suppressed++;
        return false;
    }
    *suppressed_out = limit->suppressed;
    *limit = (struct log_limit){.next_at = now + LIMIT_INTERVAL_US};
    return true;
}

void log_event_limited(
    const struct log_event *event, struct log_limit *limit, int64_t now, const char *pairs, ...)
{
    struct log_text line;
    uint64_t suppressed;
    if (!log_limit_allows(limit, now, &suppressed) || !log_text_begin(&line, event->level)) {
        return;
    }
    log_text_add_event(&line, event);
    text_add(&line.text, " ");
    va_list arguments;
    va_start(arguments, pairs);
    text_addv(&line.text, pairs, arguments);
    va_end(arguments);
    if (suppressed > 0) {
        text_addf(&line.text, " suppressed=%" PRIu64, suppressed);
    }
    log_text_end(&line);
}
