/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a scenario may say about an answer: `expect ACTOR WORD...`, see README.md. */
struct sim;

#define ACTORS_MAX 64

/* The name of a client: it names the last question it asked. */
struct actor {
    char name[16];
    bool is_libc;
    size_t index; /* Of the client or the libc. */
};

struct actors {
    struct actor items[ACTORS_MAX];
    size_t count;
};

void actors_set(struct actors *actors, const char *name, size_t client);
void actors_set_libc(struct actors *actors, const char *name, size_t libc);

/* Aborts by sim_fail() when it is otherwise. */
void scenario_expect(
    const struct sim *sim, const struct actors *actors, const char *const *words, size_t count);

/* The list has a place and there exactly that value in a row of resolver/list_metrics.def, or in
 * "day", or it stands so ("stands"); "none": it has no place. */
void scenario_expect_list(
    const struct sim *sim, const char *zone, const char *what, const char *value);

/* The counter of resolver/metrics.def has exactly that value. */
/* The time line of a slow or failed question is exactly these events; a word may be the beginning
 * of KIND:DETAIL:ADDRESS:MILLISECONDSms. The only word `none`: there is no such question. */
void scenario_expect_story(
    const struct sim *sim, const char *name, const char *const *events, size_t count);
void scenario_expect_counter(const struct sim *sim, const char *name, uint64_t value);

/* How many questions that step has foreseen, or, of these, how many a client asked. */
uint64_t scenario_ahead_count(const struct sim *sim, const char *step, bool is_used);
