/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/keeper_log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/schema.h"
#include "daemon/events.h"
#include "daemon/snapshot_file.h"

void keeper_log_init(struct keeper_log *log, const char *path)
{
    const struct schema_row *row = schema_row(SCHEMA_ID_snapshot_file);
    *log = (struct keeper_log){.path = path, .is_standard = strcmp(path, row->default_text) == 0};
}

static void keeper_log_restored(const struct keeper_log *log, const struct snapshot_report *report)
{
    log_event(&event_snapshot_restored,
        "answers=%" PRIu64 " left_out=%" PRIu64 " upstreams=%" PRIu64 " age=%" PRId64
        "s took=%" PRId64 "ms file=\"%s\"",
        report->entries, report->left_out, report->blobs, report->age_us / CLOCK_US_PER_S,
        report->took_us / CLOCK_US_PER_MS, log->path);
    if (report->damaged > 0) {
        log_event(
            &event_snapshot_damaged, "damaged=%" PRIu64 " file=\"%s\"", report->damaged, log->path);
    }
    if (report->unknown > 0) {
        log_event(
            &event_snapshot_newer, "unknown=%" PRIu64 " file=\"%s\"", report->unknown, log->path);
    }
}

void keeper_log_loaded(const struct keeper_log *log, const struct snapshot_report *report)
{
    switch (report->verdict) {
    case SNAPSHOT_FILE_DONE:
        keeper_log_restored(log, report);
        return;
    case SNAPSHOT_FILE_NONE:
        log_event(&event_snapshot_none, "file=\"%s\"", log->path);
        return;
    case SNAPSHOT_FILE_FAILED:
        log_event(&event_snapshot_unread, "at=%s error=\"%s\" file=\"%s\"", report->step,
            strerror(report->error), log->path);
        return;
    case SNAPSHOT_FILE_FOREIGN:
        log_event(&event_snapshot_foreign, "file=\"%s\"", log->path);
        return;
    case SNAPSHOT_FILE_EXPOSED:
        log_event(&event_snapshot_distrusted, "user=%lu file=\"%s\"", (unsigned long)geteuid(),
            log->path);
        return;
    case SNAPSHOT_FILE_ENDED:
        log_event(&event_snapshot_interrupted, "file=\"%s\"", log->path);
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
    if (report->verdict == SNAPSHOT_FILE_DONE) {
        log_event(&event_snapshot_written, "answers=%" PRIu64 " took=%" PRId64 "ms file=\"%s\"",
            report->entries, report->took_us / CLOCK_US_PER_MS, log->path);
        return;
    }
    bool is_expected = log->is_standard && keeper_is_out_of_reach(report->error);
    log_event_limited(is_expected ? &event_snapshot_out_of_reach : &event_snapshot_unwritten,
        &log->limit, now, "at=%s error=\"%s\" user=%lu file=\"%s\" advice=\"%s\"", report->step,
        strerror(report->error), (unsigned long)geteuid(), log->path, keeper_remedy(report->error));
}
