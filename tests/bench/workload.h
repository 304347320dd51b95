/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/zipf.h"
#include "wire/question.h"

/*
 * What the mail software asks in one inbound session, as a plan: postscreen's lists in parallel;
 * one after another the client's PTR and its address, HELO, the sender's MX and its address, a
 * domain list, SPF with two includes; then the filter's burst. The plan of a session depends on the
 * seed and the session's number only, never on answers or on time. Pure after workload_init().
 */
#define WORKLOAD_STEPS_MAX     12
#define WORKLOAD_QUESTIONS_MAX 64

/* Whose patience a question has. */
enum workload_manner {
    WORKLOAD_LIBC,   /* postscreen, smtpd, the SPF policy. */
    WORKLOAD_FILTER, /* rspamd. */
};

struct workload_step {
    enum workload_manner manner;
    uint32_t pause_us; /* Before the step: the SMTP dialogue. */
    uint8_t first;     /* Its questions, all asked at once. */
    uint8_t count;
};

struct workload_plan {
    struct workload_step steps[WORKLOAD_STEPS_MAX];
    struct question questions[WORKLOAD_QUESTIONS_MAX];
    uint8_t step_count;
    uint8_t question_count;
};

struct workload {
    uint64_t seed;
    struct zipf clients;
    struct zipf domains;
    struct zipf links;
};

/* False when memory is short; the workload is then safe to workload_fini(). */
bool workload_init(struct workload *workload, uint64_t seed);
void workload_fini(struct workload *workload);

void workload_plan(
    const struct workload *workload, uint32_t session, struct workload_plan *plan_out);
