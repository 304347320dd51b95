/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/deck.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/random.h"
#include "tests/bench/zipf.h"
#include "wire/edns.h"
#include "wire/header.h"

#define ID_SIZE        2
#define QUERY_SIZE_MAX 128 /* No name of the mix needs more. */
#define ZIPF_EXPONENT  1.0

static void query_add(struct deck *deck, enum mix_kind kind, uint64_t number)
{
    static const struct edns_reply edns = {.udp_size = EDNS_UDP_SIZE, .ede = EDE_NONE};
    struct mix_question asked;
    uint32_t at = deck->query_count == 0 ? 0 : deck->ends[deck->query_count - 1];
    uint8_t query[QUERY_SIZE_MAX];
    struct writer writer = writer_of(query, sizeof(query));
    mix_question(kind, number, &asked);
    (void)writer_take(&writer, HEADER_SIZE);
    header_set_id(query, 0);
    header_set_flags(query, HEADER_RD);
    header_set_counts(query, (const uint16_t[4]){1, 0, 0, asked.has_edns ? 1 : 0});
    question_write(&writer, &asked.question);
    if (asked.has_edns) {
        edns_write(&writer, &edns);
    }
    must(!writer.is_cut);
    memcpy(deck->bytes + at, query + ID_SIZE, writer.len - ID_SIZE);
    deck->ends[deck->query_count++] = at + (uint32_t)(writer.len - ID_SIZE);
}

/* All questions of the options, in a random order. */
static void queries_shuffle(struct deck *deck, struct random *random)
{
    for (uint32_t i = deck->query_count - 1; i > 0; i--) {
        uint32_t other = random_below(random, i + 1);
        uint32_t kept = deck->draws[i];
        deck->draws[i] = deck->draws[other];
        deck->draws[other] = kept;
    }
}

/* Ranks are given to the questions by chance, or the first messages' would be the popular ones. */
static bool zipf_draws(struct deck *deck, uint32_t draw_count, struct random *random)
{
    struct zipf zipf;
    uint32_t *ranked = deck->draws;
    for (uint32_t i = 0; i < deck->query_count; i++) {
        ranked[i] = i;
    }
    queries_shuffle(deck, random);
    deck->draws = malloc(draw_count * sizeof(*deck->draws));
    bool is_good = zipf_init(&zipf, deck->query_count, ZIPF_EXPONENT) && deck->draws != NULL;
    for (uint32_t i = 0; is_good && i < draw_count; i++) {
        deck->draws[i] = ranked[zipf_draw(&zipf, random)];
    }
    deck->draw_count = draw_count;
    zipf_fini(&zipf);
    free(ranked);
    return is_good;
}

static bool deck_allocate(struct deck *deck, uint32_t count)
{
    deck->bytes = malloc((size_t)count * QUERY_SIZE_MAX);
    deck->ends = malloc(count * sizeof(*deck->ends));
    deck->draws = malloc(count * sizeof(*deck->draws));
    return deck->bytes != NULL && deck->ends != NULL && deck->draws != NULL;
}

bool deck_init(struct deck *deck, const struct deck_options *options)
{
    struct random random;
    bool is_even = options->order == DECK_EVEN;
    uint32_t count = is_even ? options->draws : (uint32_t)options->count;
    *deck = (struct deck){.draw_count = count};
    must(options->count > 0 && options->draws > 0 && (is_even || options->count <= DECK_COUNT_MAX));
    if (!deck_allocate(deck, count)) {
        return false;
    }
    random_init_seed(&random, options->seed);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t number = is_even ? random_below(&random, (uint32_t)options->count) : i;
        query_add(deck, options->kind, options->first + number);
        deck->draws[i] = i;
    }
    return options->order != DECK_ZIPF || zipf_draws(deck, options->draws, &random);
}

void deck_fini(struct deck *deck)
{
    free(deck->bytes);
    free(deck->ends);
    free(deck->draws);
    *deck = (struct deck){.bytes = NULL};
}

struct deck_query deck_query(const struct deck *deck, uint64_t draw)
{
    uint32_t query = deck->draws[draw % deck->draw_count];
    uint32_t at = query == 0 ? 0 : deck->ends[query - 1];
    return (struct deck_query){.bytes = deck->bytes + at, .len = deck->ends[query] - at};
}
