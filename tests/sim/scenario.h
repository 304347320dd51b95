/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tests/sim/scenario_expect.h"

/* The inside of the player of scenarios: one scenario, and what its lines may be. See README.md. */
struct sim;
struct sim_server;

#define SCENARIO_WORDS_MAX 24
#define SCENARIO_TEXT_SIZE (256 * 1024)

struct scenario {
    const char *file;
    unsigned line;
    char conf[SCENARIO_TEXT_SIZE];
    char world[SCENARIO_TEXT_SIZE];
    struct sim *sim; /* Made by the first line that is neither conf nor data. */
    struct actors actors;
    int64_t calm_mean_us; /* Of the load that was called calm; 0: none was. */
    int64_t calm_p99_us;
    int64_t calm_median_us;
};

struct words {
    char *at[SCENARIO_WORDS_MAX];
    size_t count;
};

/* Cuts a line into words; "..." is one word. Words stay in the line. */
struct words words_of(char *line);

/* The word, or a scenario that fails for want of it. */
const char *words_get(const struct words *words, size_t index);
int64_t words_duration(const struct words *words, size_t index);
unsigned words_number(const struct words *words, size_t index);

/* "at-most N", "at-least N" or "N"; fails unless `value` is so. */
void words_bound(const struct words *words, size_t index, const char *what, uint64_t value);

/* ---- Lines about servers, scenario_server.c ---- */

void play_server(struct scenario *scenario, const struct words *words);
void play_sent(struct scenario *scenario, const struct words *words);
void play_sent_rate(struct scenario *scenario, const struct words *words);
void play_last(struct scenario *scenario, const struct words *words);

/* ---- Lines about loads, scenario_load.c ---- */

void play_load(struct scenario *scenario, const struct words *words);
void play_calm(struct scenario *scenario, const struct words *words);
void play_expect_load(struct scenario *scenario, const struct words *words);
void play_extra(struct scenario *scenario, const struct words *words);
