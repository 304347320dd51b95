/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/pool.h"
#include "base/random.h"
#include "tests/bench/workload.h"
#include "tests/sim/month_net.h"

/*
 * The clients of the simulated month: mail sessions step by step, clock watchers, floods of new
 * names. Each answer is compared with the truth, each is counted once, none may be late: a broken
 * promise ends the program with a sentence. Nothing is allocated after the start.
 */
#define MAIL_SESSIONS_MAX 256
#define MAIL_WAITING_MAX  4096

struct resolver;

/* What the weather of the time explains; times are `now`'s. */
struct mail_excuses {
    int64_t failures_until; /* Nobody upstream has answered lately. */
    int64_t lists_until;    /* Lists refuse, or did and are remembered for it. */
    int64_t stale_until;    /* Some trouble or other: expired answers may be given. */
    int64_t lossy_until;    /* Now and then all tries of a question may be lost. */
    int64_t slept_us;       /* How much later than usual an answer may come. */
};

struct mail_counts {
    uint64_t sessions;
    uint64_t asked;
    uint64_t answered; /* Failures not included. */
    uint64_t at_once;
    uint64_t failed;       /* Excused ones. */
    uint64_t lists_failed; /* Likewise. */
    uint64_t lost;         /* Failures in lossy weather: rare. */
    uint64_t turned_away;  /* Sessions and floods that found no room. */
    uint64_t clocks;
    uint64_t stale;     /* Of the clocks' answers. */
    uint64_t oldest_s;  /* The oldest of these, past its end. */
    int64_t longest_us; /* That a question waited. */
    uint64_t waiting_max;
};

struct mail_session {
    bool is_used;
    struct deadline pause;
    struct workload_plan plan;
    unsigned step;
    unsigned left;
};

struct mail {
    struct net *net; /* Whose clock counts. */
    struct resolver *resolver;
    struct random random;
    struct workload workload;
    struct pool waiting;
    struct deadlines pauses;
    struct mail_session sessions[MAIL_SESSIONS_MAX];
    struct mail_excuses excuses;
    struct mail_counts counts;
    int64_t deadline_us; /* answer_deadline. */
    int64_t stale_max_us;
    double session_rate; /* Per second; mail_set_rates(). */
    double flood_rate;
    int64_t session_at; /* When the next ones come; INT64_MAX: none do. */
    int64_t clock_at;
    int64_t flood_at;
    uint32_t session_serial;
    uint32_t flood_serial;
};

/* False when memory is short. The resolver is set by the caller, which needs the port first. */
bool mail_init(struct mail *mail, struct net *net, uint64_t seed);
void mail_fini(struct mail *mail);

/* From now on; for each session there is a clock watcher's question, and some. */
void mail_set_rates(struct mail *mail, double sessions, double floods);

/* When mail_run() has something to do. */
int64_t mail_next(const struct mail *mail);
void mail_run(struct mail *mail);

/* For struct port: `line` of the client is the number of the waiting question. */
void mail_deliver(struct mail *mail, uint64_t line, const uint8_t *message, size_t len);

/* Every waiting question is younger than it may be. */
void mail_check_waiting(struct mail *mail);

/* Clients slept as well: their questions are not late, and sessions go on later. */
void mail_sleep(struct mail *mail, int64_t duration_us);

__attribute__((format(printf, 2, 3))) _Noreturn void mail_fail(
    const struct mail *mail, const char *format, ...);
