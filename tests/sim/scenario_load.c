/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/scenario.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "wire/types.h"
#include "tests/sim/sim.h"

/* load PATTERN COUNT every DURATION [TYPE] */
void play_load(struct scenario *scenario, const struct words *words)
{
    struct sim_load load = {.type = TYPE_A, .count = words_number(words, 2)};
    if (strcmp(words_get(words, 3), "every") != 0) {
        sim_fail("load PATTERN COUNT every DURATION");
    }
    snprintf(load.pattern, sizeof load.pattern, "%s", words->at[1]);
    load.every_us = words_duration(words, 4);
    if (words->count > 5 && !type_from_text(words->at[5], strlen(words->at[5]), &load.type)) {
        sim_fail("not a type: %s", words->at[5]);
    }
    sim_load_new(scenario->sim, &load);
}

static struct sim_load_result load_last(const struct sim *sim)
{
    struct sim_load_result result;
    if (sim->load_count == 0) {
        sim_fail("there was no load");
    }
    sim_load_result(sim, sim->load_count - 1, &result);
    return result;
}

/* calm */
void play_calm(struct scenario *scenario, const struct words *words)
{
    struct sim_load_result result = load_last(scenario->sim);
    (void)words;
    scenario->calm_median_us = result.median;
    scenario->calm_mean_us = result.mean;
    scenario->calm_p99_us = result.p99;
}

/* A duration, or so many per cent of what it was in calm weather. */
static int64_t load_limit(const struct words *words, size_t index, int64_t calm_us)
{
    const char *word = words_get(words, index);
    size_t len = strlen(word);
    uint64_t percent;
    if (len == 0 || word[len - 1] != '%') {
        return words_duration(words, index);
    }
    if (calm_us == 0 || !text_parse_u64(word, len - 1, 10000, &percent)) {
        sim_fail("%s of what? No load was called calm", word);
    }
    return calm_us * (int64_t)percent / 100;
}

static void load_say(const struct sim_load_result *result)
{
    char text[120];
    struct text out;
    text_init(&out, text, sizeof text);
    const int64_t times[4] = {result->median, result->mean, result->p99, result->worst};
    for (size_t i = 0; i < 4; i++) {
        text_add(&out, i == 0 ? "" : " ");
        text_add_latency(&out, (uint64_t)times[i]);
    }
    fprintf(stderr, "failed %u, waiting %u, median mean p99 worst: %s\n", result->failed,
        result->waiting, text);
}

/* The word is a count of the load's questions, whose bound comes behind it. */
static bool load_count(
    const struct words *words, size_t index, const struct sim_load_result *result)
{
    if (strcmp(words->at[index], "failed") == 0) {
        words_bound(words, index + 1, "the number of failed questions", result->failed);
        return true;
    }
    if (strcmp(words->at[index], "waited") == 0) {
        words_bound(words, index + 1, "the number of questions that waited", result->waited);
        return true;
    }
    return false;
}

/* expect-load [failed|waited BOUND] [median|mean|p99|worst]-at-most LIMIT... */
void play_expect_load(struct scenario *scenario, const struct words *words)
{
    struct sim_load_result result = load_last(scenario->sim);
    const struct {
        const char *word;
        int64_t value;
        int64_t calm;
    } rows[] = {
        {"median-at-most", result.median, scenario->calm_median_us},
        {"mean-at-most", result.mean, scenario->calm_mean_us},
        {"p99-at-most", result.p99, scenario->calm_p99_us},
        {"worst-at-most", result.worst, 0},
    };
    if (result.waiting > 0) {
        load_say(&result);
        sim_fail("the load is not over: %u questions wait", result.waiting);
    }
    for (size_t i = 1; i < words->count; i += 2) {
        size_t row = 0;
        if (load_count(words, i, &result)) {
            i += strncmp(words_get(words, i + 1), "at-", 3) == 0 ? 1 : 0;
            continue;
        }
        while (row < 4 && strcmp(rows[row].word, words->at[i]) != 0) {
            row++;
        }
        if (row == 4) {
            sim_fail("one cannot expect of a load: %s", words->at[i]);
        }
        if (rows[row].value > load_limit(words, i + 1, rows[row].calm)) {
            load_say(&result);
            sim_fail("not %s %s", rows[row].word, words->at[i + 1]);
        }
    }
}

/* extra at-most N percent */
void play_extra(struct scenario *scenario, const struct words *words)
{
    const struct sim *sim = scenario->sim;
    uint64_t sent = sim->sent_count - sim->sent_marked;
    uint64_t extra = sent > sim->questions ? sent - sim->questions : 0;
    if (words->count != 4 || strcmp(words->at[1], "at-most") != 0) {
        sim_fail("extra at-most N percent");
    }
    if (extra * 100 > sim->questions * words_number(words, 2)) {
        sim_fail("%llu messages for %llu questions", (unsigned long long)sent,
            (unsigned long long)sim->questions);
    }
}
