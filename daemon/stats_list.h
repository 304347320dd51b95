/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "mail/list_answer.h"

/*
 * One DNS list as it is shown, over all workers: a part of daemon/stats_view.h.
 */
#define STATS_LISTS_MAX      128
#define STATS_LIST_ZONE_SIZE 256

/* The rows of resolver/list_metrics.def, as indexes. */
enum stats_list_row {
#define METRIC_COUNTER(name, sentence) STATS_LIST_##name,
#include "resolver/list_metrics.def"
#undef METRIC_COUNTER
    STATS_LIST_ROWS
};

struct stats_list {
    char zone[STATS_LIST_ZONE_SIZE]; /* "-": all that found no place of their own. */
    char standing[16];               /* "well", "ended", or a list_cause_name(). */
    uint64_t day;                    /* Messages sent to it in the last day. */
    uint64_t quota;                  /* Of a day; 0: not stated. */
    uint64_t wait_p50_us;
    uint64_t wait_p99_us;
    uint64_t wait_max_us;
    uint64_t miss_p50_us; /* From the first message of a fetch to its end. */
    uint64_t miss_p99_us;
    uint64_t miss_max_us;
    uint64_t counts[STATS_LIST_ROWS];
    struct histogram_sum wait; /* Of clients. */
    struct histogram_sum miss; /* Of fetches. */
};

bool stats_list_is_well(const struct stats_list *list);

/* Why it does not answer; NONE when it does, or has ended. */
enum list_cause stats_list_cause(const struct stats_list *list);

/* Answers that were no listing, whatever the reason. */
uint64_t stats_list_refusals(const struct stats_list *list);

/* "has ended (June 2024): take it out of the mail software" and the like, for behind the zone. */
#define STATS_LIST_SENTENCE_SIZE 512
void stats_list_sentence(
    const struct stats_list *list, char sentence_out[STATS_LIST_SENTENCE_SIZE]);
