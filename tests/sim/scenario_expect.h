/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What a scenario may say about an answer: `expect ACTOR WORD...`, see README.md. */
struct sim;

#define ACTORS_MAX 64

/* Names of clients: each names the last question it asked. */
struct actors {
    struct {
        char name[16];
        size_t client;
    } items[ACTORS_MAX];
    size_t count;
};

void actors_set(struct actors *actors, const char *name, size_t client);

/* Aborts by sim_fail() when it is otherwise. */
void scenario_expect(
    const struct sim *sim, const struct actors *actors, const char *const *words, size_t count);

/* The counter of resolver/metrics.def has exactly that value. */
void scenario_expect_counter(const struct sim *sim, const char *name, uint64_t value);
