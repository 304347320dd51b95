/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "wire/types.h"
#include "mail/list_answer.h"
#include "doctor/doctor.h"

/*
 * What the lists in use answer, through each server: asked about what must be listed and what must
 * not (RFC 5782 section 5). So it is seen who refuses whom, who has ended, lists everything or is
 * silent, and how long mail waits for it.
 */
#define PROBES_MAX   64
#define SERVERS_MAX  8
#define ENTRIES_MAX  12 /* About bad lists; the rest is one more. */
#define LABEL_LEN    12
#define OWN_LIMIT_US (4600 * CLOCK_US_PER_MS) /* mxcache answers within 4 s, if only SERVFAIL. */
#define SLOW_US      (1000 * CLOCK_US_PER_MS)

/* What one server says of one list. */
enum list_state {
    LIST_STATE_UNASKED,
    LIST_STATE_WELL,
    LIST_STATE_FAILED, /* An error in place of an answer. */
    LIST_STATE_BAD,    /* `cause` says how. */
};

struct list_line {
    const struct dns_server *server;
    const struct ask *listed; /* NULL: nothing is known to be. */
    const struct ask *unlisted;
    enum list_state state;
    enum list_cause cause;    /* Of BAD. */
    const struct ask *failed; /* Of FAILED. */
    int64_t slowest_us;
};

struct list_probe {
    const struct list_use *use; /* Of those that ask it, the one that is hurt most. */
    struct list_line lines[SERVERS_MAX];
    size_t line_count;
};

struct list_run {
    struct doctor *doctor;
    struct list_probe probes[PROBES_MAX];
    size_t probe_count;
    size_t probes_left_out;
    struct ask_batch batch;
    char label[LABEL_LEN + 1]; /* Drawn by lot. */
    size_t bad;
    size_t well;
    const struct list_probe *slowest;
    int64_t slowest_us;
};

/* Postfix before the filters, and what rejects before what counts. */
static int use_weight(const struct list_use *use)
{
    if (!list_use_is_postfix(use)) {
        return use->is_default ? 0 : 1;
    }
    return use->by == LIST_USE_POSTSCREEN ? 2 : use->has_filter ? 3 : 4;
}

static void run_add_use(struct list_run *run, const struct list_use *use)
{
    for (size_t i = 0; i < run->probe_count; i++) {
        struct list_probe *probe = &run->probes[i];
        if (list_use_is_same(probe->use, use)) {
            probe->use = use_weight(use) > use_weight(probe->use) ? use : probe->use;
            return;
        }
    }
    if (run->probe_count == PROBES_MAX) {
        run->probes_left_out++;
        return;
    }
    run->probes[run->probe_count++].use = use;
}

/* What to ask the list about; a list that nothing is known of is held to the RFC. */
static struct list_points points_of(const struct list_use *use)
{
    struct list_points points = {.listed = "", .unlisted = ""};
    if (use->known != NULL) {
        points = list_points_of(use->known);
    } else if (use->kind == LIST_KIND_IP || use->kind == LIST_KIND_ALLOW) {
        points.listed = "2.0.0.127";
        points.unlisted = "1.0.0.127";
    } else if (use->kind == LIST_KIND_DOMAIN) {
        points.listed = "test";
        points.unlisted = "invalid";
    }
    return points;
}

static const char *unlisted_of(const struct list_run *run, const struct list_use *use)
{
    struct list_points points = points_of(use);
    bool takes_addresses = use->kind == LIST_KIND_IP || use->kind == LIST_KIND_ALLOW;
    if (points.unlisted[0] != '\0') {
        return points.unlisted;
    }
    return takes_addresses && !points.is_unlisted_random ? "1.0.0.127" : run->label;
}

static const struct ask *line_ask(struct list_run *run, const struct list_line *line,
    const struct list_use *use, const char *subject)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len;
    if (subject[0] == '\0' || !name_from_text(subject, strlen(subject), name, &len) ||
        len - 1 + use->name_len > sizeof name) {
        return NULL;
    }
    memcpy(name + len - 1, use->name, use->name_len);
    struct ask *ask = ask_batch_add_name(
        &run->batch, &line->server->address, name, len - 1 + use->name_len, TYPE_A);
    if (ask != NULL && line->server->is_own) {
        ask->limit_us = OWN_LIMIT_US;
    }
    return ask;
}

static void run_ask(struct list_run *run)
{
    const struct dns_scene *scene = &run->doctor->facts.dns;
    for (size_t i = 0; i < run->probe_count; i++) {
        struct list_probe *probe = &run->probes[i];
        for (size_t at = 0; at < scene->server_count; at++) {
            if (!dns_server_is_usable(&scene->servers[at]) || probe->line_count == SERVERS_MAX) {
                continue;
            }
            struct list_line *line = &probe->lines[probe->line_count++];
            line->server = &scene->servers[at];
            line->listed = line_ask(run, line, probe->use, points_of(probe->use).listed);
            line->unlisted = line_ask(run, line, probe->use, unlisted_of(run, probe->use));
        }
    }
    dns_scene_run(run->doctor, &run->batch);
}

/* Is being listed nothing special where nothing must not be? */
static bool unlisted_counts(const struct list_use *use)
{
    struct list_points points = points_of(use);
    bool is_ended = use->known != NULL && use->known->ended != NULL;
    return points.unlisted[0] != '\0' || points.is_unlisted_random || is_ended;
}

static void line_blame(struct list_line *line, enum list_cause cause)
{
    line->state = LIST_STATE_BAD;
    line->cause = cause;
}

/* A refusal tells more than what a refusal looks like at the test points. */
static void line_judge_answers(struct list_line *line, const struct list_use *use)
{
    const struct ask *const asks[] = {line->listed, line->unlisted};
    enum list_verdict verdicts[2] = {LIST_VERDICT_NOT_LISTED, LIST_VERDICT_NOT_LISTED};
    for (size_t i = 0; i < 2; i++) {
        if (asks[i] == NULL || !ask_is_answered(asks[i])) {
            continue;
        }
        struct list_answer answer =
            list_answer_of(use->known, TYPE_A, asks[i]->stored, asks[i]->stored_len);
        verdicts[i] = answer.verdict;
        line->state = LIST_STATE_WELL;
        if (list_verdict_is_refusal(answer.verdict) && answer.cause != LIST_CAUSE_SUBJECT) {
            line_blame(line, answer.cause);
            return;
        }
    }
    if (line->state != LIST_STATE_WELL) {
        return;
    }
    if (verdicts[1] == LIST_VERDICT_LISTED && unlisted_counts(use)) {
        line_blame(line, LIST_CAUSE_WORLD);
    } else if (line->listed != NULL && ask_is_answered(line->listed) &&
               verdicts[0] == LIST_VERDICT_NOT_LISTED && use->known != NULL) {
        line_blame(line, LIST_CAUSE_EMPTY);
    }
}

/* Neither question has been answered, or the one about what must be listed was with an error. */
static void line_judge_failures(struct list_line *line)
{
    const struct ask *const asks[] = {line->listed, line->unlisted};
    for (size_t i = 0; i < 2; i++) {
        bool counts =
            line->state == LIST_STATE_UNASKED || (i == 0 && line->state == LIST_STATE_WELL);
        if (asks[i] == NULL || !counts) {
            continue;
        }
        if (asks[i]->verdict == ASK_SILENT && line->state == LIST_STATE_UNASKED) {
            line_blame(line, LIST_CAUSE_SILENT);
        } else if (ask_is_replied(asks[i]) && !ask_is_answered(asks[i])) {
            line->state = LIST_STATE_FAILED;
            line->failed = asks[i];
        }
    }
}

static void line_judge(struct list_line *line, const struct list_use *use)
{
    const struct ask *const asks[] = {line->listed, line->unlisted};
    for (size_t i = 0; i < 2; i++) {
        if (asks[i] != NULL && ask_is_answered(asks[i]) &&
            asks[i]->round_trip_us > line->slowest_us) {
            line->slowest_us = asks[i]->round_trip_us;
        }
    }
    line_judge_answers(line, use);
    line_judge_failures(line);
}

/* The line that mail software feels: the worst of those that libc asks; where libc asks none of
 * them, of all. */
static const struct list_line *probe_felt(const struct list_probe *probe)
{
    const struct list_line *worst = NULL;
    bool has_resolver = false;
    for (size_t i = 0; i < probe->line_count; i++) {
        has_resolver = has_resolver || probe->lines[i].server->is_resolver;
    }
    for (size_t i = 0; i < probe->line_count; i++) {
        const struct list_line *line = &probe->lines[i];
        if ((line->server->is_resolver || !has_resolver) &&
            (worst == NULL || line->state > worst->state)) {
            worst = line;
        }
    }
    return worst;
}

static bool probe_is_well_elsewhere(const struct list_probe *probe)
{
    for (size_t i = 0; i < probe->line_count; i++) {
        if (probe->lines[i].state == LIST_STATE_WELL) {
            return true;
        }
    }
    return false;
}

/* "A, B and C": who says the same. */
static void lines_name(
    const struct list_probe *probe, const struct list_line *like, struct text *text)
{
    size_t count = 0;
    for (size_t i = 0; i < probe->line_count; i++) {
        const struct list_line *line = &probe->lines[i];
        if (line->state == like->state && line->cause == like->cause) {
            text_addf(text, "%s%s", count++ > 0 ? ", " : "", line->server->shown);
        }
    }
}

static bool use_waits(const struct list_use *use)
{
    return list_use_is_postfix(use) && use->by != LIST_USE_POSTSCREEN;
}

static enum report_level level_of(const struct list_use *use, const struct list_line *line)
{
    bool is_kept = line->server->is_own;
    bool rejects = list_use_is_postfix(use) && !use->warns_only && !is_kept;
    enum report_level usual = use->is_default ? REPORT_NOTE : REPORT_WARNING;
    if (line->state != LIST_STATE_BAD) {
        return usual;
    }
    switch (line->cause) {
    case LIST_CAUSE_RESOLVER:
    case LIST_CAUSE_QUOTA:
    case LIST_CAUSE_ZONE:
    case LIST_CAUSE_ACCOUNT:
    case LIST_CAUSE_CODE:
    case LIST_CAUSE_PARKED:
        return rejects && !use->has_filter ? REPORT_ERROR : usual;
    case LIST_CAUSE_WORLD:
        return rejects ? REPORT_ERROR : usual;
    case LIST_CAUSE_SILENT:
        return use_waits(use) ? REPORT_ERROR : usual;
    case LIST_CAUSE_EMPTY:
    case LIST_CAUSE_SUBJECT:
    case LIST_CAUSE_NONE:
        break;
    }
    return usual;
}

static void advise_bad(
    struct list_run *run, const struct list_probe *probe, const struct list_line *line)
{
    struct report *report = &run->doctor->report;
    bool is_ours = dns_scene_is_ours(&run->doctor->facts.dns);
    const struct list_use *use = probe->use;
    if (line->cause == LIST_CAUSE_EMPTY && probe_is_well_elsewhere(probe)) {
        report_advise(report,
            "Another server does get the listing, so this one filters the list out: do not ask "
            "lists through it (in mxcache.conf: list_route = direct).");
    } else if (list_cause_is_path(line->cause) && !is_ours) {
        report_advise(report,
            "Ask lists from this host's own address or with a customer's key: let mxcache be the "
            "only server in /etc/resolv.conf (`mxcache setup`), which asks lists that refuse at "
            "their own name servers (list_route). Other public resolvers are refused as well.");
    } else if (list_cause_is_path(line->cause) && use->known != NULL && use->known->has_key) {
        report_advise(report, "The key may have ended, or be mistyped: ask the list's provider.");
    } else if (line->cause == LIST_CAUSE_SILENT) {
        report_advise(report,
            "Take it out of %s, or register this host's address where the list wants that (as "
            "Barracuda does).",
            use->place);
    } else {
        report_advise(report, "%s.", list_cause_remedy(line->cause));
    }
}

static void blame_bad(
    struct list_run *run, const struct list_probe *probe, const struct list_line *line)
{
    const struct list_use *use = probe->use;
    if (line->cause == LIST_CAUSE_SILENT) {
        if (use_waits(use)) {
            report_blame(&run->doctor->report,
                "Postfix waits at each mail for the list %s, which does not answer (%s)",
                use->shown, use->place);
        }
    } else if (level_of(use, line) == REPORT_ERROR) {
        report_blame(&run->doctor->report, "Postfix takes every client for listed, for %s %s (%s)",
            use->shown, list_cause_clause(line->cause), use->place);
    }
}

static void report_bad(
    struct list_run *run, const struct list_probe *probe, const struct list_line *line)
{
    char servers[REPORT_TEXT_MAX / 2];
    char clause[ASK_CLAUSE_SIZE];
    struct text text;
    struct report *report = &run->doctor->report;
    text_init(&text, servers, sizeof servers);
    lines_name(probe, line, &text);
    enum report_level level = level_of(probe->use, line);
    if (line->state == LIST_STATE_BAD) {
        report_add(report, CHECK_lat_dnsbl, level,
            line->cause == LIST_CAUSE_EMPTY ? REPORT_LIKELY : REPORT_CERTAIN,
            "%s (%s) %s; asked through %s.", probe->use->shown, probe->use->place,
            list_cause_clause(line->cause), servers);
        advise_bad(run, probe, line);
        blame_bad(run, probe, line);
        return;
    }
    report_add(report, CHECK_lat_dnsbl, level, REPORT_CERTAIN,
        "%s (%s) is without effect: %s %s to questions about it.", probe->use->shown,
        probe->use->place, servers, ask_clause(line->failed, clause));
    report_advise(report, "%s",
        line->server->is_own
            ? "`mxcache stats` tells under the lists why: it refuses, has ended or is silent."
            : "`mxcache lookup 2.0.0.127.LIST A` shows what each server says; a list that nobody "
              "can reach is to be taken out of the mail software.");
}

/* Only servers that mail software does not ask themselves are refused. */
static void report_elsewhere(struct list_run *run, const struct list_probe *probe)
{
    for (size_t i = 0; i < probe->line_count; i++) {
        const struct list_line *line = &probe->lines[i];
        if (line->state != LIST_STATE_BAD || probe->use->is_default) {
            continue;
        }
        report_add(&run->doctor->report, CHECK_lat_dnsbl, REPORT_NOTE, REPORT_CERTAIN,
            "%s %s when asked through %s; through the servers of /etc/resolv.conf it answers.",
            probe->use->shown, list_cause_clause(line->cause), line->server->shown);
        return;
    }
}

/* Whoever ended is told of by dnsbl-dead; only if it harms it is told here, too. */
static bool probe_is_told_of(const struct list_probe *probe, const struct list_line *line)
{
    bool is_ended = probe->use->known != NULL && probe->use->known->ended != NULL;
    bool harms = line->cause == LIST_CAUSE_WORLD || line->cause == LIST_CAUSE_PARKED;
    return is_ended && !harms;
}

static void probe_report(struct list_run *run, struct list_probe *probe)
{
    for (size_t i = 0; i < probe->line_count; i++) {
        line_judge(&probe->lines[i], probe->use);
    }
    const struct list_line *felt = probe_felt(probe);
    if (felt == NULL || felt->state == LIST_STATE_UNASKED || probe_is_told_of(probe, felt)) {
        return;
    }
    if (felt->state != LIST_STATE_WELL) {
        run->bad++;
        if (run->bad <= ENTRIES_MAX) {
            report_bad(run, probe, felt);
        }
        return;
    }
    run->well++;
    if (felt->slowest_us >= run->slowest_us) {
        run->slowest_us = felt->slowest_us;
        run->slowest = probe;
    }
    report_elsewhere(run, probe);
}

static void run_report_rest(struct list_run *run)
{
    char time_text[24];
    struct text text;
    struct report *report = &run->doctor->report;
    text_init(&text, time_text, sizeof time_text);
    text_add_latency(&text, (uint64_t)run->slowest_us);
    if (run->bad > ENTRIES_MAX) {
        report_add(report, CHECK_lat_dnsbl, REPORT_WARNING, REPORT_CERTAIN,
            "%zu more lists do not answer as they should.", run->bad - ENTRIES_MAX);
    }
    if (run->slowest != NULL && run->slowest_us > SLOW_US) {
        report_add(report, CHECK_lat_dnsbl, REPORT_WARNING, REPORT_LIKELY,
            "%s (%s) takes %s to answer.", run->slowest->use->shown, run->slowest->use->place,
            time_text);
        report_advise(report, "If it stays so, take it out: each mail waits for it.");
        report_blame(
            report, "the list %s answers slowly (%s)", run->slowest->use->shown, time_text);
    } else if (run->slowest != NULL) {
        report_add(report, CHECK_lat_dnsbl, REPORT_GOOD, REPORT_CERTAIN,
            "Lists that answer as they should: %zu; the slowest, %s, in %s.", run->well,
            run->slowest->use->shown, time_text);
    }
    if (run->probes_left_out > 0) {
        report_add(report, CHECK_lat_dnsbl, REPORT_NOTE, REPORT_CERTAIN,
            "%zu further lists were not asked, to keep this short.", run->probes_left_out);
    }
    if (run->well + run->bad == 0) {
        report_add(report, CHECK_lat_dnsbl, REPORT_SKIPPED, REPORT_CERTAIN,
            "No list in use could be asked in time, or all have ended.");
    }
}

static void run_draw(struct list_run *run)
{
    for (size_t i = 0; i < LABEL_LEN; i++) {
        run->label[i] = (char)('a' + random_below(run->doctor->random, 26));
    }
}

void check_lat_dnsbl(struct doctor *doctor)
{
    const struct list_uses *uses = &doctor->facts.lists;
    if (uses->count == 0) {
        report_add(&doctor->report, CHECK_lat_dnsbl, REPORT_SKIPPED, REPORT_CERTAIN,
            "No DNS list is in use.");
        return;
    }
    if (!dns_scene_ready(doctor, CHECK_lat_dnsbl)) {
        return;
    }
    struct list_run *run = calloc(1, sizeof *run);
    must(run != NULL);
    run->doctor = doctor;
    ask_batch_init(&run->batch, (size_t)2 * PROBES_MAX * SERVERS_MAX);
    run_draw(run);
    for (size_t i = 0; i < uses->count; i++) {
        run_add_use(run, &uses->uses[i]);
    }
    run_ask(run);
    for (size_t i = 0; i < run->probe_count; i++) {
        probe_report(run, &run->probes[i]);
    }
    run_report_rest(run);
    ask_batch_fini(&run->batch);
    free(run);
}
