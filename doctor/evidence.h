/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>

#include "doctor/mail_log.h"
#include "doctor/report.h"

/*
 * What the checks of logs share: a line of the log that was met so often becomes an entry. Main
 * thread.
 */
struct doctor;

/* The logs, or NULL with an entry that says why there is nothing to look at. */
const struct mail_log *evidence_log(struct doctor *doctor, enum check_id check);

/* What a pattern means. */
struct evidence {
    enum mail_log_pattern pattern;
    enum report_level level; /* When it was met `often` times or more; less often it is a note. */
    uint64_t often;
    enum report_sure sure;
    const char *sentence; /* "Postfix could not look names up": how often follows. */
    const char *change;
    const char *cause; /* NULL: it explains nothing. */
};

/* Adds an entry if the pattern was met. What has not been seen in the last two days of the logs is
 * a note. */
bool evidence_report(struct doctor *doctor, enum check_id check, const struct mail_log *log,
    const struct evidence *evidence);

/* An entry for each row that was met; GOOD with `well` when none was. */
void evidence_reports(struct doctor *doctor, enum check_id check, const struct evidence *rows,
    size_t count, const char *well);

/* Four of five are about one key: one peer, one domain. */
bool evidence_is_about_one(const struct mail_log_tally *tally);
