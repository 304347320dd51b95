/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/month_mail.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "mail/list_zone.h"
#include "resolver/resolver.h"
#include "tests/bench/names.h"
#include "tests/soak/truth.h"
#include "wire/ask.h"
#include "wire/header.h"
#include "wire/message.h"
#include "wire/records.h"
#include "wire/types.h"

#define CLOCKS             60 /* Names; the low numbers are asked most. */
#define CLOCKS_PER_SESSION 6
#define BRIDGE_S           3 /* Two seconds while a refresh is under way, and rounding. */
#define ROUNDING_S         2
#define STALE_TTL_S        30
#define AT_ONCE_US         50
#define NO_SESSION         UINT32_MAX
#define DAY_S              86400.0

/* A question that has no answer yet. */
struct waiting {
    struct question question;
    int64_t asked_at;
    uint32_t session; /* Or NO_SESSION. */
    bool is_clock;
    uint32_t clock;
};

_Noreturn void mail_fail(const struct mail *mail, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(
        stderr, "\nmonth: day %.5f: ", (double)mail->net->now / (double)CLOCK_US_PER_S / DAY_S);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    abort();
}

static _Noreturn void question_fail(
    const struct mail *mail, const struct waiting *waiting, const char *what)
{
    char name[NAME_TEXT_SIZE];
    char type[TYPE_TEXT_SIZE];
    name_to_text(waiting->question.name, waiting->question.name_len, name, sizeof name);
    mail_fail(mail, "%s %s, asked %.3f s ago: %s", name, type_to_text(waiting->question.type, type),
        (double)(mail->net->now - waiting->asked_at) / (double)CLOCK_US_PER_S, what);
}

bool mail_init(struct mail *mail, struct net *net, uint64_t seed)
{
    memset(mail, 0, sizeof *mail);
    mail->net = net;
    random_init_seed(&mail->random, seed);
    mail_set_rates(mail, 0, 0);
    return workload_init(&mail->workload, seed) &&
           pool_init(&mail->waiting, sizeof(struct waiting), MAIL_WAITING_MAX) &&
           deadlines_init(&mail->pauses, MAIL_SESSIONS_MAX);
}

void mail_fini(struct mail *mail)
{
    deadlines_fini(&mail->pauses);
    pool_fini(&mail->waiting);
    workload_fini(&mail->workload);
}

/* ---- Judging an answer ---- */

static bool is_about_list(const struct question *question)
{
    struct list_question list;
    return list_question_of(question->name, question->name_len, question->type, &list) &&
           list.known != NULL;
}

static void failure_judge(struct mail *mail, const struct waiting *waiting)
{
    int64_t now = mail->net->now;
    if (now < mail->excuses.failures_until) {
        mail->counts.failed++;
    } else if (now < mail->excuses.lists_until && is_about_list(&waiting->question)) {
        mail->counts.lists_failed++;
    } else if (now < mail->excuses.lossy_until) {
        mail->counts.lost++;
    } else {
        question_fail(mail, waiting, "it failed, and nothing explains it");
    }
}

/* The answer tells when upstream was asked, so its age is known without believing the cache. */
static void clock_judge(
    struct mail *mail, const struct waiting *waiting, const uint8_t *bytes, size_t len)
{
    struct message message;
    struct record record;
    struct reader reader = reader_of(bytes, len);
    must(message_read(bytes, len, &message) == MESSAGE_GOOD);
    reader.at = message.records_at;
    if (message.rcode != RCODE_NOERROR || message.counts[1] != 1 ||
        !record_read(&reader, &record) || record.rdata_len != 4) {
        question_fail(mail, waiting, "the clock's answer is another one");
    }
    uint32_t told = bytes_get_u32(bytes + record.rdata_at);
    uint32_t age = (uint32_t)(mail->net->now / CLOCK_US_PER_S) - told;
    uint32_t ttl = net_clock_ttl(waiting->clock);
    mail->counts.clocks++;
    if (age <= ttl + BRIDGE_S) {
        if (record.ttl > ttl || (age < ttl && record.ttl > ttl - age + ROUNDING_S)) {
            question_fail(mail, waiting, "the TTL does not count down");
        }
        return;
    }
    mail->counts.stale++;
    uint64_t past = age - ttl;
    mail->counts.oldest_s = past > mail->counts.oldest_s ? past : mail->counts.oldest_s;
    if (record.ttl > STALE_TTL_S) {
        question_fail(mail, waiting, "expired, with a long TTL");
    }
    if (past * CLOCK_US_PER_S > (uint64_t)mail->stale_max_us + ROUNDING_S * CLOCK_US_PER_S) {
        question_fail(mail, waiting, "expired longer ago than stale_max");
    }
    if (mail->net->now >= mail->excuses.stale_until) {
        question_fail(mail, waiting, "expired, though upstream is well");
    }
}

static void answer_judge(
    struct mail *mail, const struct waiting *waiting, const uint8_t *bytes, size_t len)
{
    int64_t waited_us = mail->net->now - waiting->asked_at;
    unsigned rcode = len < HEADER_SIZE ? RCODE_FORMERR : header_rcode(bytes);
    if (waited_us > mail->deadline_us + mail->excuses.slept_us) {
        question_fail(mail, waiting, "answered too late");
    }
    if (waited_us > mail->counts.longest_us) {
        mail->counts.longest_us = waited_us;
    }
    if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN) {
        failure_judge(mail, waiting);
        return;
    }
    mail->counts.answered++;
    if (waiting->is_clock) {
        clock_judge(mail, waiting, bytes, len);
        return;
    }
    enum truth_verdict verdict = truth_check(&waiting->question, bytes, len);
    if (verdict != TRUTH_TRUE) {
        question_fail(mail, waiting, truth_word(verdict));
    }
}

/* ---- Asking ---- */

/* True: it has been answered at once. */
static bool question_ask(struct mail *mail, const struct waiting *asked)
{
    static uint8_t answer[MESSAGE_SIZE_MAX];
    uint8_t query[ASK_SIZE_MAX];
    uint64_t id = POOL_NONE;
    struct waiting *waiting = pool_take(&mail->waiting, &id);
    must(waiting != NULL);
    *waiting = *asked;
    waiting->asked_at = mail->net->now;
    const struct ask_form form = {
        .id = random_u16(&mail->random), .has_edns = random_below(&mail->random, 2) == 0};
    struct ask ask = {.client = {.line = id}, .query = query, .answer = answer};
    ask.len = ask_write(&form, &asked->question, query, sizeof query);
    mail->counts.asked++;
    enum ask_verdict verdict = resolver_ask(mail->resolver, &ask, mail->net->now);
    if (verdict == ASK_DROPPED) {
        question_fail(mail, waiting, "dropped");
    }
    if (mail->waiting.in_use > mail->counts.waiting_max) {
        mail->counts.waiting_max = mail->waiting.in_use;
    }
    if (verdict == ASK_PARKED) {
        return false;
    }
    resolver_settle(mail->resolver, AT_ONCE_US);
    mail->counts.at_once++;
    answer_judge(mail, waiting, answer, ask.answer_len);
    pool_give(&mail->waiting, id);
    return true;
}

static bool has_room(const struct mail *mail)
{
    return mail->waiting.in_use + WORKLOAD_QUESTIONS_MAX < MAIL_WAITING_MAX;
}

static void pause_begin(struct mail *mail, struct mail_session *session)
{
    const struct workload_step *step = &session->plan.steps[session->step];
    deadlines_set(&mail->pauses, &session->pause, mail->net->now + step->pause_us);
}

static void step_end(struct mail *mail, struct mail_session *session)
{
    session->step++;
    if (session->step < session->plan.step_count) {
        pause_begin(mail, session);
        return;
    }
    session->is_used = false;
    mail->counts.sessions++;
}

static void step_begin(struct mail *mail, struct mail_session *session)
{
    const struct workload_step *step = &session->plan.steps[session->step];
    session->left = step->count;
    for (unsigned i = 0; i < step->count; i++) {
        const struct waiting asked = {.question = session->plan.questions[step->first + i],
            .session = (uint32_t)(session - mail->sessions)};
        session->left -= question_ask(mail, &asked) ? 1 : 0;
    }
    if (session->left == 0) {
        step_end(mail, session);
    }
}

static void session_begin(struct mail *mail)
{
    for (uint32_t i = 0; i < MAIL_SESSIONS_MAX && has_room(mail); i++) {
        struct mail_session *session = &mail->sessions[i];
        if (session->is_used) {
            continue;
        }
        *session = (struct mail_session){.is_used = true, .pause = {.id = i}};
        workload_plan(&mail->workload, mail->session_serial++, &session->plan);
        pause_begin(mail, session);
        return;
    }
    mail->counts.turned_away++;
}

static void name_ask(struct mail *mail, struct waiting *asked, const char *name, uint16_t type)
{
    size_t len = 0;
    must(name_from_text(name, strlen(name), asked->question.name, &len));
    asked->question.name_len = (uint8_t)len;
    asked->question.type = type;
    asked->question.class = CLASS_IN;
    asked->session = NO_SESSION;
    (void)question_ask(mail, asked);
}

static void clock_ask(struct mail *mail)
{
    struct waiting asked = {.is_clock = true};
    char name[NAMES_TEXT_SIZE];
    asked.clock = random_below(&mail->random, 1 + random_below(&mail->random, CLOCKS));
    (void)snprintf(name, sizeof name, "c%u.clock.bench", asked.clock);
    name_ask(mail, &asked, name, TYPE_A);
}

static void flood_ask(struct mail *mail)
{
    struct waiting asked = {.is_clock = false};
    char name[NAMES_TEXT_SIZE];
    uint32_t serial = mail->flood_serial++;
    names_reverse(
        names_stranger(serial), serial % 2 == 0 ? "in-addr.arpa" : "zen.spamhaus.org", name);
    if (has_room(mail)) {
        name_ask(mail, &asked, name, serial % 2 == 0 ? TYPE_PTR : TYPE_A);
    } else {
        mail->counts.turned_away++;
    }
}

/* ---- Time ---- */

static int64_t next_arrival(struct mail *mail, double rate)
{
    if (rate <= 0) {
        return INT64_MAX;
    }
    double lot = ((double)random_below(&mail->random, 1u << 30) + 1) / (double)(1u << 30);
    return mail->net->now + (int64_t)(-log(lot) / rate * (double)CLOCK_US_PER_S);
}

void mail_set_rates(struct mail *mail, double sessions, double floods)
{
    mail->session_rate = sessions;
    mail->flood_rate = floods;
    mail->session_at = next_arrival(mail, sessions);
    mail->clock_at = next_arrival(mail, sessions * CLOCKS_PER_SESSION);
    mail->flood_at = next_arrival(mail, floods);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t mail_next(const struct mail *mail)
{
    return earlier(earlier(mail->session_at, mail->clock_at),
        earlier(mail->flood_at, deadlines_next(&mail->pauses)));
}

void mail_run(struct mail *mail)
{
    int64_t now = mail->net->now;
    struct deadline *due = NULL;
    while ((due = deadlines_take_due(&mail->pauses, now)) != NULL) {
        step_begin(mail, &mail->sessions[due->id]);
    }
    if (now >= mail->session_at) {
        session_begin(mail);
        mail->session_at = next_arrival(mail, mail->session_rate);
    }
    if (now >= mail->clock_at) {
        if (has_room(mail)) {
            clock_ask(mail);
        }
        mail->clock_at = next_arrival(mail, mail->session_rate * CLOCKS_PER_SESSION);
    }
    if (now >= mail->flood_at) {
        flood_ask(mail);
        mail->flood_at = next_arrival(mail, mail->flood_rate);
    }
}

void mail_deliver(struct mail *mail, uint64_t line, const uint8_t *message, size_t len)
{
    struct waiting *found = pool_find(&mail->waiting, line);
    if (found == NULL) {
        mail_fail(mail, "an answer to a question that has one, or was never asked");
    }
    answer_judge(mail, found, message, len);
    uint32_t session = found->session;
    pool_give(&mail->waiting, line);
    if (session == NO_SESSION) {
        return;
    }
    mail->sessions[session].left--;
    if (mail->sessions[session].left == 0) {
        step_end(mail, &mail->sessions[session]);
    }
}

void mail_check_waiting(struct mail *mail)
{
    for (uint32_t i = 0; i < MAIL_WAITING_MAX; i++) {
        const struct waiting *waiting = pool_at(&mail->waiting, i);
        int64_t limit_us = mail->deadline_us + mail->excuses.slept_us;
        if (waiting != NULL && mail->net->now - waiting->asked_at > limit_us) {
            question_fail(mail, waiting, "never answered");
        }
    }
}

void mail_sleep(struct mail *mail, int64_t duration_us)
{
    for (uint32_t i = 0; i < MAIL_WAITING_MAX; i++) {
        struct waiting *waiting = pool_at(&mail->waiting, i);
        if (waiting != NULL) {
            waiting->asked_at += duration_us;
        }
    }
}
