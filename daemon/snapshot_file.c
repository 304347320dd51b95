/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "conf/settings.h"
#include "daemon/snapshot_clock.h"

#define PATH_SIZE SETTINGS_PATH_SIZE

/* Answers between two offers of the processor: some tenths of a millisecond. Who gives way between
 * two locks is seldom made to in the middle of one, with a worker waiting for it. */
#define YIELD_EVERY 512u

/* A file that is being written. */
struct writing {
    struct snapshot_report *report;
    struct snapshot_head head;
    struct snapshot_moment moment;
    int fd;
    uint8_t *block;
    size_t len; /* Bytes in the block. */
    bool has_failed;
};

static void yield_now_and_then(uint64_t answers)
{
    if (answers % YIELD_EVERY == 0) {
        (void)sched_yield();
    }
}

static void report_fail(struct snapshot_report *report, const char *step)
{
    report->verdict = SNAPSHOT_FILE_FAILED;
    report->error = errno;
    report->step = step;
}

static void writing_fail(struct writing *writing, const char *step)
{
    if (!writing->has_failed) {
        report_fail(writing->report, step);
        writing->has_failed = true;
    }
}

static void writing_flush(struct writing *writing)
{
    size_t done = 0;
    while (done < writing->len && !writing->has_failed) {
        ssize_t written = write(writing->fd, writing->block + done, writing->len - done);
        if (written > 0) {
            done += (size_t)written;
        } else if (written == 0 || errno != EINTR) {
            writing_fail(writing, "write");
        }
    }
    writing->len = 0;
}

/* Where the next record goes. */
static uint8_t *writing_room(struct writing *writing)
{
    if (SNAPSHOT_FILE_BLOCK - writing->len < SNAPSHOT_RECORD_MAX) {
        writing_flush(writing);
    }
    return writing->block + writing->len;
}

static void writing_add_entry(void *context, const struct cache_record *record)
{
    struct writing *writing = context;
    if (!writing->has_failed) {
        size_t len = snapshot_write_entry(&writing->moment, record, writing_room(writing));
        writing->len += len;
        writing->report->entries += len > 0 ? 1 : 0;
        yield_now_and_then(writing->report->entries);
    }
}

/* Before all that has an age. */
static void writing_add_clock(struct writing *writing)
{
    struct snapshot_clock clock;
    if (snapshot_clock_make(&clock, writing->moment.now)) {
        writing->len += snapshot_write_blob(&writing->head, &clock.blob, writing_room(writing));
    }
}

/* What was learned goes first: it is little, and worth most to a server that has just started. */
static void writing_add_all(struct writing *writing, const struct snapshot_content *content)
{
    uint64_t cursor = 0;
    snapshot_write_head(&writing->head, writing_room(writing));
    writing->len += (size_t)2 * SNAPSHOT_HEAD_SIZE;
    writing_add_clock(writing);
    for (size_t i = 0; i < content->bag->count; i++) {
        size_t len =
            snapshot_write_blob(&writing->head, &content->bag->blobs[i], writing_room(writing));
        writing->len += len;
        writing->report->blobs += len > 0 ? 1 : 0;
    }
    while (
        !writing->has_failed && cache_walk(content->cache, &cursor, writing_add_entry, writing)) {
    }
    writing_flush(writing);
}

/* The directory of the path, for the rename to last. False: no such thing to be had. */
static bool directory_sync(const char *path)
{
    char directory[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    int len = slash == NULL || slash == path ? 1 : (int)(slash - path);
    (void)snprintf(directory, sizeof directory, "%.*s", len, slash == NULL ? "." : path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_synced;
}

/* Made new, so that it is ours and 0600 whatever stood there, were it a link. */
static int file_make(const char *path)
{
    (void)unlink(path);
    return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static void writing_end(struct writing *writing, const char *beside, const char *path)
{
    if (!writing->has_failed && fsync(writing->fd) != 0) {
        writing_fail(writing, "fsync");
    }
    /* It is read once, at the next start: its pages are of more use to the mail. */
    (void)posix_fadvise(writing->fd, 0, 0, POSIX_FADV_DONTNEED);
    if (close(writing->fd) != 0) {
        writing_fail(writing, "close");
    }
    if (!writing->has_failed && rename(beside, path) != 0) {
        writing_fail(writing, "rename");
    }
    if (writing->has_failed) {
        (void)unlink(beside);
    } else if (!directory_sync(path)) {
        writing_fail(writing, "fsync of the directory");
    }
}

void snapshot_file_write(const char *path, const struct snapshot_content *content,
    const struct hash_key *key, struct snapshot_report *report_out)
{
    char beside[PATH_SIZE + 8];
    int64_t begun_at = clock_now();
    *report_out = (struct snapshot_report){.verdict = SNAPSHOT_FILE_DONE};
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    struct writing writing = {
        .report = report_out,
        .head = {.created_wall = clock_wall(), .key = *key},
        .fd = file_make(beside),
        .block = malloc(SNAPSHOT_FILE_BLOCK),
    };
    writing.moment = (struct snapshot_moment){.head = &writing.head, .now = begun_at};
    if (writing.fd < 0 || writing.block == NULL) {
        writing_fail(&writing, writing.fd < 0 ? "open" : "memory");
        if (writing.fd >= 0) {
            (void)close(writing.fd);
            (void)unlink(beside);
        }
    } else {
        writing_add_all(&writing, content);
        writing_end(&writing, beside, path);
    }
    free(writing.block);
    report_out->took_us = clock_now() - begun_at;
}

/* A file that is being loaded. */
struct loading {
    const struct snapshot_content *content;
    struct snapshot_report *report;
    struct snapshot_scan scan;
    struct snapshot_window window;
    uint8_t *block;
    int64_t begun_at;
    int64_t wall;
    int64_t run_us; /* Its age by the monotonic clock; -1: it is of another run of the system. */
};

static int64_t loading_age(const struct loading *loading)
{
    if (!loading->scan.has_head) {
        return 0;
    }
    bool is_of_this_run = loading->run_us >= 0;
    return is_of_this_run ? loading->run_us : snapshot_age(&loading->scan.head, loading->wall);
}

static void loading_take_blob(struct loading *loading, const struct snapshot_blob *blob)
{
    if (snapshot_clock_is(blob)) {
        loading->run_us = snapshot_clock_age(blob, loading->begun_at);
    } else {
        loading->report->blobs += blob_bag_add(loading->content->bag, blob) ? 1 : 0;
    }
}

/* Its entries' ages count from the moment that it was written at, on our clock. */
static void loading_take_entry(struct loading *loading, struct cache_record *record)
{
    record->stored_at += loading->begun_at - loading_age(loading);
    if (cache_restore(loading->content->cache, record, loading->begun_at)) {
        loading->report->entries++;
    } else {
        loading->report->left_out++;
    }
    yield_now_and_then(loading->report->entries + loading->report->left_out);
}

/* All that stands whole in the window. False: there is no more to come. */
static bool loading_take_window(struct loading *loading)
{
    for (;;) {
        struct snapshot_found found;
        switch (snapshot_next(&loading->scan, &loading->window, &found)) {
        case SNAPSHOT_ENTRY:
            loading_take_entry(loading, &found.entry);
            break;
        case SNAPSHOT_BLOB:
            loading_take_blob(loading, &found.blob);
            break;
        case SNAPSHOT_MORE:
            return true;
        case SNAPSHOT_END:
            return false;
        case SNAPSHOT_FOREIGN:
            loading->report->verdict = SNAPSHOT_FILE_FOREIGN;
            return false;
        }
    }
}

/* What is left over moves to the front, and the block is filled up behind it. False: an error. */
static bool loading_fill(struct loading *loading, int fd)
{
    struct snapshot_window *window = &loading->window;
    size_t len = window->len - window->at;
    memmove(loading->block, loading->block + window->at, len);
    while (len < SNAPSHOT_FILE_BLOCK && !window->is_last) {
        ssize_t got = read(fd, loading->block + len, SNAPSHOT_FILE_BLOCK - len);
        if (got < 0 && errno != EINTR) {
            report_fail(loading->report, "read");
            return false;
        }
        window->is_last = got == 0;
        len += got > 0 ? (size_t)got : 0;
    }
    window->len = len;
    window->at = 0;
    return true;
}

static void loading_run(struct loading *loading, int fd, const atomic_bool *must_end)
{
    bool has_more = true;
    while (has_more) {
        if (atomic_load_explicit(must_end, memory_order_relaxed)) {
            loading->report->verdict = SNAPSHOT_FILE_ENDED;
            return;
        }
        has_more = loading_fill(loading, fd) && loading_take_window(loading);
    }
}

/* Not blocked by a pipe that stands in its place, nor led astray by somebody else's file. */
static int file_open(const char *path, struct snapshot_report *report)
{
    struct stat stat;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        report_fail(report, "open");
        report->verdict = errno == ENOENT ? SNAPSHOT_FILE_NONE : SNAPSHOT_FILE_FAILED;
        return -1;
    }
    bool is_readable = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
    bool is_ours = is_readable && (stat.st_uid == geteuid() || stat.st_uid == 0) &&
                   (stat.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    if (is_ours) {
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        return fd;
    }
    report->verdict = SNAPSHOT_FILE_EXPOSED;
    (void)close(fd);
    return -1;
}

void snapshot_file_load(const char *path, const struct snapshot_content *content,
    const atomic_bool *must_end, struct snapshot_report *report_out)
{
    *report_out = (struct snapshot_report){.verdict = SNAPSHOT_FILE_DONE};
    struct loading loading = {
        .content = content,
        .report = report_out,
        .begun_at = clock_now(),
        .wall = clock_wall(),
        .run_us = -1,
    };
    int fd = file_open(path, report_out);
    if (fd < 0) {
        return;
    }
    loading.block = malloc(SNAPSHOT_FILE_BLOCK);
    if (loading.block == NULL) {
        report_fail(report_out, "memory");
    } else {
        loading.window.bytes = loading.block;
        loading_run(&loading, fd, must_end);
    }
    free(loading.block);
    (void)close(fd);
    report_out->age_us = loading_age(&loading);
    report_out->unknown = loading.scan.unknown;
    report_out->damaged = loading.scan.damaged;
    report_out->took_us = clock_now() - loading.begun_at;
}
