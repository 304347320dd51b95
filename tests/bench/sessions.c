/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The load of the bench: inbound SMTP sessions as one resolver sees them (workload.h), so many at a
 * time, each taking its steps one after another with short pauses, asking as mail software does
 * (asker.h). Measures how long each session waited for DNS, and what failed. Prints one line of
 * JSON; progress goes to standard error.
 *
 *     sessions [-n SESSIONS] [-c AT_A_TIME] [-s SEED] [-f FIRST] [-t SECONDS] [-x SECONDS]
 *              [-l LATE_MS] [-p] [-q] [-v] SERVER@PORT
 *
 * -f is the number of the first session: equal numbers and seeds ask equal questions. After -t no
 * more sessions begin, after -x all is over, whatever is under way. -l is the wait from which an
 * answer counts as late; -v names the late ones. -p is a prophet's load: each session asks all its
 * questions at once, so its wait is what perfect foresight would leave. -q: no progress.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "tests/bench/asker.h"
#include "tests/bench/tally.h"
#include "tests/bench/workload.h"
#include "wire/types.h"

#define SESSIONS_MAX    1000000
#define AT_A_TIME_MAX   256
#define PROGRESS_US     CLOCK_US_PER_S
#define ARRIVAL_US      (10 * CLOCK_US_PER_MS) /* Between the first sessions. */
#define RESULT_SIZE     2048
#define QUESTIONS_GUESS 64 /* In a session, for the tally's size. */

struct load_options {
    uint32_t sessions;
    uint32_t at_a_time;
    uint32_t first;
    uint64_t seed;
    int64_t begin_us; /* No session begins later. */
    int64_t end_us;   /* All ends then. */
    int64_t late_us;
    bool is_foreseen;
    bool is_quiet;
    bool is_verbose;
};

/* One session under way; `pause` is set between its steps. */
struct session {
    bool is_used;
    struct deadline pause;
    struct workload_plan plan;
    unsigned step;
    unsigned left; /* Questions of the step without an answer. */
    int64_t step_at;
    int64_t wait_us; /* Over all steps so far; a parallel step counts its slowest. */
};

struct load {
    struct load_options options;
    struct workload workload;
    struct asker asker;
    struct session *sessions;
    struct deadlines pauses;
    struct tally waits;   /* Of sessions. */
    struct tally answers; /* Of questions. */
    uint32_t begun;
    uint32_t under_way;
    uint64_t failed;
    uint64_t silent;
    uint64_t late;
    int64_t started_at;
    int64_t progress_at;
};

/* The first ones do not come all at once. */
static int64_t arrival(const struct load *load, const struct session *session)
{
    bool is_first = load->begun <= load->options.at_a_time;
    return is_first ? (session - load->sessions) * ARRIVAL_US : 0;
}

static void pause_begin(struct load *load, struct session *session, int64_t now)
{
    const struct workload_step *step = &session->plan.steps[session->step];
    deadlines_set(&load->pauses, &session->pause, now + step->pause_us);
}

/* All that the session will ask, in one step. */
static void plan_foresee(struct workload_plan *plan)
{
    plan->steps[0].manner = WORKLOAD_FILTER;
    plan->steps[0].first = 0;
    plan->steps[0].count = plan->question_count;
    plan->step_count = 1;
}

static void session_begin(struct load *load, struct session *session, int64_t now)
{
    session->is_used = true;
    session->pause = (struct deadline){.id = (uint64_t)(session - load->sessions)};
    session->step = 0;
    session->wait_us = 0;
    workload_plan(&load->workload, load->options.first + load->begun, &session->plan);
    if (load->options.is_foreseen) {
        plan_foresee(&session->plan);
    }
    load->begun++;
    load->under_way++;
    pause_begin(load, session, now + arrival(load, session));
}

static bool may_begin(const struct load *load, int64_t now)
{
    return load->begun < load->options.sessions && now < load->started_at + load->options.begin_us;
}

static void step_begin(struct load *load, struct session *session, int64_t now)
{
    const struct workload_step *step = &session->plan.steps[session->step];
    session->left = step->count;
    session->step_at = now;
    for (unsigned i = 0; i < step->count; i++) {
        asker_ask(&load->asker, step->manner, &session->plan.questions[step->first + i],
            session->pause.id, now);
    }
}

static void step_end(struct load *load, struct session *session, int64_t now)
{
    session->wait_us += now - session->step_at;
    session->step++;
    if (session->step < session->plan.step_count) {
        pause_begin(load, session, now);
        return;
    }
    tally_add(&load->waits, session->wait_us);
    session->is_used = false;
    load->under_way--;
    if (may_begin(load, now)) {
        session_begin(load, session, now);
    }
}

static void late_print(const struct load *load, const struct asker_result *result, int64_t now)
{
    char name[NAME_TEXT_SIZE];
    char type[TYPE_TEXT_SIZE];
    static const char *const outcomes[] = {
        [ASKER_ANSWERED] = "answered", [ASKER_FAILED] = "failed", [ASKER_SILENT] = "silent"};
    name_to_text(result->question->name, result->question->name_len, name, sizeof(name));
    fprintf(stderr, "%8.3f s  %-8s after %7.1f ms, %u tries: %s %s\n",
        (double)(now - load->started_at) / (double)CLOCK_US_PER_S, outcomes[result->outcome],
        (double)result->wait_us / (double)CLOCK_US_PER_MS, result->tries, name,
        type_to_text(result->question->type, type));
}

static void load_on_result(void *context, const struct asker_result *result)
{
    struct load *load = context;
    struct session *session = &load->sessions[result->tag];
    int64_t now = clock_now();
    bool is_late = result->wait_us > load->options.late_us;
    must(session->is_used && session->left > 0);
    tally_add(&load->answers, result->wait_us);
    load->failed += result->outcome != ASKER_ANSWERED;
    load->silent += result->outcome == ASKER_SILENT;
    load->late += is_late;
    if (load->options.is_verbose && (is_late || result->outcome != ASKER_ANSWERED)) {
        late_print(load, result, now);
    }
    session->left--;
    if (session->left == 0) {
        step_end(load, session, now);
    }
}

static void pauses_run(struct load *load, int64_t now)
{
    struct deadline *due = NULL;
    while ((due = deadlines_take_due(&load->pauses, now)) != NULL) {
        step_begin(load, &load->sessions[due->id], now);
    }
}

static void progress_print(struct load *load, int64_t now)
{
    if (load->options.is_quiet || now < load->progress_at) {
        return;
    }
    load->progress_at = now + PROGRESS_US;
    fprintf(stderr, "sessions: %3.0f s, %u of %u, %llu questions, %llu failed, %llu late\n",
        (double)(now - load->started_at) / (double)CLOCK_US_PER_S, load->begun - load->under_way,
        load->options.sessions, (unsigned long long)load->asker.asked,
        (unsigned long long)load->failed, (unsigned long long)load->late);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void load_run(struct load *load)
{
    int64_t now = clock_now();
    load->started_at = now;
    int64_t end_at = now + load->options.end_us;
    for (uint32_t i = 0; i < load->options.at_a_time && may_begin(load, now); i++) {
        session_begin(load, &load->sessions[i], now);
    }
    while (load->under_way > 0 && now < end_at) {
        pauses_run(load, now);
        asker_expire(&load->asker, now);
        progress_print(load, now);
        int64_t until = earlier(deadlines_next(&load->pauses), asker_next(&load->asker));
        asker_turn(&load->asker, earlier(until, earlier(end_at, now + PROGRESS_US)));
        now = clock_now();
    }
}

static void summary_add(struct text *text, const struct tally_summary *summary)
{
    text_addf(text, "\"mean_ms\":%.2f,\"median_ms\":%.2f,\"p99_ms\":%.2f,\"worst_ms\":%.2f",
        summary->mean_ms, summary->median_ms, summary->p99_ms, summary->worst_ms);
}

static void count_add(struct text *text, const char *name, uint64_t count)
{
    text_addf(text, ",\"%s\":%llu", name, (unsigned long long)count);
}

static void result_print(struct load *load)
{
    char bytes[RESULT_SIZE];
    struct text text;
    struct tally_summary later = tally_sum_up_later(&load->waits);
    struct tally_summary waits = tally_sum_up(&load->waits);
    struct tally_summary answers = tally_sum_up(&load->answers);
    double seconds = (double)(clock_now() - load->started_at) / (double)CLOCK_US_PER_S;
    text_init(&text, bytes, sizeof(bytes));
    text_addf(&text, "{\"sessions\":%u", load->waits.count);
    count_add(&text, "unfinished", load->under_way);
    count_add(&text, "questions", load->asker.asked);
    count_add(&text, "answered", load->answers.count);
    count_add(&text, "failed", load->failed);
    count_add(&text, "silent", load->silent);
    count_add(&text, "late", load->late);
    count_add(&text, "retries", load->asker.retries);
    count_add(&text, "truncated", load->asker.truncated);
    text_addf(&text, ",\"seconds\":%.2f,", seconds);
    summary_add(&text, &waits);
    text_add(&text, ",\"later\":{");
    summary_add(&text, &later);
    text_add(&text, "},\"answer\":{");
    summary_add(&text, &answers);
    text_add(&text, "}}");
    puts(bytes);
}

static bool load_init(struct load *load, const struct address *server)
{
    const struct load_options *options = &load->options;
    uint32_t under_way_max = options->at_a_time * WORKLOAD_QUESTIONS_MAX;
    load->sessions = calloc(options->at_a_time, sizeof(*load->sessions));
    return load->sessions != NULL && workload_init(&load->workload, options->seed) &&
           deadlines_init(&load->pauses, options->at_a_time) &&
           tally_init(&load->waits, options->sessions) &&
           tally_init(&load->answers, options->sessions * QUESTIONS_GUESS) &&
           asker_init(&load->asker, server, under_way_max, load_on_result, load);
}

static void load_fini(struct load *load)
{
    asker_fini(&load->asker);
    tally_fini(&load->answers);
    tally_fini(&load->waits);
    deadlines_fini(&load->pauses);
    workload_fini(&load->workload);
    free(load->sessions);
}

/* Reads a number option. False: no such option, or out of its bounds. */
static bool option_take(struct load_options *options, int option, const char *value)
{
    uint64_t number = 0;
    if (value == NULL || !text_parse_u64(value, strlen(value), SESSIONS_MAX, &number)) {
        return false;
    }
    switch (option) {
    case 'n':
        options->sessions = (uint32_t)number;
        return number > 0;
    case 'c':
        options->at_a_time = (uint32_t)number;
        return number > 0 && number <= AT_A_TIME_MAX;
    case 's':
        options->seed = number;
        return true;
    case 'f':
        options->first = (uint32_t)number;
        return true;
    case 't':
        options->begin_us = (int64_t)number * CLOCK_US_PER_S;
        return true;
    case 'x':
        options->end_us = (int64_t)number * CLOCK_US_PER_S;
        return true;
    case 'l':
        options->late_us = (int64_t)number * CLOCK_US_PER_MS;
        return true;
    default:
        return false;
    }
}

static bool options_read(struct load_options *options, int argc, char **argv)
{
    int option = 0;
    bool is_good = true;
    while ((option = getopt(argc, argv, "n:c:s:f:t:x:l:pqv")) != -1) {
        if (option == 'q') {
            options->is_quiet = true;
        } else if (option == 'p') {
            options->is_foreseen = true;
        } else if (option == 'v') {
            options->is_verbose = true;
        } else {
            is_good = option_take(options, option, optarg) && is_good;
        }
    }
    return is_good && optind == argc - 1;
}

int main(int argc, char **argv)
{
    struct address server;
    int status = 1;
    struct load *load = calloc(1, sizeof(*load));
    if (load == NULL) {
        return 1;
    }
    load->options = (struct load_options){
        .sessions = 2500,
        .at_a_time = 40,
        .seed = 1,
        .begin_us = 75 * CLOCK_US_PER_S,
        .end_us = 105 * CLOCK_US_PER_S,
        .late_us = 450 * CLOCK_US_PER_MS,
    };
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (!options_read(&load->options, argc, argv) ||
        !address_parse(argv[optind], strlen(argv[optind]), 53, &server)) {
        fprintf(stderr, "usage: sessions [-n SESSIONS] [-c AT_A_TIME] [-s SEED] [-f FIRST] "
                        "[-t SECONDS] [-x SECONDS] [-l LATE_MS] [-q] [-v] SERVER@PORT\n");
        free(load);
        return 64;
    }
    if (load_init(load, &server)) {
        load_run(load);
        result_print(load);
        status = 0;
    } else {
        fprintf(stderr, "sessions: not enough memory or descriptors\n");
    }
    load_fini(load);
    free(load);
    return status;
}
