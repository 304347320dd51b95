/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/doctor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "doctor/capture_advice.h"
#include "doctor/capture_file.h"
#include "doctor/capture_packet.h"
#include "doctor/capture_tally.h"

#define SENTENCE_SIZE REPORT_TEXT_MAX
#define NAME_SIZE     (ADDRESS_TEXT_SIZE + 16)

/* More is no help to a reader: the worst is looked at, the others have numbers. */
#define PICTURES_MAX 3

struct study {
    struct capture_flows flows;
    struct capture_tally tally;
    enum capture_file_verdict end;
};

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void add_time(struct text *text, int64_t at_us)
{
    char written[32] = "";
    struct tm parts;
    time_t seconds = (time_t)(at_us / CLOCK_US_PER_S);
    if (gmtime_r(&seconds, &parts) != NULL &&
        strftime(written, sizeof written, "%Y-%m-%d %H:%M:%S UTC", &parts) > 0) {
        text_add(text, written);
    }
}

static void add_host(struct text *text, const struct address *address)
{
    char name[ADDRESS_TEXT_SIZE];
    (void)address_format_host(address, name, sizeof name);
    text_add(text, name);
}

/* Which conversation, of how many. */
static void add_which(struct text *text, const struct capture_group *group)
{
    if (group->count > 1) {
        text_addf(text, "%" PRIu64 " conversations like this; the worst: ", group->count);
    }
    add_host(text, &group->peers[CAPTURE_CLIENT]);
    text_add(text, " to ");
    add_host(text, &group->peers[CAPTURE_SERVER]);
    text_addf(text, " port %u, begun ", (unsigned)group->peers[CAPTURE_SERVER].port);
    add_time(text, group->begin_us);
    text_add(text, ": ");
}

/* Whose fault it is in all of them. */
static void add_culprits(struct text *text, const struct capture_group *group)
{
    const char *noun = group->worst.culprit == CAPTURE_CLIENT ? "client" : "server";
    if (group->count < 2 || group->culprit_count == 0) {
        return;
    }
    if (group->culprit_count == 1) {
        text_addf(text, " In all of them the %s is ", noun);
        add_host(text, &group->culprits[0]);
        text_add(text, ".");
        return;
    }
    bool is_full = group->culprit_count == CAPTURE_CULPRITS_MAX;
    text_addf(text, " They are of %zu%s different %ss.", group->culprit_count,
        is_full ? " or more" : "", noun);
}

static void add_home(struct text *text, const struct capture_group *group)
{
    if (group->home != CAPTURE_NOBODY) {
        text_addf(text, " The capture was made at the %s.",
            group->home == CAPTURE_CLIENT ? "client" : "server");
    }
}

static void draw_group(struct report *report, const struct capture_group *group)
{
    char names[CAPTURE_SIDES][NAME_SIZE];
    static const char *const roles[] = {"client", "server"};
    char *picture = malloc(REPORT_PICTURE_MAX);
    if (picture == NULL) {
        return;
    }
    struct text text;
    for (int i = 0; i < CAPTURE_SIDES; i++) {
        text_init(&text, names[i], sizeof names[i]);
        text_addf(&text, "%s ", roles[i]);
        add_host(&text, &group->peers[i]);
    }
    const char *const shown[CAPTURE_SIDES] = {names[CAPTURE_CLIENT], names[CAPTURE_SERVER]};
    text_init(&text, picture, REPORT_PICTURE_MAX);
    capture_ladder_draw(&group->ladder, shown, &text);
    report_picture(report, picture);
    free(picture);
}

static void report_group(struct doctor *doctor, const struct capture_group *group)
{
    char sentence[SENTENCE_SIZE];
    struct text text;
    struct report *report = &doctor->report;
    text_init(&text, sentence, sizeof sentence);
    add_which(&text, group);
    capture_advice_seen(&text, group);
    add_culprits(&text, group);
    add_home(&text, group);
    report_add(report, CHECK_capture, group->worst.level, group->worst.sure, "%s", sentence);
    text_init(&text, sentence, sizeof sentence);
    capture_advice_change(&text, group, &doctor->facts.postfix);
    if (text.len > 0) {
        report_advise(report, "%s", sentence);
    }
    if (group->worst.level >= REPORT_WARNING) {
        text_init(&text, sentence, sizeof sentence);
        capture_advice_cause(&text, group);
        report_blame(report, "%s", sentence);
    }
}

static void report_groups(struct doctor *doctor, const struct capture_tally *tally)
{
    for (size_t i = 0; i < tally->group_count; i++) {
        report_group(doctor, &tally->groups[i]);
        if (i < PICTURES_MAX) {
            draw_group(&doctor->report, &tally->groups[i]);
        }
    }
    if (tally->dropped > 0) {
        report_add(&doctor->report, CHECK_capture, REPORT_NOTE, REPORT_CERTAIN,
            "%" PRIu64 " more conversations had yet other troubles.", tally->dropped);
    }
}

/* What the capture lacks, since that may hide something. */
static void report_lacks(struct doctor *doctor, const struct study *study)
{
    const struct capture_flow_counts *counts = &study->flows.counts;
    struct report *report = &doctor->report;
    if (study->end == CAPTURE_FILE_DAMAGED || study->end == CAPTURE_FILE_LIMIT) {
        report_add(report, CHECK_capture, REPORT_NOTE, REPORT_CERTAIN,
            study->end == CAPTURE_FILE_DAMAGED
                ? "The file ends in the middle of a packet, or is damaged after packet %" PRIu64
                  "; what comes before has been read."
                : "Only the first %" PRIu64 " packets have been read; the file has more.",
            counts->packets);
    }
    if (counts->snapped > 0) {
        report_add(report, CHECK_capture, REPORT_NOTE, REPORT_CERTAIN,
            "%" PRIu64 " packets are cut short in the capture, so words of the dialogue are "
            "missing.",
            counts->snapped);
        report_advise(report, "Capture whole packets: tcpdump -s0 -w FILE port 25");
    }
    if (study->tally.one_sided > 0) {
        report_add(report, CHECK_capture, REPORT_NOTE, REPORT_CERTAIN,
            "Of %" PRIu64 " conversation%s the capture has one direction only; nothing can be "
            "said about them.",
            study->tally.one_sided, plural(study->tally.one_sided));
        report_advise(report, "Capture where both directions pass: on the mail host itself.");
    }
    if (counts->fragments > 0 || counts->evicted > 0) {
        report_add(report, CHECK_capture, REPORT_NOTE, REPORT_CERTAIN,
            "%" PRIu64 " fragments of IP were left out, and %" PRIu64 " conversations were "
            "followed only in part, because more than %d went on at a time.",
            counts->fragments, counts->evicted, CAPTURE_FLOWS_MAX);
    }
}

static void report_sum(struct doctor *doctor, const struct study *study)
{
    const struct capture_flow_counts *counts = &study->flows.counts;
    const struct capture_tally *tally = &study->tally;
    double seconds =
        (double)(study->flows.last_us - study->flows.first_us) / (double)CLOCK_US_PER_S;
    if (counts->flows == 0) {
        report_add(&doctor->report, CHECK_capture, REPORT_NOTE, REPORT_CERTAIN,
            "The capture has %" PRIu64 " packets, but no conversation of SMTP (ports 25, 465, 587 "
            "and 2525; --port names another).",
            counts->packets);
        return;
    }
    report_add(&doctor->report, CHECK_capture, tally->troubled == 0 ? REPORT_GOOD : REPORT_NOTE,
        REPORT_CERTAIN,
        "The capture has %" PRIu64 " conversation%s in %.0f s, %" PRIu64 " of them encrypted; "
        "%" PRIu64 " went well, with no wait above %.1f s.",
        counts->flows, plural(counts->flows), seconds, tally->encrypted, tally->well,
        (double)tally->longest_us / (double)CLOCK_US_PER_S);
}

static void study_read(struct study *study, struct capture_file *file)
{
    struct capture_packet packet;
    while ((study->end = capture_file_next(file, &packet)) == CAPTURE_FILE_PACKET) {
        capture_flows_take(&study->flows, &packet);
    }
    capture_flows_end(&study->flows);
    capture_tally_sort(&study->tally);
}

static void study_run(struct doctor *doctor, struct study *study, struct capture_file *file)
{
    const struct hash_key key = hash_key_new(doctor->random);
    study->flows.done = NULL;
    if (!capture_flows_init(&study->flows, &key, doctor->options.capture_port, CAPTURE_FLOWS_MAX)) {
        report_add(&doctor->report, CHECK_capture, REPORT_SKIPPED, REPORT_CERTAIN,
            "There is not enough memory to follow conversations.");
        return;
    }
    study->flows.done = capture_tally_take;
    study->flows.context = &study->tally;
    study_read(study, file);
    report_groups(doctor, &study->tally);
    report_lacks(doctor, study);
    report_sum(doctor, study);
}

void check_capture(struct doctor *doctor)
{
    char sentence[SENTENCE_SIZE];
    if (doctor->options.capture == NULL) {
        report_add(&doctor->report, CHECK_capture, REPORT_SKIPPED, REPORT_CERTAIN,
            "No capture was given. Make one with `tcpdump -s0 -w FILE port 25` while mail is slow, "
            "then `mxcache doctor --capture FILE`.");
        return;
    }
    struct capture_file *file =
        capture_file_open(doctor->options.capture, sentence, sizeof sentence);
    if (file == NULL) {
        report_add(&doctor->report, CHECK_capture, REPORT_WARNING, REPORT_CERTAIN, "%s", sentence);
        return;
    }
    struct study *study = calloc(1, sizeof *study);
    if (study != NULL) {
        study_run(doctor, study, file);
        capture_flows_fini(&study->flows);
    }
    free(study);
    capture_file_free(&file);
}
