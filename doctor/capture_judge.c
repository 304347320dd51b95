/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor/capture_judge.h"

#include <stdlib.h>

#include "base/clock.h"

#define SECONDS(n) ((int64_t)(n)*CLOCK_US_PER_S)

/* libc asks a name server for five seconds, then again, then the next one: what waits for DNS that
 * does not answer waits for a multiple of it. */
#define DNS_STEP_US      SECONDS(5)
#define DNS_STEP_OFF_US  (250 * CLOCK_US_PER_MS)
#define DNS_STEPS_US_MAX SECONDS(61)

/* postscreen(8) shows the beginning of its greeting, and the rest after postscreen_greet_wait. */
#define GREET_WAIT_US_MIN SECONDS(1)
#define GREET_WAIT_US_MAX (SECONDS(8) + SECONDS(1) / 2)

/* A client that has sent less than this under TLS can not have sent a message yet. */
#define TLS_CLIENT_BYTES_MIN 2000

/* So many packets again in one wait are no accident. */
#define REPEATED_MIN 3
#define LARGE_MIN    2

#define TARPIT_REPLIES_MIN 4

static bool wait_ended_badly(const struct capture_wait *wait)
{
    switch (wait->end) {
    case CAPTURE_END_421:
    case CAPTURE_END_CLOSED:
    case CAPTURE_END_RESET:
        return true;
    case CAPTURE_END_SPOKE:
        /* Encrypted, a 421 looks like any word. */
        return wait->phase == CAPTURE_PHASE_TLS && wait->ended_by != wait->side;
    case CAPTURE_END_CAPTURE:
        break;
    }
    return false;
}

static bool wait_has_dns_steps(const struct capture_wait *wait)
{
    if (wait->end != CAPTURE_END_SPOKE) {
        return false;
    }
    int64_t off = wait->us % DNS_STEP_US;
    off = off > DNS_STEP_US / 2 ? DNS_STEP_US - off : off;
    return wait->us >= DNS_STEP_US - DNS_STEP_OFF_US && wait->us <= DNS_STEPS_US_MAX &&
           off <= DNS_STEP_OFF_US;
}

static bool verb_is_of_mail(enum capture_verb verb)
{
    return verb == CAPTURE_MAIL || verb == CAPTURE_RCPT || verb == CAPTURE_DATA ||
           verb == CAPTURE_BDAT;
}

/* Shorter ones than this are usual. */
static int64_t reply_usual(enum capture_verb verb)
{
    switch (verb) {
    case CAPTURE_DOT:
        return SECONDS(20);
    case CAPTURE_QUIT:
    case CAPTURE_RSET:
    case CAPTURE_AUTH:
        return SECONDS(10);
    case CAPTURE_HELO:
    case CAPTURE_STARTTLS:
    case CAPTURE_MAIL:
    case CAPTURE_RCPT:
    case CAPTURE_DATA:
    case CAPTURE_BDAT:
    case CAPTURE_OTHER_VERB:
    case CAPTURE_NO_VERB:
        break;
    }
    return SECONDS(5) - DNS_STEP_OFF_US;
}

static enum report_level level_of_command(const struct capture_wait *wait)
{
    bool is_bad = wait_ended_badly(wait);
    if (verb_is_of_mail(wait->verb)) {
        return wait->us < SECONDS(is_bad ? 10 : 30) ? REPORT_GOOD : REPORT_WARNING;
    }
    /* Nothing was lost: connections are kept open for a next mail, and scanners say nothing. */
    return REPORT_GOOD;
}

static enum report_level level_of_banner(
    const struct capture_smtp *smtp, const struct capture_wait *wait)
{
    bool is_greet_wait =
        smtp->teased_us != 0 && wait->us >= GREET_WAIT_US_MIN && wait->us <= GREET_WAIT_US_MAX;
    if (wait->us < reply_usual(CAPTURE_NO_VERB) || is_greet_wait) {
        return REPORT_GOOD;
    }
    return wait_ended_badly(wait) && wait->us >= SECONDS(30) ? REPORT_ERROR : REPORT_WARNING;
}

static enum report_level level_of_tls(
    const struct capture_smtp *smtp, const struct capture_wait *wait)
{
    if (wait->us < SECONDS(20)) {
        return wait->side == CAPTURE_CLIENT && wait_ended_badly(wait) && wait->us >= SECONDS(9) &&
                       smtp->encrypted[CAPTURE_CLIENT] < TLS_CLIENT_BYTES_MIN
                   ? REPORT_WARNING
                   : REPORT_GOOD;
    }
    if (wait->side == CAPTURE_SERVER) {
        return REPORT_WARNING;
    }
    if (!wait_ended_badly(wait)) {
        return REPORT_GOOD;
    }
    return smtp->encrypted[CAPTURE_CLIENT] < TLS_CLIENT_BYTES_MIN ? REPORT_WARNING : REPORT_NOTE;
}

/* How bad a wait is, whatever caused it. REPORT_GOOD: it is not. */
static enum report_level level_of_wait(
    const struct capture_smtp *smtp, const struct capture_wait *wait)
{
    switch (wait->phase) {
    case CAPTURE_PHASE_CONNECT:
        return wait->us < SECONDS(2) ? REPORT_GOOD : REPORT_WARNING;
    case CAPTURE_PHASE_BANNER:
        return level_of_banner(smtp, wait);
    case CAPTURE_PHASE_REPLY:
        if (wait->us < reply_usual(wait->verb)) {
            return REPORT_GOOD;
        }
        if (wait->verb == CAPTURE_QUIT || wait->verb == CAPTURE_RSET) {
            return REPORT_NOTE;
        }
        return wait_ended_badly(wait) ? REPORT_ERROR : REPORT_WARNING;
    case CAPTURE_PHASE_COMMAND:
        return level_of_command(wait);
    case CAPTURE_PHASE_FIRST:
    case CAPTURE_PHASE_MESSAGE:
        if (wait->us < SECONDS(9)) {
            return REPORT_GOOD;
        }
        return wait_ended_badly(wait) ? REPORT_ERROR : REPORT_WARNING;
    case CAPTURE_PHASE_TLS:
        return level_of_tls(smtp, wait);
    case CAPTURE_PHASE_UNKNOWN:
        return wait->us < SECONDS(20) ? REPORT_GOOD : REPORT_NOTE;
    }
    return REPORT_GOOD;
}

/* What came between them while they waited; CAPTURE_STALL: nothing. */
static enum capture_kind kind_of_wait(const struct capture_wait *wait, enum capture_side *culprit)
{
    const struct capture_net *net = &wait->net;
    uint32_t repeated = net->repeated[CAPTURE_CLIENT] + net->repeated[CAPTURE_SERVER];
    uint32_t large = net->large[CAPTURE_CLIENT] + net->large[CAPTURE_SERVER];
    uint32_t early = net->early[CAPTURE_CLIENT] + net->early[CAPTURE_SERVER];
    for (int side = 0; side < CAPTURE_SIDES; side++) {
        if (net->blocked_us[side] > wait->us / 2) {
            *culprit = (enum capture_side)side;
            return CAPTURE_BLOCKED;
        }
    }
    *culprit = CAPTURE_NOBODY;
    if (wait->phase == CAPTURE_PHASE_CONNECT) {
        return CAPTURE_LOSS;
    }
    if (large >= LARGE_MIN && large * 2 > repeated) {
        return CAPTURE_BLACK_HOLE;
    }
    if (repeated >= REPEATED_MIN) {
        return CAPTURE_LOSS;
    }
    if (early > 0 && wait->is_unacked && wait_ended_badly(wait)) {
        return CAPTURE_BLACK_HOLE;
    }
    *culprit = wait->side;
    return CAPTURE_STALL;
}

static enum report_sure sure_of_wait(const struct capture_wait *wait, enum capture_kind kind)
{
    if (wait->phase == CAPTURE_PHASE_TLS || wait->phase == CAPTURE_PHASE_UNKNOWN) {
        return REPORT_POSSIBLE;
    }
    return kind == CAPTURE_STALL || kind == CAPTURE_BLOCKED ? REPORT_CERTAIN : REPORT_LIKELY;
}

/* The worst wait of the conversation. */
static bool judge_waits(const struct capture_flow *flow, struct capture_case *case_out)
{
    const struct capture_smtp *smtp = &flow->smtp;
    case_out->level = REPORT_GOOD;
    for (size_t i = 0; i < smtp->wait_count; i++) {
        const struct capture_wait *wait = &smtp->waits[i];
        enum report_level level = level_of_wait(smtp, wait);
        if (level <= case_out->level) {
            continue;
        }
        case_out->level = level;
        case_out->wait = *wait;
        case_out->kind = kind_of_wait(wait, &case_out->culprit);
        case_out->sure = sure_of_wait(wait, case_out->kind);
        case_out->has_dns_steps = case_out->kind == CAPTURE_STALL && wait_has_dns_steps(wait);
        bool is_late = wait->side == CAPTURE_CLIENT && wait_ended_badly(wait) &&
                       smtp->late_us > wait->since_us + wait->us;
        case_out->late_us = is_late ? smtp->late_us - wait->since_us : 0;
    }
    return case_out->level > REPORT_GOOD;
}

/* Many replies late, none much more than the others, and not as if DNS were the reason. */
static bool judge_is_tarpit(const struct capture_smtp *smtp)
{
    if (smtp->slow_replies < TARPIT_REPLIES_MIN || smtp->slow_replies * 2 < smtp->replies ||
        smtp->wait_count < CAPTURE_WAITS) {
        return false;
    }
    const struct capture_wait *longest = &smtp->waits[0];
    const struct capture_wait *last = &smtp->waits[CAPTURE_WAITS - 1];
    return longest->side == CAPTURE_SERVER && longest->end == CAPTURE_END_SPOKE &&
           longest->us < 2 * last->us && !wait_has_dns_steps(longest);
}

static bool judge_connect(const struct capture_flow *flow, struct capture_case *case_out)
{
    const struct capture_smtp *smtp = &flow->smtp;
    if (flow->syn_count == 0 || flow->has_syn_ack || smtp->replies > 0) {
        return false;
    }
    case_out->culprit = CAPTURE_SERVER;
    case_out->sure = REPORT_CERTAIN;
    if (flow->has_reset) {
        case_out->kind = CAPTURE_REFUSED;
        case_out->level = REPORT_WARNING;
        return true;
    }
    case_out->kind = CAPTURE_UNANSWERED;
    case_out->level = flow->syn_count >= 3 ? REPORT_ERROR : REPORT_WARNING;
    case_out->wait = smtp->wait_count > 0 ? smtp->waits[0] : case_out->wait;
    return flow->syn_count >= 2;
}

/* What is left: words of the server, and ends. */
static bool judge_words(const struct capture_smtp *smtp, struct capture_case *case_out)
{
    case_out->culprit = CAPTURE_SERVER;
    case_out->sure = REPORT_CERTAIN;
    if (smtp->dns_deferred > 0) {
        case_out->kind = CAPTURE_DNS_DEFERRED;
        case_out->level = REPORT_WARNING;
        return true;
    }
    bool is_away = smtp->code_last == 421 && smtp->mails == 0;
    if (is_away || smtp->code_first == 554) {
        case_out->kind = CAPTURE_TURNED_AWAY;
        case_out->level = REPORT_NOTE;
        return true;
    }
    if (judge_is_tarpit(smtp)) {
        case_out->kind = CAPTURE_TARPIT;
        case_out->level = REPORT_NOTE;
        case_out->wait = smtp->waits[0];
        return true;
    }
    case_out->kind = CAPTURE_GREYLIST;
    case_out->level = REPORT_NOTE;
    return smtp->greylisted > 0;
}

static bool judge_broken_off(const struct capture_flow *flow, struct capture_case *case_out)
{
    const struct capture_smtp *smtp = &flow->smtp;
    bool is_cut = smtp->cut_side != CAPTURE_NOBODY;
    case_out->kind = CAPTURE_BROKEN_OFF;
    case_out->level = REPORT_WARNING;
    case_out->sure = REPORT_CERTAIN;
    case_out->culprit = smtp->cut_side;
    return is_cut;
}

bool capture_judge(const struct capture_flow *flow, struct capture_case *case_out)
{
    *case_out = (struct capture_case){.culprit = CAPTURE_NOBODY};
    if (judge_connect(flow, case_out)) {
        return true;
    }
    *case_out = (struct capture_case){.culprit = CAPTURE_NOBODY};
    bool has_wait = !judge_is_tarpit(&flow->smtp) && judge_waits(flow, case_out);
    if (has_wait && case_out->level > REPORT_NOTE) {
        return true;
    }
    struct capture_case other = {.culprit = CAPTURE_NOBODY};
    if (judge_broken_off(flow, &other) || (!has_wait && judge_words(&flow->smtp, &other))) {
        *case_out = other;
        return true;
    }
    return has_wait;
}

/* What systems begin with. */
static bool hops_are_full(uint8_t hops)
{
    return hops == 64 || hops == 128 || hops == 255;
}

enum capture_side capture_judge_home(const struct capture_flow *flow)
{
    bool is_client = hops_are_full(flow->hops[CAPTURE_CLIENT]);
    bool is_server = hops_are_full(flow->hops[CAPTURE_SERVER]);
    bool is_known = flow->hops[CAPTURE_CLIENT] != 0 && flow->hops[CAPTURE_SERVER] != 0;
    if (!is_known || is_client == is_server) {
        return CAPTURE_NOBODY;
    }
    return is_client ? CAPTURE_CLIENT : CAPTURE_SERVER;
}

/* The limits that are known, by who gives up and, for a client, on what. */
struct limit {
    enum capture_side side; /* Who waits. */
    uint8_t phase;          /* enum capture_phase; for a reply also the verb. */
    uint8_t verb;
    uint16_t seconds;
    const char *clause;
};

#define ANY 255

static const struct limit limits[] = {
    {CAPTURE_SERVER, ANY, ANY, 10,
        "the limit of a Postfix under stress, whose smtpd_timeout is 10 s while all its smtpd "
        "processes are busy"},
    {CAPTURE_SERVER, ANY, ANY, 60,
        "no default of Postfix (300 s): an smtpd_timeout of 60 s somebody has set; or an Edge "
        "server of Exchange (ConnectionInactivityTimeout, 1 min)"},
    {CAPTURE_SERVER, ANY, ANY, 120, "no default of Postfix (300 s): an smtpd_timeout of 120 s"},
    {CAPTURE_SERVER, ANY, ANY, 300,
        "the five minutes of RFC 5321 section 4.5.3.2.7, which Postfix (smtpd_timeout), Exim "
        "(smtp_receive_timeout) and Exchange take"},
    {CAPTURE_SERVER, ANY, ANY, 600, "the ConnectionTimeout of Exchange (10 min)"},
    {CAPTURE_SERVER, ANY, ANY, 1200, "the limit of qmail (control/timeoutsmtpd, 20 min)"},
    {CAPTURE_SERVER, ANY, ANY, 3600, "the limit of Sendmail (Timeout.command, 1 h)"},
    {CAPTURE_CLIENT, CAPTURE_PHASE_CONNECT, ANY, 30, "the smtp_connect_timeout of Postfix (30 s)"},
    {CAPTURE_CLIENT, CAPTURE_PHASE_REPLY, CAPTURE_DATA, 120,
        "the two minutes of RFC 5321 section 4.5.3.2.4 for 354, Postfix's smtp_data_init_timeout"},
    {CAPTURE_CLIENT, CAPTURE_PHASE_REPLY, CAPTURE_DOT, 600,
        "the ten minutes of RFC 5321 section 4.5.3.2.6 for the end of a message, Postfix's "
        "smtp_data_done_timeout"},
    {CAPTURE_CLIENT, ANY, ANY, 300,
        "the five minutes of RFC 5321 section 4.5.3.2, Postfix's smtp_helo_timeout, "
        "smtp_mail_timeout and smtp_rcpt_timeout"},
    {CAPTURE_CLIENT, ANY, ANY, 1200, "the limit of qmail (control/timeoutremote, 20 min)"},
};

#define LIMITS (sizeof limits / sizeof limits[0])

static bool limit_fits(const struct limit *limit, const struct capture_wait *wait)
{
    int64_t off = llabs(wait->us - SECONDS(limit->seconds));
    int64_t off_max = SECONDS(limit->seconds) / 50;
    return off <= (off_max > CLOCK_US_PER_S ? off_max : CLOCK_US_PER_S) &&
           (limit->phase == ANY || limit->phase == wait->phase) &&
           (limit->verb == ANY || limit->verb == wait->verb);
}

const char *capture_limit_clause(const struct capture_wait *wait)
{
    for (size_t i = 0; i < LIMITS; i++) {
        if (limits[i].side != wait->side && limit_fits(&limits[i], wait)) {
            return limits[i].clause;
        }
    }
    return NULL;
}
