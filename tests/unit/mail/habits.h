/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "answer.h"

#include "mail/habit.h"

/*
 * For the tests of habits: questions of clients, and whole sessions.
 */
#define SECOND INT64_C(1000000)

static inline struct habit *habit_new(unsigned worth)
{
    const struct hash_key secret = {1, 2};
    struct habit *habit = calloc(1, sizeof *habit);
    assert_non_null(habit);
    habit_init(habit, &secret, worth);
    return habit;
}

/* A client asks; with DO if the name begins with '+'. */
static inline struct habit_visit visit(
    struct habit *habit, const char *name, uint16_t type, int64_t now)
{
    static struct asked asked;
    bool wants_dnssec = name[0] == '+';
    ask(&asked, name + (wants_dnssec ? 1 : 0), type);
    const struct habit_question question = {
        .subject = asked.has_subject ? &asked.subject : NULL,
        .name = asked.name,
        .name_len = asked.name_len,
        .type = type,
        .wants_dnssec = wants_dnssec,
    };
    return habit_on_question(habit, &question, now);
}

/* Would that target be asked ahead now? */
static inline bool wants(struct habit *habit, const struct habit_visit *seen, uint8_t target)
{
    return seen->subject != NULL && (habit_wanted(habit, seen->subject) >> target & 1) != 0;
}

/* The number-th client: zen, and then the PTR record in `percent` of all cases. */
static inline void session(struct habit *habit, unsigned number, unsigned percent, int64_t now)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%u.%u.51.198.zen.spamhaus.org", number % 256, number / 256);
    (void)visit(habit, name, TYPE_A, now);
    if (number % 100 < percent) {
        (void)snprintf(name, sizeof name, "%u.%u.51.198.in-addr.arpa", number % 256, number / 256);
        (void)visit(habit, name, TYPE_PTR, now);
    }
}
