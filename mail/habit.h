/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "mail/sequel.h"

/*
 * What this host has been seen to ask, learned without asking anything: every subject that a client
 * asks about is watched for a while, and so is every question that an answer foretells; what the
 * client then asks of it is the evidence. A row of counts belongs to each way in which a subject is
 * first met (its context: the list asked first, or the type), and to each step from answers. What
 * at least `worth` per cent of such subjects were asked is worth asking ahead; what was asked ahead
 * and used less often than that is not, and is tried again now and then. No clock, no allocation:
 * the struct is large, zeroed memory is handed in. One worker's.
 *
 *     watched subjects     a ring of HABIT_RECORDS, oldest overwritten, each for HABIT_LIFE_US
 *     row.asked[] <= row.opened, row.matured <= row.opened <= HABIT_ROW_MAX
 */
#define HABIT_RECORDS    16384 /* A power of two. */
#define HABIT_ZONES      48
#define HABIT_ZONE_SIZE  96
#define HABIT_SELECTORS  2048 /* A power of two. */
#define HABIT_LABEL_SIZE 32
#define HABIT_ROW_MAX    512
#define HABIT_LIFE_US    (INT64_C(30) * 1000000)
#define HABIT_MATURE_US  (INT64_C(2) * 1000000)

/* Aspects of a subject, then the lists. */
#define HABIT_TARGETS     (SEQUEL_ASPECT_LIST + HABIT_ZONES)
#define HABIT_TARGET_NONE UINT8_MAX

/* A context of addresses, one of names, or a step. */
#define HABIT_ROWS (2 * HABIT_TARGETS + SEQUEL_STEPS)

#define HABIT_WAYS 4 /* Selectors of one domain that are remembered. */

struct habit_zone {
    uint8_t name[HABIT_ZONE_SIZE]; /* Wire form, a customer's key label included. */
    uint8_t len;                   /* 0: free. */
    uint16_t uses;
};

struct habit_row {
    uint16_t opened;  /* Subjects met so. */
    uint16_t matured; /* Of these, watched for HABIT_MATURE_US. */
    uint16_t asked[HABIT_TARGETS];
    uint64_t dnssec; /* Targets that were last asked with DO. */
};

/* What became of the questions of a step: of those that were asked ahead, how many were used. */
struct habit_worth {
    uint16_t settled;
    uint16_t used;
};

struct habit_selector {
    uint64_t tag;                    /* Of the domain; 0: free. */
    uint8_t label[HABIT_LABEL_SIZE]; /* With its length. */
    uint32_t seen;                   /* The larger, the later. */
};

/* A subject or a foretold question under watch. */
struct habit_record {
    uint64_t tag;
    uint64_t asked;    /* Targets that a client asked. */
    uint64_t foretold; /* Targets that were asked ahead. */
    uint64_t used;     /* Of these, those that a client found. */
    int64_t opened_at;
    uint32_t next;     /* In its chain; index + 1. */
    uint16_t followed; /* Aspects whose answers have been followed. */
    uint8_t row;
    bool is_matured;
};

struct habit {
    struct hash_key secret;
    unsigned worth; /* Per cent. */
    struct habit_zone zones[HABIT_ZONES];
    struct habit_row rows[HABIT_ROWS];
    struct habit_worth worths[SEQUEL_STEPS];
    uint32_t trials;
    uint32_t selectors_seen;
    struct habit_selector selectors[HABIT_SELECTORS];
    uint64_t opened;  /* Records, ever: the newest has the number before this one. */
    uint64_t matured; /* All below have matured. */
    uint64_t settled; /* All below have been settled. */
    uint32_t heads[HABIT_RECORDS];
    struct habit_record records[HABIT_RECORDS];
};

/* `habit` is zeroed. */
void habit_init(struct habit *habit, const struct hash_key *secret, unsigned worth);

/* A client's question. */
struct habit_question {
    const struct sequel_subject *subject; /* NULL: of a kind that nothing follows. */
    const uint8_t *name;                  /* Lower case. */
    size_t name_len;
    uint16_t type;
    bool wants_dnssec;
};

/* What is known of it; valid until the next call. */
struct habit_visit {
    struct habit_record *subject;  /* NULL: not watched. */
    struct habit_record *question; /* It was foretold; or NULL. */
    uint8_t target;
    bool is_first; /* The subject was not met before, or long ago. */
};

struct habit_visit habit_on_question(
    struct habit *habit, const struct habit_question *question, int64_t now);

/* It was answered with what had been asked ahead. */
void habit_on_used(struct habit_visit *visit);

/* The targets that are worth asking about a watched subject now, a bit each. Each of them counts as
 * asked ahead with habit_on_asked(). */
uint64_t habit_wanted(struct habit *habit, const struct habit_record *subject);

/* The subject's question for a target into `next_out`: of DKIM for the `way`-th selector, 0 to
 * HABIT_WAYS - 1; of others way 0 only. `subject` is what the first question was about. False:
 * there is none. */
bool habit_compose(const struct habit *habit, const struct sequel_subject *subject, uint8_t target,
    unsigned way, struct sequel_next *next_out);

/* Is the target usually asked with DO? */
bool habit_wants_dnssec(
    const struct habit *habit, const struct habit_record *record, uint8_t target);

/* The answer to this aspect of the watched subject is to be followed; once in its time. */
bool habit_may_follow(struct habit_record *subject, enum sequel_aspect aspect);

/* NULL: it is not watched. */
struct habit_record *habit_find(
    struct habit *habit, const struct sequel_subject *subject, int64_t now);

/* An answer foretells that question: it is watched from now on. *is_wanted_out: it is worth asking
 * ahead, and was not yet. */
struct habit_record *habit_foretell(
    struct habit *habit, const struct sequel_next *next, int64_t now, bool *is_wanted_out);

void habit_on_asked(struct habit_record *record, uint8_t target);

/* What comes of the step is mostly used; or nothing is known yet. */
bool habit_step_is_on(const struct habit *habit, enum sequel_step step);
