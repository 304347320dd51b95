/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/keeper_log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/schema.h"
#include "daemon/snapshot_file.h"

void keeper_log_init(struct keeper_log *log, const char *path)
{
    const struct schema_row *row = schema_row(SCHEMA_ID_snapshot_file);
    *log = (struct keeper_log){.path = path, .is_standard = strcmp(path, row->default_text) == 0};
}

static void keeper_log_restored(const struct keeper_log *log, const struct snapshot_report *report)
{
    log_line(LOG_LEVEL_NOTICE,
        "restored answers=%" PRIu64 " left_out=%" PRIu64 " upstreams=%" PRIu64 " age=%" PRId64
        "s took=%" PRId64 "ms file=%s",
        report->entries, report->left_out, report->blobs, report->age_us / CLOCK_US_PER_S,
        report->took_us / CLOCK_US_PER_MS, log->path);
    if (report->damaged > 0) {
        log_line(LOG_LEVEL_WARNING,
            "the snapshot was damaged, what could be read of it was taken damaged=%" PRIu64
            " file=%s",
            report->damaged, log->path);
    }
    if (report->unknown > 0) {
        log_line(LOG_LEVEL_NOTICE,
            "the snapshot was written by a later version, what is not known here was skipped"
            " unknown=%" PRIu64 " file=%s",
            report->unknown, log->path);
    }
}

void keeper_log_loaded(const struct keeper_log *log, const struct snapshot_report *report)
{
    switch (report->verdict) {
    case SNAPSHOT_FILE_DONE:
        keeper_log_restored(log, report);
        return;
    case SNAPSHOT_FILE_NONE:
        log_line(LOG_LEVEL_INFO, "no snapshot to restore file=%s", log->path);
        return;
    case SNAPSHOT_FILE_FAILED:
        log_line(LOG_LEVEL_WARNING,
            "the snapshot cannot be read, the cache starts empty at=%s error=\"%s\" file=%s",
            report->step, strerror(report->error), log->path);
        return;
    case SNAPSHOT_FILE_FOREIGN:
        log_line(LOG_LEVEL_WARNING,
            "this is no snapshot that this version can read, the cache starts empty; it will be"
            " written over file=%s",
            log->path);
        return;
    case SNAPSHOT_FILE_EXPOSED:
        log_line(LOG_LEVEL_WARNING,
            "the snapshot is not believed, the cache starts empty: it must be a plain file of user"
            " %lu that nobody else may write (chmod 600) file=%s",
            (unsigned long)geteuid(), log->path);
        return;
    case SNAPSHOT_FILE_ENDED:
        log_line(LOG_LEVEL_INFO, "ended before the snapshot was restored file=%s", log->path);
        return;
    }
}

/* What to do about it. */
static const char *keeper_remedy(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return "the disk is full: make room, or set snapshot_file to another one or to nothing";
    case ENOENT:
    case ENOTDIR:
        return "its directory is missing: create it for the user that mxcache runs as (systemd: "
               "StateDirectory=mxcache), or set snapshot_file to nothing";
    case EACCES:
    case EPERM:
    case EROFS:
        return "its directory must be writable for the user that mxcache runs as: chown it "
               "(systemd: StateDirectory=mxcache), or set snapshot_file to nothing";
    default:
        return "see to the disk, or set snapshot_file to another place or to nothing";
    }
}

static bool keeper_is_out_of_reach(int error)
{
    return error == ENOENT || error == EACCES || error == EPERM || error == EROFS;
}

void keeper_log_written(struct keeper_log *log, const struct snapshot_report *report, int64_t now)
{
    uint64_t suppressed;
    if (report->verdict == SNAPSHOT_FILE_DONE) {
        log_line(LOG_LEVEL_DEBUG, "snapshot written answers=%" PRIu64 " took=%" PRId64 "ms file=%s",
            report->entries, report->took_us / CLOCK_US_PER_MS, log->path);
    } else if (log_limit_allows(&log->limit, now, &suppressed)) {
        bool is_expected = log->is_standard && keeper_is_out_of_reach(report->error);
        log_line(is_expected ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
            "the snapshot was not written, a restart would start with an older one or none: %s"
            " at=%s error=\"%s\" user=%lu file=%s repeated=%" PRIu64,
            keeper_remedy(report->error), report->step, strerror(report->error),
            (unsigned long)geteuid(), log->path, suppressed);
    }
}
