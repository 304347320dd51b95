/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Plays scenario files on the simulated network. A file is read by people first: an opening comment
 * tells the story, then one line an action, in order. README.md in this folder lists the actions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/header.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "tests/sim/scenario.h"
#include "tests/sim/sim.h"

static void question_set(struct sim_question *question, const char *word)
{
    if (strcmp(word, "tcp") == 0) {
        question->is_stream = true;
    } else if (strcmp(word, "do") == 0) {
        question->has_edns = true;
        question->wants_dnssec = true;
    } else if (strcmp(word, "edns") == 0) {
        question->has_edns = true;
    } else if (strcmp(word, "ad") == 0) {
        question->flags |= HEADER_AD;
    } else if (strcmp(word, "cd") == 0) {
        question->flags |= HEADER_CD;
    } else if (strcmp(word, "no-rd") == 0) {
        question->flags = (uint16_t)(question->flags & ~HEADER_RD);
    } else if (strcmp(word, "chaos") == 0) {
        question->class = CLASS_CH;
    } else {
        sim_fail("a question cannot be: %s", word);
    }
}

/* ACTION ACTOR NAME TYPE [FLAG]... */
static struct sim_question question_of(const struct words *words)
{
    if (words->count < 4) {
        sim_fail("%s ACTOR NAME TYPE", words->at[0]);
    }
    struct sim_question question = {
        .name = words->at[2], .class = CLASS_IN, .flags = HEADER_RD, .udp_size = 1232};
    if (!type_from_text(words->at[3], strlen(words->at[3]), &question.type)) {
        sim_fail("not a type: %s", words->at[3]);
    }
    for (size_t i = 4; i < words->count; i++) {
        question_set(&question, words->at[i]);
    }
    return question;
}

static void play_ask(struct scenario *scenario, const struct words *words)
{
    struct sim_question question = question_of(words);
    actors_set(&scenario->actors, words->at[1], sim_ask(scenario->sim, &question));
}

static void play_libc(struct scenario *scenario, const struct words *words)
{
    struct sim_question question = question_of(words);
    actors_set_libc(&scenario->actors, words->at[1], sim_libc_new(scenario->sim, &question));
}

/* raw ACTOR HEX */
static void play_raw(struct scenario *scenario, const struct words *words)
{
    uint8_t bytes[1024];
    size_t len = 0;
    for (size_t i = 2; i < words->count; i++) {
        for (const char *hex = words->at[i]; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
            const char digits[3] = {hex[0], hex[1], '\0'};
            must(len < sizeof bytes);
            bytes[len++] = (uint8_t)strtoul(digits, NULL, 16);
        }
    }
    actors_set(&scenario->actors, words->at[1], sim_ask_bytes(scenario->sim, bytes, len, false));
}

static void play_flush(struct scenario *scenario, const struct words *words)
{
    uint8_t name[NAME_SIZE_MAX];
    size_t len;
    if (words->count < 2) {
        cache_flush_all(scenario->sim->cache);
    } else if (name_from_text(words->at[1], strlen(words->at[1]), name, &len)) {
        cache_flush_under(scenario->sim->cache, name, len);
    } else {
        sim_fail("not a name: %s", words->at[1]);
    }
}

static void play_pass(struct scenario *scenario, const struct words *words)
{
    sim_pass(scenario->sim, words_duration(words, 1));
}

static void play_clock_jump(struct scenario *scenario, const struct words *words)
{
    sim_sleep(scenario->sim, words_duration(words, 1));
}

static void play_mark(struct scenario *scenario, const struct words *words)
{
    (void)words;
    sim_mark(scenario->sim);
}

static void play_expect(struct scenario *scenario, const struct words *words)
{
    scenario_expect(
        scenario->sim, &scenario->actors, (const char *const *)words->at + 1, words->count - 1);
}

static void play_counter(struct scenario *scenario, const struct words *words)
{
    scenario_expect_counter(scenario->sim, words_get(words, 1), words_number(words, 2));
}

/* ahead STEP asked|used BOUND */
static void play_ahead(struct scenario *scenario, const struct words *words)
{
    const char *step = words_get(words, 1);
    bool is_used = strcmp(words_get(words, 2), "used") == 0;
    char what[80];
    snprintf(what, sizeof what, "the number of questions of %s %s", step, words->at[2]);
    words_bound(words, 3, what, scenario_ahead_count(scenario->sim, step, is_used));
}

static void play_story(struct scenario *scenario, const struct words *words)
{
    const char *name = words_get(words, 1);
    (void)words_get(words, 2);
    scenario_expect_story(
        scenario->sim, name, (const char *const *)words->at + 2, words->count - 2);
}

static void play_list(struct scenario *scenario, const struct words *words)
{
    scenario_expect_list(
        scenario->sim, words_get(words, 1), words_get(words, 2), words_get(words, 3));
}

static void play_reload(struct scenario *scenario, const struct words *words)
{
    (void)words;
    sim_reload(scenario->sim, scenario->conf);
}

static void play_publish(struct scenario *scenario, const struct words *words)
{
    (void)words;
    sim_change_world(scenario->sim, scenario->world);
}

static void play_line(struct scenario *scenario, const struct words *words)
{
    static const struct {
        const char *action;
        void (*play)(struct scenario *scenario, const struct words *words);
    } plays[] = {
        {"server", play_server},
        {"ask", play_ask},
        {"libc", play_libc},
        {"raw", play_raw},
        {"load", play_load},
        {"calm", play_calm},
        {"pass", play_pass},
        {"clock-jump", play_clock_jump},
        {"mark", play_mark},
        {"expect", play_expect},
        {"expect-load", play_expect_load},
        {"sent", play_sent},
        {"sent-rate", play_sent_rate},
        {"last", play_last},
        {"extra", play_extra},
        {"counter", play_counter},
        {"ahead", play_ahead},
        {"list", play_list},
        {"story", play_story},
        {"reload", play_reload},
        {"publish", play_publish},
        {"flush", play_flush},
    };
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        if (strcmp(plays[i].action, words->at[0]) == 0) {
            plays[i].play(scenario, words);
            return;
        }
    }
    sim_fail("no such action: %s", words->at[0]);
}

static void text_append(char *text, const char *line)
{
    size_t len = strlen(text);
    must(len + strlen(line) < SCENARIO_TEXT_SIZE);
    memcpy(text + len, line, strlen(line) + 1);
}

/* data-each COUNT LINE: the line COUNT times, with "*" numbered. */
static void describe_each(struct scenario *scenario, const char *line)
{
    char numbered[2048];
    char *end;
    unsigned long count = strtoul(line, &end, 10);
    for (unsigned i = 1; i <= count; i++) {
        sim_text_numbered(end + 1, i, numbered, sizeof numbered);
        text_append(scenario->world, numbered);
    }
}

/* Lines that describe: they add to the configuration or the world. True: this was one. */
static bool scenario_describe(struct scenario *scenario, const char *line)
{
    if (strncmp(line, "conf ", 5) == 0) {
        text_append(scenario->conf, line + 5);
        return true;
    }
    if (strncmp(line, "data ", 5) == 0) {
        text_append(scenario->world, line + 5);
        return true;
    }
    if (strncmp(line, "data-each ", 10) == 0) {
        describe_each(scenario, line + 10);
        return true;
    }
    if (strncmp(line, "conf-anew", 9) == 0) {
        scenario->conf[0] = '\0';
        return true;
    }
    if (strncmp(line, "data-anew", 9) == 0) {
        scenario->world[0] = '\0';
        return true;
    }
    return false;
}

static void scenario_line(struct scenario *scenario, char *line)
{
    if (scenario_describe(scenario, line)) {
        return;
    }
    struct words words = words_of(line);
    if (words.count == 0) {
        return;
    }
    if (scenario->sim == NULL) {
        struct sim_plan plan = {.conf = scenario->conf, .world = scenario->world, .seed = 1};
        scenario->sim = sim_new(&plan);
    }
    play_line(scenario, &words);
}

int main(int argc, char **argv)
{
    static struct scenario scenario;
    char line[2048];
    if (argc != 2) {
        fputs("usage: scenario FILE\n", stderr);
        return 64;
    }
    scenario.file = argv[1];
    FILE *file = fopen(argv[1], "r");
    if (file == NULL) {
        sim_fail("cannot open %s", argv[1]);
    }
    while (fgets(line, sizeof line, file) != NULL) {
        scenario.line++;
        /* A failure aborts; this is how the reader learns where. */
        fprintf(stderr, "\r%s:%u ", scenario.file, scenario.line);
        scenario_line(&scenario, line);
    }
    fclose(file);
    must(scenario.sim != NULL);
    sim_free(&scenario.sim);
    fprintf(stderr, "\r%s: played\n", argv[1]);
    return 0;
}
