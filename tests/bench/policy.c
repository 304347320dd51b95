/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which policy of eviction suits a mail host? Replays a day of questions (policy_trace.h) against
 * the policies of policy.h, each also with a cap on the answers of DNS lists, and against the real
 * cache. Prints a table in Markdown: hit ratios in per cent, of all questions and of those that are
 * not to lists.
 *
 *     policy [-n CONNECTIONS] [-t SECONDS] [-b BOTS_PERCENT] [-s SEED] [-e ENTRIES] [-q]
 *
 * -e: only this size of the cache. -q: no progress.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "tests/bench/policy.h"
#include "tests/bench/policy_replay.h"
#include "tests/bench/policy_trace.h"

#define SIZES_MAX  6
#define OPTION_MAX 5000000

struct options {
    struct policy_trace_options trace;
    uint32_t sizes[SIZES_MAX];
    unsigned size_count;
    bool is_quiet;
};

/* A line of the table; without makers it is the real cache. */
struct row {
    const char *name;
    struct policy_cap cap; /* Of 0 per cent: none. */
    unsigned real_share;
};

static const struct row rows[] = {
    {.name = "LRU", .cap = {policy_lru_new, NULL, 0}},
    {.name = "SLRU 20/80", .cap = {policy_slru_new, NULL, 0}},
    {.name = "S3-FIFO", .cap = {policy_s3fifo_new, NULL, 0}},
    {.name = "SIEVE", .cap = {policy_sieve_new, NULL, 0}},
    {.name = "LRU, lists 25 %", .cap = {policy_lru_new, policy_lru_new, 25}},
    {.name = "SLRU, lists 25 %", .cap = {policy_slru_new, policy_slru_new, 25}},
    {.name = "SLRU, lists 25 % as LRU", .cap = {policy_slru_new, policy_lru_new, 25}},
    {.name = "S3-FIFO, lists 25 %", .cap = {policy_s3fifo_new, policy_s3fifo_new, 25}},
    {.name = "SIEVE, lists 25 %", .cap = {policy_sieve_new, policy_sieve_new, 25}},
    {.name = "LRU, lists 10 %", .cap = {policy_lru_new, policy_lru_new, 10}},
    {.name = "SLRU, lists 10 %", .cap = {policy_slru_new, policy_slru_new, 10}},
    {.name = "SLRU, lists 10 % as LRU", .cap = {policy_slru_new, policy_lru_new, 10}},
    {.name = "S3-FIFO, lists 10 %", .cap = {policy_s3fifo_new, policy_s3fifo_new, 10}},
    {.name = "SIEVE, lists 10 %", .cap = {policy_sieve_new, policy_sieve_new, 10}},
    {.name = "mxcache, list_share 25", .real_share = 25},
    {.name = "mxcache, list_share 10", .real_share = 10},
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static bool row_replay(const struct row *row, const struct policy_trace *trace, uint32_t entries,
    struct policy_score *score_out)
{
    struct policy_room room = {.slots = entries, .names = trace->name_count};
    if (row->real_share > 0) {
        return policy_replay_real(trace, entries, row->real_share, score_out);
    }
    struct policy *policy =
        row->cap.percent > 0 ? policy_capped_new(&room, &row->cap) : row->cap.others(&room);
    if (policy == NULL) {
        return false;
    }
    bool is_done = policy_replay(trace, &room, policy, score_out);
    policy->free(policy);
    return is_done;
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

static bool row_print(
    const struct options *options, const struct policy_trace *trace, const struct row *row)
{
    printf("| %s |", row->name);
    for (unsigned i = 0; i < options->size_count; i++) {
        struct policy_score score;
        if (!options->is_quiet) {
            fprintf(stderr, "policy: %s, %u entries\n", row->name, options->sizes[i]);
        }
        if (!row_replay(row, trace, options->sizes[i], &score)) {
            return false;
        }
        printf(" %.1f / %.1f", percent(score.hits, score.asks),
            percent(score.other_hits, score.other_asks));
        if (row->real_share > 0) {
            printf(" (%llu)", (unsigned long long)score.entries);
        }
        printf(" |");
    }
    printf("\n");
    return fflush(stdout) == 0;
}

static bool facts_print(const struct options *options, const struct policy_trace *trace)
{
    struct policy_trace_facts facts;
    if (!policy_trace_sum_up(trace, &facts)) {
        return false;
    }
    printf("%u connections in %u s, %u %% of them from bots, seed %llu: %u questions, %.0f %% to "
           "lists; %.0f %% of the names asked once (lists: %.0f %%).\n\n",
        options->trace.connections, options->trace.seconds, options->trace.bots_percent,
        (unsigned long long)options->trace.seed, trace->count, percent(facts.lists, trace->count),
        percent(facts.once, facts.names), percent(facts.lists_once, facts.lists_names));
    printf("| hits in %% (all / not lists) |");
    for (unsigned i = 0; i < options->size_count; i++) {
        printf(" %u entries |", options->sizes[i]);
    }
    printf("\n|---|");
    for (unsigned i = 0; i < options->size_count; i++) {
        printf("---|");
    }
    printf("\n");
    return true;
}

static bool table_print(const struct options *options)
{
    struct policy_trace trace;
    bool is_good = policy_trace_init(&trace, &options->trace) && facts_print(options, &trace);
    for (size_t i = 0; i < ROW_COUNT && is_good; i++) {
        is_good = row_print(options, &trace, &rows[i]);
    }
    policy_trace_fini(&trace);
    return is_good;
}

static bool option_take(struct options *options, int option, const char *value)
{
    uint64_t number = 0;
    if (value == NULL || !text_parse_u64(value, strlen(value), OPTION_MAX, &number)) {
        return false;
    }
    switch (option) {
    case 'n':
        options->trace.connections = (uint32_t)number;
        return number > 0;
    case 't':
        options->trace.seconds = (uint32_t)number;
        return number > 0;
    case 'b':
        options->trace.bots_percent = (uint32_t)number;
        return number <= 100;
    case 's':
        options->trace.seed = number;
        return true;
    case 'e':
        options->sizes[0] = (uint32_t)number;
        options->size_count = 1;
        return number > 0;
    default:
        return false;
    }
}

static bool options_read(struct options *options, int argc, char **argv)
{
    int option = 0;
    bool is_good = true;
    while ((option = getopt(argc, argv, "n:t:b:s:e:q")) != -1) {
        if (option == 'q') {
            options->is_quiet = true;
        } else {
            is_good = option_take(options, option, optarg) && is_good;
        }
    }
    return is_good && optind == argc;
}

int main(int argc, char **argv)
{
    struct options options = {
        .trace = {.connections = 600000, .seconds = 29880, .bots_percent = 60, .seed = 1},
        .sizes = {2000, 5000, 10000, 20000, 50000, 100000},
        .size_count = SIZES_MAX,
    };
    if (!options_read(&options, argc, argv)) {
        fprintf(stderr, "usage: policy [-n CONNECTIONS] [-t SECONDS] [-b BOTS_PERCENT] [-s SEED] "
                        "[-e ENTRIES] [-q]\n");
        return 64;
    }
    if (!table_print(&options)) {
        fprintf(stderr, "policy: not enough memory\n");
        return 1;
    }
    return 0;
}
