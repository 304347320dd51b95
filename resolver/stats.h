/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/metrics.h"
#include "mail/sequel.h"

/*
 * What one worker's resolver has counted: the rows of resolver/metrics.def, and the wait of clients
 * by class of question and outcome. Fixed label sets: nothing from outside can add one. One writer
 * (the worker), any readers.
 */
enum question_class {
    QUESTION_CLASS_MX,
    QUESTION_CLASS_A,
    QUESTION_CLASS_AAAA,
    QUESTION_CLASS_PTR,
    QUESTION_CLASS_TXT,
    QUESTION_CLASS_TLSA,
    QUESTION_CLASS_LIST, /* A question to a DNS list, whatever its type. */
    QUESTION_CLASS_OTHER,
};
#define QUESTION_CLASSES 8

enum outcome {
    OUTCOME_HIT,    /* Fresh from the cache. */
    OUTCOME_STALE,  /* Expired, but given. */
    OUTCOME_JOINED, /* Waited for work that another question had started. */
    OUTCOME_MISS,   /* Waited for upstream. */
    OUTCOME_LOCAL,  /* Answered in the house, errors about the query itself included. */
    OUTCOME_FAILED, /* SERVFAIL. */
};
#define OUTCOMES 6

const char *question_class_name(enum question_class class);
const char *outcome_name(enum outcome outcome);

struct resolver_stats {
#define METRIC_COUNTER(name, sentence) struct counter name;
#define METRIC_GAUGE(name, sentence)   struct counter name;
#include "resolver/metrics.def"
#undef METRIC_COUNTER
#undef METRIC_GAUGE
    struct histogram wait[QUESTION_CLASSES][OUTCOMES];
};

extern const struct metric_row resolver_metric_rows[];
extern const size_t resolver_metric_row_count;

/* The counter of row `index`; rows and struct have one order. */
uint64_t resolver_stats_read(const struct resolver_stats *stats, size_t index);

/* Questions asked ahead by a step, or of these those that a client asked in time: its row, which
 * there is for every step but SEQUEL_NONE, and one more. */
size_t resolver_stats_ahead_row(enum sequel_step step, bool is_used);
void resolver_stats_count_ahead(struct resolver_stats *stats, enum sequel_step step, bool is_used);
