/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clients of the soak: mail sessions (tests/bench/workload.h) that begin at random moments, so
 * many a second, and floods of names that nobody has asked for before. Asks as mail software does
 * (tests/bench/asker.h), knows every true answer (truth.h), and counts.
 *
 *     crowd [-s SEED] SERVER@PORT
 *
 * Prints "ready". Then a line on standard input is a command, answered by one line: `rate SESSIONS`
 * and `flood QUESTIONS` (a second, from now on; half of a flood's names do not exist), `count`
 * (JSON: totals since the start, times since the last `count`), `end` (when nothing waits any
 * more; nothing begins from then on). Ends on end of input, and with its parent.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/must.h"
#include "base/text.h"
#include "mail/list_zone.h"
#include "tests/bench/asker.h"
#include "tests/bench/names.h"
#include "tests/bench/workload.h"
#include "tests/soak/truth.h"
#include "wire/types.h"

#define SESSIONS_MAX  512
#define FLOOD_MAX     8192 /* Questions of floods under way. */
#define FLOOD_TAG     (UINT64_C(1) << 32)
#define TURN_US       (20 * CLOCK_US_PER_MS)
#define COMMAND_MAX   128
#define COUNT_SIZE    2048
#define RATE_MAX      100000
#define WRONG_TO_TELL 20 /* Wrong answers that are described; all are counted. */

/* Answers that are no answers, by what they were about: a list may refuse. */
struct failures {
    uint64_t failed; /* SERVFAIL and the like, to the last try. */
    uint64_t silent;
};

struct session {
    bool is_used;
    struct deadline pause;
    struct workload_plan plan;
    unsigned step;
    unsigned left;
};

struct crowd {
    struct workload workload;
    struct asker asker;
    struct random random;
    struct deadlines pauses;
    struct session sessions[SESSIONS_MAX];
    struct question flood[FLOOD_MAX];
    bool flood_used[FLOOD_MAX];
    uint32_t flood_next;
    uint32_t flood_serial;
    uint32_t session_serial;
    double session_rate;
    double flood_rate;
    int64_t session_at; /* When the next one begins; INT64_MAX: none does. */
    int64_t flood_at;
    uint64_t sessions_begun;
    uint64_t sessions_ended;
    uint64_t turned_away; /* Sessions for which there was no room, in bad weather. */
    uint64_t answered;
    uint64_t wrong;
    struct failures lists;
    struct failures others;
    struct histogram waits; /* Since the last count. */
    bool is_ending;         /* `end` has been asked for and not yet been answered. */
    bool is_over;
    char command[COMMAND_MAX];
    size_t command_len;
};

static int64_t next_arrival(struct crowd *crowd, double rate, int64_t now)
{
    if (rate <= 0) {
        return INT64_MAX;
    }
    double lot = ((double)random_below(&crowd->random, 1u << 30) + 1) / (double)(1u << 30);
    return now + (int64_t)(-log(lot) / rate * (double)CLOCK_US_PER_S);
}

static void step_begin(struct crowd *crowd, struct session *session, int64_t now)
{
    const struct workload_step *step = &session->plan.steps[session->step];
    session->left = step->count;
    for (unsigned i = 0; i < step->count; i++) {
        asker_ask(&crowd->asker, step->manner, &session->plan.questions[step->first + i],
            session->pause.id, now);
    }
}

static void pause_begin(struct crowd *crowd, struct session *session, int64_t now)
{
    const struct workload_step *step = &session->plan.steps[session->step];
    deadlines_set(&crowd->pauses, &session->pause, now + step->pause_us);
}

static void session_begin(struct crowd *crowd, int64_t now)
{
    for (unsigned i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = &crowd->sessions[i];
        if (session->is_used) {
            continue;
        }
        *session = (struct session){.is_used = true, .pause = {.id = i}};
        workload_plan(&crowd->workload, crowd->session_serial++, &session->plan);
        crowd->sessions_begun++;
        pause_begin(crowd, session, now);
        return;
    }
    crowd->turned_away++;
}

static void session_on_result(struct crowd *crowd, struct session *session)
{
    must(session->is_used && session->left > 0);
    session->left--;
    if (session->left > 0) {
        return;
    }
    session->step++;
    if (session->step < session->plan.step_count) {
        pause_begin(crowd, session, clock_now());
        return;
    }
    session->is_used = false;
    crowd->sessions_ended++;
}

/* A name of its own each time: of an address that has no PTR record, or of a host. */
static void flood_ask(struct crowd *crowd, int64_t now)
{
    char name[NAMES_TEXT_SIZE];
    size_t len = 0;
    uint32_t at = crowd->flood_next++ % FLOOD_MAX;
    if (crowd->flood_used[at]) {
        crowd->turned_away++;
        return;
    }
    uint32_t serial = crowd->flood_serial++;
    bool is_reverse = serial % 2 == 0;
    if (is_reverse) {
        names_reverse(names_stranger(serial), "in-addr.arpa", name);
    } else {
        (void)snprintf(name, sizeof(name), "f%u.flood.bench", serial);
    }
    struct question *question = &crowd->flood[at];
    *question = (struct question){.type = is_reverse ? TYPE_PTR : TYPE_A, .class = CLASS_IN};
    must(name_from_text(name, strlen(name), question->name, &len));
    question->name_len = (uint8_t)len;
    crowd->flood_used[at] = true;
    asker_ask(&crowd->asker, WORKLOAD_FILTER, question, FLOOD_TAG | at, now);
}

static void wrong_tell(const struct asker_result *result, enum truth_verdict verdict)
{
    char name[NAME_TEXT_SIZE];
    char type[TYPE_TEXT_SIZE];
    name_to_text(result->question->name, result->question->name_len, name, sizeof(name));
    fprintf(stderr, "wrong answer for %s %s: %s\n", name,
        type_to_text(result->question->type, type), truth_word(verdict));
}

static bool is_about_list(const struct question *question)
{
    struct list_question list;
    return list_question_of(question->name, question->name_len, question->type, &list) &&
           list.known != NULL;
}

static void outcome_count(struct crowd *crowd, const struct asker_result *result)
{
    bool is_list = is_about_list(result->question);
    struct failures *failures = is_list ? &crowd->lists : &crowd->others;
    switch (result->outcome) {
    case ASKER_ANSWERED: {
        enum truth_verdict verdict =
            truth_check(result->question, result->answer, result->answer_len);
        crowd->answered++;
        crowd->wrong += verdict != TRUTH_TRUE;
        if (verdict != TRUTH_TRUE && crowd->wrong <= WRONG_TO_TELL) {
            wrong_tell(result, verdict);
        }
        break;
    }
    case ASKER_FAILED:
        failures->failed++;
        break;
    case ASKER_SILENT:
        failures->silent++;
        break;
    }
}

static void crowd_on_result(void *context, const struct asker_result *result)
{
    struct crowd *crowd = context;
    histogram_record(&crowd->waits, result->wait_us);
    outcome_count(crowd, result);
    if ((result->tag & FLOOD_TAG) != 0) {
        crowd->flood_used[result->tag & ~FLOOD_TAG] = false;
    } else {
        session_on_result(crowd, &crowd->sessions[result->tag]);
    }
}

static void count_add(struct text *text, const char *name, uint64_t count)
{
    text_addf(text, "\"%s\":%llu,", name, (unsigned long long)count);
}

static void count_print(struct crowd *crowd)
{
    char bytes[COUNT_SIZE];
    struct text text;
    struct histogram_sum sum = {.count = 0};
    histogram_merge(&sum, &crowd->waits);
    memset(&crowd->waits, 0, sizeof(crowd->waits));
    text_init(&text, bytes, sizeof(bytes));
    text_add(&text, "{");
    count_add(&text, "sessions_begun", crowd->sessions_begun);
    count_add(&text, "sessions_ended", crowd->sessions_ended);
    count_add(&text, "turned_away", crowd->turned_away);
    count_add(&text, "asked", crowd->asker.asked);
    count_add(&text, "retries", crowd->asker.retries);
    count_add(&text, "under_way", crowd->asker.questions.in_use);
    count_add(&text, "answered", crowd->answered);
    count_add(&text, "wrong", crowd->wrong);
    count_add(&text, "lists_failed", crowd->lists.failed);
    count_add(&text, "lists_silent", crowd->lists.silent);
    count_add(&text, "failed", crowd->others.failed);
    count_add(&text, "silent", crowd->others.silent);
    count_add(&text, "p50_us", histogram_quantile(&sum, 500));
    count_add(&text, "p99_us", histogram_quantile(&sum, 990));
    text_addf(&text, "\"worst_us\":%llu}", (unsigned long long)sum.max_us);
    puts(bytes);
}

static const char *rate_command(struct crowd *crowd, const char *words, bool is_flood)
{
    double rate = 0;
    if (sscanf(words, "%lf", &rate) != 1 || rate < 0 || rate > RATE_MAX) {
        return "error: rate or flood, and a number";
    }
    *(is_flood ? &crowd->flood_rate : &crowd->session_rate) = rate;
    *(is_flood ? &crowd->flood_at : &crowd->session_at) = next_arrival(crowd, rate, clock_now());
    return "ok";
}

static void command_run(struct crowd *crowd, const char *command)
{
    const char *answer = NULL;
    if (strcmp(command, "count") == 0) {
        count_print(crowd);
    } else if (strcmp(command, "end") == 0) {
        crowd->session_at = INT64_MAX;
        crowd->flood_at = INT64_MAX;
        crowd->is_ending = true;
    } else if (strncmp(command, "rate ", 5) == 0) {
        answer = rate_command(crowd, command + 5, false);
    } else if (strncmp(command, "flood ", 6) == 0) {
        answer = rate_command(crowd, command + 6, true);
    } else {
        answer = "error: rate SESSIONS, flood QUESTIONS, count or end";
    }
    if (answer != NULL) {
        puts(answer);
    }
    fflush(stdout);
}

static void commands_take(struct crowd *crowd)
{
    char *end = NULL;
    ssize_t len =
        read(STDIN_FILENO, crowd->command + crowd->command_len, COMMAND_MAX - crowd->command_len);
    crowd->is_over = len == 0;
    crowd->command_len += len > 0 ? (size_t)len : 0;
    while ((end = memchr(crowd->command, '\n', crowd->command_len)) != NULL) {
        size_t used = (size_t)(end - crowd->command) + 1;
        *end = '\0';
        command_run(crowd, crowd->command);
        crowd->command_len -= used;
        memmove(crowd->command, crowd->command + used, crowd->command_len);
    }
    crowd->is_over |= crowd->command_len == COMMAND_MAX;
}

static void arrivals_run(struct crowd *crowd, int64_t now)
{
    while (now >= crowd->session_at) {
        session_begin(crowd, now);
        crowd->session_at = next_arrival(crowd, crowd->session_rate, crowd->session_at);
    }
    while (now >= crowd->flood_at) {
        flood_ask(crowd, now);
        crowd->flood_at = next_arrival(crowd, crowd->flood_rate, crowd->flood_at);
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void crowd_turn(struct crowd *crowd)
{
    struct deadline *due = NULL;
    int64_t now = clock_now();
    arrivals_run(crowd, now);
    while ((due = deadlines_take_due(&crowd->pauses, now)) != NULL) {
        step_begin(crowd, &crowd->sessions[due->id], now);
    }
    asker_expire(&crowd->asker, now);
    int64_t until = earlier(deadlines_next(&crowd->pauses), asker_next(&crowd->asker));
    until = earlier(until, earlier(crowd->session_at, crowd->flood_at));
    asker_turn(&crowd->asker, earlier(until, now + TURN_US));
    commands_take(crowd);
    if (crowd->is_ending && crowd->sessions_ended == crowd->sessions_begun &&
        crowd->asker.questions.in_use == 0) {
        crowd->is_ending = false;
        puts("ok");
        fflush(stdout);
    }
}

static bool crowd_init(struct crowd *crowd, uint64_t seed, const struct address *server)
{
    crowd->session_at = INT64_MAX;
    crowd->flood_at = INT64_MAX;
    random_init_seed(&crowd->random, seed);
    return workload_init(&crowd->workload, seed) && deadlines_init(&crowd->pauses, SESSIONS_MAX) &&
           asker_init(&crowd->asker, server, SESSIONS_MAX * WORKLOAD_QUESTIONS_MAX + FLOOD_MAX,
               crowd_on_result, crowd) &&
           fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) == 0;
}

static int crowd_run(struct crowd *crowd, uint64_t seed, const struct address *server)
{
    if (!crowd_init(crowd, seed, server)) {
        fprintf(stderr, "crowd: not enough memory or descriptors\n");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    while (!crowd->is_over) {
        crowd_turn(crowd);
    }
    asker_fini(&crowd->asker);
    deadlines_fini(&crowd->pauses);
    workload_fini(&crowd->workload);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1;
    struct address server;
    int option = getopt(argc, argv, "s:");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if ((option == 's' && !text_parse_u64(optarg, strlen(optarg), UINT32_MAX, &seed)) ||
        (option != 's' && option != -1) || optind != argc - 1 ||
        !address_parse(argv[optind], strlen(argv[optind]), 53, &server)) {
        fprintf(stderr, "usage: crowd [-s SEED] SERVER@PORT\n");
        return 64;
    }
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    if (crowd == NULL) {
        return 1;
    }
    int status = crowd_run(crowd, seed, &server);
    free(crowd);
    return status;
}
