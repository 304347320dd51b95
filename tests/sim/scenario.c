/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Plays scenario files on the simulated network. A file is read by people first: an opening comment
 * tells the story, then one line an action, in order. README.md in this folder lists the actions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "wire/header.h"
#include "wire/types.h"
#include "cache/cache.h"
#include "tests/sim/scenario_expect.h"
#include "tests/sim/sim.h"

#define SCENARIO_WORDS_MAX 24
#define SCENARIO_TEXT_SIZE 16384

struct scenario {
    const char *file;
    unsigned line;
    char conf[SCENARIO_TEXT_SIZE];
    char world[SCENARIO_TEXT_SIZE];
    struct sim *sim; /* Made by the first line that is neither conf nor data. */
    struct actors actors;
};

struct words {
    char *at[SCENARIO_WORDS_MAX];
    size_t count;
};

/* Cuts a line into words; "..." is one word. */
static struct words words_of(char *line)
{
    struct words words = {0};
    char *at = line;
    while (words.count < SCENARIO_WORDS_MAX) {
        at += strspn(at, " \t\n");
        if (*at == '\0' || *at == '#') {
            return words;
        }
        bool is_quoted = *at == '"';
        at += is_quoted ? 1 : 0;
        words.at[words.count++] = at;
        at += strcspn(at, is_quoted ? "\"" : " \t\n");
        if (*at != '\0') {
            *at++ = '\0';
        }
    }
    return words;
}

static int64_t duration_of(const char *word)
{
    int64_t duration;
    if (word == NULL || !text_parse_duration(word, strlen(word), &duration)) {
        sim_fail("not a duration: %s", word != NULL ? word : "(nothing)");
    }
    return duration;
}

static unsigned number_of(const char *word)
{
    uint64_t number;
    if (word == NULL || !text_parse_u64(word, strlen(word), 1000000, &number)) {
        sim_fail("not a number: %s", word != NULL ? word : "(nothing)");
    }
    return (unsigned)number;
}

static struct sim_server *server_of(struct scenario *scenario, const char *word)
{
    struct address address;
    if (!address_parse(word, strlen(word), 53, &address)) {
        sim_fail("not an address: %s", word);
    }
    return sim_server_at(scenario->sim, &address);
}

static int rcode_of(const char *word)
{
    char text[TYPE_TEXT_SIZE];
    for (unsigned rcode = 0; rcode < 16; rcode++) {
        if (strcasecmp(rcode_to_text(rcode, text), word) == 0) {
            return (int)rcode;
        }
    }
    sim_fail("not an rcode: %s", word);
}

static enum sim_lie lie_of(const char *word)
{
    static const char *const names[] = {"none", "id", "question", "qr", "garbage", "first"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], word) == 0) {
            return (enum sim_lie)i;
        }
    }
    sim_fail("not a lie: %s", word);
}

/* One word of behaviour, with its argument; how many words it took. */
static size_t server_set(struct sim_server *server, const char *word, const char *argument)
{
    static const struct {
        const char *word;
        size_t offset;
    } flags[] = {
        {"silent", offsetof(struct sim_server, is_silent)},
        {"refusing", offsetof(struct sim_server, is_refusing)},
        {"no-tcp", offsetof(struct sim_server, has_no_tcp)},
        {"no-edns", offsetof(struct sim_server, has_no_edns)},
        {"truncating", offsetof(struct sim_server, is_truncating)},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(flags[i].word, word) == 0) {
            *(bool *)((char *)server + flags[i].offset) = true;
            return 1;
        }
    }
    if (strcmp(word, "well") == 0) {
        *server = (struct sim_server){.address = server->address,
            .rcode = -1,
            .delay_us = 20000,
            .asked = server->asked,
            .asked_stream = server->asked_stream};
        return 1;
    }
    if (strcmp(word, "delay") == 0) {
        server->delay_us = duration_of(argument);
    } else if (strcmp(word, "jitter") == 0) {
        server->jitter_us = duration_of(argument);
    } else if (strcmp(word, "loss") == 0) {
        server->loss = number_of(argument);
    } else if (strcmp(word, "duplicates") == 0) {
        server->duplicates = number_of(argument);
    } else if (strcmp(word, "rcode") == 0) {
        server->rcode = rcode_of(argument);
    } else if (strcmp(word, "lie") == 0) {
        server->lie = lie_of(argument);
    } else {
        sim_fail("a server cannot be: %s", word);
    }
    return 2;
}

static void play_server(struct scenario *scenario, const struct words *words)
{
    struct sim_server *server = server_of(scenario, words->at[1]);
    for (size_t i = 2; i < words->count;) {
        i += server_set(server, words->at[i], i + 1 < words->count ? words->at[i + 1] : NULL);
    }
}

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

/* ask ACTOR NAME TYPE [FLAG]... */
static void play_ask(struct scenario *scenario, const struct words *words)
{
    if (words->count < 4) {
        sim_fail("ask ACTOR NAME TYPE");
    }
    struct sim_question question = {
        .name = words->at[2], .class = CLASS_IN, .flags = HEADER_RD, .udp_size = 1232};
    if (!type_from_text(words->at[3], strlen(words->at[3]), &question.type)) {
        sim_fail("not a type: %s", words->at[3]);
    }
    for (size_t i = 4; i < words->count; i++) {
        question_set(&question, words->at[i]);
    }
    actors_set(&scenario->actors, words->at[1], sim_ask(scenario->sim, &question));
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

/* sent ADDRESS N, or sent ADDRESS at-most N */
static void play_sent(struct scenario *scenario, const struct words *words)
{
    const struct sim_server *server = server_of(scenario, words->at[1]);
    bool is_bound = strcmp(words->at[2], "at-most") == 0;
    unsigned wanted = number_of(words->at[is_bound ? 3 : 2]);
    if (is_bound ? server->asked > wanted : server->asked != wanted) {
        sim_fail("%s was sent %llu messages", words->at[1], (unsigned long long)server->asked);
    }
}

static void play_line(struct scenario *scenario, const struct words *words)
{
    const char *action = words->at[0];
    if (strcmp(action, "server") == 0) {
        play_server(scenario, words);
    } else if (strcmp(action, "ask") == 0) {
        play_ask(scenario, words);
    } else if (strcmp(action, "raw") == 0) {
        play_raw(scenario, words);
    } else if (strcmp(action, "pass") == 0) {
        sim_pass(scenario->sim, duration_of(words->at[1]));
    } else if (strcmp(action, "expect") == 0) {
        scenario_expect(
            scenario->sim, &scenario->actors, (const char *const *)words->at + 1, words->count - 1);
    } else if (strcmp(action, "sent") == 0) {
        play_sent(scenario, words);
    } else if (strcmp(action, "counter") == 0) {
        scenario_expect_counter(scenario->sim, words->at[1], number_of(words->at[2]));
    } else if (strcmp(action, "reload") == 0) {
        sim_reload(scenario->sim, scenario->conf);
    } else if (strcmp(action, "flush") == 0) {
        play_flush(scenario, words);
    } else {
        sim_fail("no such action: %s", action);
    }
}

/* Lines that describe: they add to the configuration or the world. True: this was one. */
static bool scenario_describe(struct scenario *scenario, const char *line)
{
    static const char *const kinds[] = {"conf ", "data "};
    for (size_t i = 0; i < 2; i++) {
        char *text = i == 0 ? scenario->conf : scenario->world;
        if (strncmp(line, kinds[i], strlen(kinds[i])) == 0) {
            size_t len = strlen(text);
            snprintf(text + len, SCENARIO_TEXT_SIZE - len, "%s", line + strlen(kinds[i]));
            return true;
        }
    }
    if (strncmp(line, "conf-anew", 9) == 0) {
        scenario->conf[0] = '\0';
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
