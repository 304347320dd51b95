/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sim/scenario.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/sim/sim.h"

struct words words_of(char *line)
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
    sim_fail("a line of more than %d words", SCENARIO_WORDS_MAX - 1);
}

const char *words_get(const struct words *words, size_t index)
{
    if (index >= words->count) {
        sim_fail("something is missing after %s", words->at[words->count - 1]);
    }
    return words->at[index];
}

int64_t words_duration(const struct words *words, size_t index)
{
    const char *word = words_get(words, index);
    int64_t duration;
    if (!text_parse_duration(word, strlen(word), &duration)) {
        sim_fail("not a duration: %s", word);
    }
    return duration;
}

unsigned words_number(const struct words *words, size_t index)
{
    const char *word = words_get(words, index);
    uint64_t number;
    if (!text_parse_u64(word, strlen(word), 1000000, &number)) {
        sim_fail("not a number: %s", word);
    }
    return (unsigned)number;
}

void words_bound(const struct words *words, size_t index, const char *what, uint64_t value)
{
    const char *word = words_get(words, index);
    bool is_most = strcmp(word, "at-most") == 0;
    bool is_least = strcmp(word, "at-least") == 0;
    uint64_t bound = words_number(words, index + (is_most || is_least ? 1 : 0));
    bool is_so = is_most ? value <= bound : is_least ? value >= bound : value == bound;
    if (!is_so) {
        sim_fail("%s is %llu, not %s%s%llu", what, (unsigned long long)value,
            is_most || is_least ? word : "", is_most || is_least ? " " : "",
            (unsigned long long)bound);
    }
}
