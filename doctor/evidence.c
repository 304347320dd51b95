/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/evidence.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "doctor/doctor.h"
#include "doctor/wording.h"

#define RECENT_S      (2 * 86400)
#define DURATION_SIZE 32
#define SPAN_SIZE     256

const struct mail_log *evidence_log(struct doctor *doctor, enum check_id check)
{
    const struct mail_log *log = mail_log_of(doctor);
    if (log->source_count > 0) {
        return log;
    }
    if (log->denied[0] != '\0') {
        report_add(&doctor->report, check, REPORT_SKIPPED, REPORT_CERTAIN,
            "%s may not be read by this user, or is not there; run the doctor as root.",
            log->denied);
    } else {
        report_add(&doctor->report, check, REPORT_SKIPPED, REPORT_CERTAIN,
            "No mail log was found. Where the journal has it: journalctl -u 'postfix*' -u rspamd | "
            "mxcache doctor --log -");
    }
    return NULL;
}

static bool tally_is_recent(const struct mail_log *log, const struct mail_log_tally *tally)
{
    return tally->last_s == 0 || log->last_s - tally->last_s < RECENT_S;
}

bool evidence_is_about_one(const struct mail_log_tally *tally)
{
    const struct mail_log_key *top = mail_log_top_key(tally);
    return top != NULL && top->count * 5 >= tally->count * 4;
}

/* "37 times in 5 days, the last one 2 hours before the log's end, most often about KEY (20)" */
static void span_text(
    const struct mail_log *log, const struct mail_log_tally *tally, char text_out[SPAN_SIZE])
{
    struct text text;
    char duration[DURATION_SIZE];
    const struct mail_log_key *top = mail_log_top_key(tally);
    text_init(&text, text_out, SPAN_SIZE);
    text_addf(&text, "%" PRIu64 " time%s", tally->count, tally->count == 1 ? "" : "s");
    if (log->last_s > log->first_s) {
        wording_duration(log->last_s - log->first_s, duration, sizeof duration);
        text_addf(&text, " in %s of log", duration);
    }
    if (!tally_is_recent(log, tally)) {
        wording_duration(log->last_s - tally->last_s, duration, sizeof duration);
        text_addf(&text, ", but not in the last %s", duration);
    }
    if (top != NULL && tally->count > 1) {
        text_addf(&text, ", most often about %s (%" PRIu64 ")", top->text, top->count);
    }
}

bool evidence_report(struct doctor *doctor, enum check_id check, const struct mail_log *log,
    const struct evidence *evidence)
{
    const struct mail_log_tally *tally = &log->tallies[evidence->pattern];
    char span[SPAN_SIZE];
    if (tally->count == 0) {
        return false;
    }
    bool is_bad = tally->count >= evidence->often && tally_is_recent(log, tally);
    enum report_level level = is_bad ? evidence->level : REPORT_NOTE;
    span_text(log, tally, span);
    report_add(&doctor->report, check, level, evidence->sure, "%s: %s. The last: %s",
        evidence->sentence, span, tally->example);
    if (evidence->change != NULL) {
        report_advise(&doctor->report, "%s", evidence->change);
    }
    if (evidence->cause != NULL && level >= REPORT_WARNING) {
        const struct mail_log_key *top = mail_log_top_key(tally);
        bool has_name = top != NULL && evidence_is_about_one(tally);
        report_blame(&doctor->report, "%s%s%s", evidence->cause, has_name ? ": " : "",
            has_name ? top->text : "");
    }
    return true;
}

void evidence_reports(struct doctor *doctor, enum check_id check, const struct evidence *rows,
    size_t count, const char *well)
{
    const struct mail_log *log = evidence_log(doctor, check);
    bool is_met = false;
    if (log == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        is_met |= evidence_report(doctor, check, log, &rows[i]);
    }
    if (!is_met) {
        report_add(&doctor->report, check, REPORT_GOOD, REPORT_CERTAIN, "%s", well);
    }
}
