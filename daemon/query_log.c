/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/query_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "wire/header.h"
#include "wire/question.h"
#include "wire/types.h"
#include "conf/settings.h"
#include "resolver/observer.h"
#include "resolver/port.h"
#include "daemon/events.h"
#include "daemon/query_ring.h"
#include "daemon/stats.h"

#define TURN_MS     200
#define BUFFER_SIZE (64u << 10)
#define FILE_MODE   0640

struct query_log {
    struct query_log_options options;
    char path[SETTINGS_PATH_SIZE]; /* Outlives the settings that it came from. */
    struct query_ring **rings;
    int wake; /* An eventfd. */
    _Atomic bool has_ended;
    _Atomic bool must_reopen;
    pthread_t thread;
    bool is_running;

    /* The thread's. */
    int fd;
    int64_t reopen_at; /* While it is not open. */
    struct text buffer;
    uint64_t lines; /* In the buffer. */
    struct log_limit limit;
};

/* ---- The line ---- */

static void line_add_time(struct text *line, int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / CLOCK_US_PER_S);
    struct tm utc;
    char stamp[32];
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc) == 0) {
        return;
    }
    text_addf(line, "time=%s.%06dZ", stamp, (int)(wall_us % CLOCK_US_PER_S));
}

static void line_add_address(struct text *line, const char *key, const struct address *address)
{
    char plain[ADDRESS_TEXT_SIZE];
    if (address->family != ADDRESS_NONE) {
        address_format(address, plain, sizeof plain);
        text_addf(line, " %s=%s", key, plain);
    }
}

static void line_add_question(
    struct text *line, const struct query_record *record, bool shows_names)
{
    char name[REDACT_TEXT_SIZE];
    char type[TYPE_TEXT_SIZE];
    if (!record->has_question) {
        return;
    }
    (void)redact_kept_text(&record->name, shows_names, name, sizeof name);
    text_addf(line, " name=%s type=%s class=%s", name, type_to_text(record->type, type),
        question_class_name((enum question_class)record->class));
}

void query_log_line(
    const struct query_record *record, int64_t wall_us, bool shows_names, struct text *line)
{
    char rcode[TYPE_TEXT_SIZE];
    line_add_time(line, wall_us);
    line_add_address(line, "client", &record->client);
    text_addf(line, " transport=%s", record->is_stream ? "tcp" : "udp");
    line_add_question(line, record, shows_names);
    text_addf(line, " outcome=%s rcode=%s wait_us=%" PRId64,
        outcome_name((enum outcome)record->outcome), rcode_to_text(record->rcode, rcode),
        record->waited_us);
    line_add_address(line, "upstream", &record->upstream);
    text_add(line, "\n");
}

/* ---- The thread ---- */

static void file_complain(struct query_log *query_log, const char *at)
{
    log_event_limited(&event_query_log_unwritten, &query_log->limit, clock_now(),
        "at=%s error=\"%s\" file=\"%s\"", at, strerror(errno), query_log->path);
}

/* O_NONBLOCK is for a FIFO that nobody reads, which would hold us for ever. */
static void file_open(struct query_log *query_log)
{
    if (query_log->fd >= 0) {
        (void)close(query_log->fd);
    }
    query_log->fd = open(query_log->path,
        O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, FILE_MODE);
    if (query_log->fd < 0) {
        query_log->reopen_at = clock_now() + query_log->options.reopen_us;
        file_complain(query_log, "open");
        return;
    }
    log_event(&event_query_log_open, "file=\"%s\"", query_log->path);
}

/* What was written of the buffer in part is not repeated: half a line is better than one twice. */
static void file_write(struct query_log *query_log)
{
    struct text *buffer = &query_log->buffer;
    size_t at = 0;
    while (query_log->fd >= 0 && at < buffer->len) {
        ssize_t written = write(query_log->fd, buffer->data + at, buffer->len - at);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            file_complain(query_log, "write");
            break;
        }
        at += (size_t)written;
    }
    if (at < buffer->len) {
        counter_add(&query_log->options.stats->query_log_lost, query_log->lines);
    }
    text_init(buffer, buffer->data, buffer->size);
    query_log->lines = 0;
}

static void ring_drain(struct query_log *query_log, struct query_ring *ring, int64_t wall_offset)
{
    const struct query_record *record;
    while ((record = query_ring_first(ring)) != NULL) {
        if (query_log->buffer.size - query_log->buffer.len < QUERY_LOG_LINE_SIZE) {
            file_write(query_log);
        }
        query_log_line(
            record, record->at + wall_offset, query_log->options.shows_names, &query_log->buffer);
        query_log->lines++;
        query_ring_drop(ring);
    }
}

static void log_turn(struct query_log *query_log)
{
    int64_t wall_offset = clock_wall() - clock_now();
    bool is_asked = atomic_exchange_explicit(&query_log->must_reopen, false, memory_order_acquire);
    /* The disk may have been full, or its folder not mounted yet. */
    if (is_asked || (query_log->fd < 0 && clock_now() >= query_log->reopen_at)) {
        file_open(query_log);
    }
    for (size_t i = 0; i < query_log->options.worker_count; i++) {
        ring_drain(query_log, query_log->rings[i], wall_offset);
    }
    file_write(query_log);
}

static void *log_run(void *context)
{
    struct query_log *query_log = context;
    bool is_last = false;
    while (!is_last) {
        struct pollfd wake = {.fd = query_log->wake, .events = POLLIN};
        uint64_t count;
        if (poll(&wake, 1, TURN_MS) > 0) {
            (void)!read(query_log->wake, &count, sizeof count);
        }
        is_last = atomic_load_explicit(&query_log->has_ended, memory_order_acquire);
        log_turn(query_log);
    }
    return NULL;
}

/* ---- Made and ended ---- */

static bool log_make_rings(struct query_log *query_log)
{
    query_log->rings = calloc(query_log->options.worker_count, sizeof(struct query_ring *));
    if (query_log->rings == NULL) {
        return false;
    }
    for (size_t i = 0; i < query_log->options.worker_count; i++) {
        query_log->rings[i] = query_ring_new();
        if (query_log->rings[i] == NULL) {
            return false;
        }
    }
    return true;
}

/* No signal is ever delivered to it. */
static bool log_start(struct query_log *query_log)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    query_log->is_running = pthread_create(&query_log->thread, NULL, log_run, query_log) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return query_log->is_running;
}

struct query_log *query_log_new(const struct query_log_options *options)
{
    struct query_log *query_log = calloc(1, sizeof *query_log);
    if (query_log == NULL) {
        return NULL;
    }
    struct text path;
    query_log->options = *options;
    text_init(&path, query_log->path, sizeof query_log->path);
    text_add(&path, options->path);
    query_log->options.path = query_log->path;
    if (query_log->options.reopen_us == 0) {
        query_log->options.reopen_us = QUERY_LOG_REOPEN_US;
    }
    query_log->fd = -1;
    query_log->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    char *buffer = malloc(BUFFER_SIZE);
    if (buffer != NULL) {
        text_init(&query_log->buffer, buffer, BUFFER_SIZE);
    }
    if (buffer == NULL || query_log->wake < 0 || !log_make_rings(query_log)) {
        query_log_free(&query_log);
        return NULL;
    }
    file_open(query_log);
    if (!log_start(query_log)) {
        query_log_free(&query_log);
    }
    return query_log;
}

static void log_wake(struct query_log *query_log)
{
    const uint64_t one = 1;
    (void)!write(query_log->wake, &one, sizeof one);
}

void query_log_free(struct query_log **query_log)
{
    if (query_log == NULL || *query_log == NULL) {
        return;
    }
    struct query_log *old = *query_log;
    if (old->is_running) {
        atomic_store_explicit(&old->has_ended, true, memory_order_release);
        log_wake(old);
        (void)pthread_join(old->thread, NULL);
    }
    for (size_t i = 0; old->rings != NULL && i < old->options.worker_count; i++) {
        query_ring_free(&old->rings[i]);
    }
    if (old->fd >= 0) {
        (void)close(old->fd);
    }
    if (old->wake >= 0) {
        (void)close(old->wake);
    }
    free(old->buffer.data);
    free(old->rings);
    free(old);
    *query_log = NULL;
}

void query_log_reopen(struct query_log *query_log)
{
    atomic_store_explicit(&query_log->must_reopen, true, memory_order_release);
    log_wake(query_log);
}

/* ---- What workers do ---- */

bool query_log_note(struct query_log *query_log, size_t index, const struct observed *observed)
{
    struct query_ring *ring = query_log->rings[index];
    struct query_record *record = query_ring_take(ring);
    if (record == NULL) {
        return false;
    }
    record->at = observed->asked_at;
    record->waited_us = observed->answered_at - observed->asked_at;
    record->client = observed->client->address;
    record->upstream =
        observed->upstream != NULL ? *observed->upstream : (struct address){.family = ADDRESS_NONE};
    record->name = *observed->name;
    record->type = observed->question != NULL ? observed->question->type : 0;
    record->rcode = (uint16_t)observed->rcode;
    record->class = (uint8_t)observed->class;
    record->outcome = (uint8_t)observed->outcome;
    record->has_question = observed->question != NULL;
    record->is_stream = observed->client->is_stream;
    record->is_waiting = observed->query != NULL;
    if (!record->is_waiting) {
        query_ring_show(ring);
    }
    return true;
}

void query_log_settle(struct query_log *query_log, size_t index, int64_t waited_us)
{
    query_ring_settle(query_log->rings[index], waited_us);
}
