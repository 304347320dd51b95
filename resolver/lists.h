/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"
#include "wire/name.h"
#include "conf/settings.h"
#include "mail/list_answer.h"
#include "mail/list_zone.h"
#include "mail/redact.h"
#include "resolver/list_learn.h"
#include "resolver/list_stats.h"
#include "resolver/list_test.h"

/*
 * The DNS lists that this host uses: what is known of each (lists.def, corrected by the operator's
 * [list] sections), how it stands, and what was counted. A list has its place from its first
 * question on; lists that nobody knows have one when list_learn.h has seen enough. There are
 * LISTS_MAX places; when all are taken, one that was not asked for a day makes room, and without
 * such a one the newcomer counts with the others at LISTS_OTHER. Embedded in the resolver, one
 * worker's.
 */
#define LISTS_MAX   64
#define LISTS_OTHER LISTS_MAX
#define LISTS_NONE  (LISTS_MAX + 1) /* Not a list, or not known to be one. */

/* A list that was not asked for so long is not in use. */
#define LISTS_IDLE_US (INT64_C(24) * 3600 * 1000000)

/* So many answers in a row without a refusal, and it is over. */
#define LISTS_GOOD_MIN 8

/* One warning for each list in this time. */
#define LISTS_LOG_US (INT64_C(3600) * 1000000)

struct cache_key;

/* What clients get when the list does not answer as a list. */
enum lists_action {
    LISTS_ACTION_SERVFAIL,
    LISTS_ACTION_NXDOMAIN,
    LISTS_ACTION_PASS,
};

struct lists_place {
    uint8_t name[NAME_SIZE_MAX]; /* The zone, wire form, lower case. */
    uint8_t name_len;
    uint8_t key_len;             /* Bytes of `key`, its length byte included; 0: none. */
    uint8_t key[64];             /* The label that was last seen before the zone. Secret. */
    const struct list_zone *row; /* NULL: learned. */
    char zone[NAME_TEXT_SIZE];   /* The zone without the final dot. */
    enum lists_action action;
    int64_t used_at;
    enum list_cause cause; /* Why it does not answer; NONE: it does. */
    int64_t cause_since;
    unsigned good;  /* Answers in a row without a refusal. */
    int64_t log_at; /* The next line in the log may stand then. */
    uint64_t unlogged;
    struct list_test test;
    struct list_stats stats;
};

/* A [list] section over the row of lists.def. */
struct lists_own {
    struct list_zone row;
    uint8_t name[NAME_SIZE_MAX];
    uint8_t name_len;
    enum settings_list_action action;
    char text[NAME_TEXT_SIZE];
    struct network refused[SETTINGS_REFUSED_MAX];
};

struct lists {
    struct lists_place places[LISTS_MAX + 1];
    uint8_t lens[LISTS_MAX]; /* Of the places' names. */
    unsigned count;
    struct lists_own own[SETTINGS_LISTS_MAX];
    size_t own_count;
    enum settings_list_action action;
    bool has_tests;
    struct deadline deadline; /* Of the tests. */
    struct list_learn learn;
    char sentence[512]; /* Scratch of lists_sentence(). */
};

/* Takes the settings, new ones too: places stay. */
void lists_set_settings(struct lists *lists, const struct settings *settings);

/* Is it a question to a list of a [list] section? `question_out` may hold what lists.def and the
 * shape say, and stays so if not, or if they name a longer zone. */
bool lists_recognise(
    const struct lists *lists, const struct cache_key *key, struct list_question *question_out);

/* The place of the list that `question` asks, which it takes now if it has none. */
unsigned lists_use(struct lists *lists, const struct cache_key *key,
    const struct list_question *question, int64_t now);

/* The same for a question that has been answered before; LISTS_NONE when the list lost its place.
 */
unsigned lists_use_again(struct lists *lists, const struct cache_key *key, int64_t now);

/* What its test points have found. */
bool lists_is_world(const struct lists *lists, unsigned place);

/* Its subjects are asked once and never again: nothing is worth a refresh. */
bool lists_is_hash(const struct lists *lists, unsigned place);

/* The place, if it has one. */
unsigned lists_find(const struct lists *lists, const struct cache_key *key);

/* A place for a zone that was learned. */
void lists_add_learned(struct lists *lists, const uint8_t *zone, size_t len, int64_t now);

/* False: the list's free quota is used up, by what this worker sent in the last day. */
bool lists_has_quota(const struct lists *lists, unsigned place, int64_t now);

/* What of a name may be shown: by the [list] sections, too. For mail/redact.h. */
struct redact_case lists_redact(const struct lists *lists, const uint8_t *name, size_t len);

/* The row that `key` is judged by, with or without a place; NULL: no list, or by shape only. */
const struct list_zone *lists_row(const struct lists *lists, const struct cache_key *key);

/* The same for a question whose list is known to have place `index`, which spares the search. */
const struct list_zone *lists_row_at(
    const struct lists *lists, unsigned index, const struct cache_key *key);

/* "ZONE refuses ...; use ...", for the extended error; valid until the next call. */
const char *lists_sentence(struct lists *lists, const char *zone, enum list_cause cause);

/* A client's wait, and the answer it got: counted with the list at `place`, if there is one. */
void lists_record_wait(struct lists *lists, unsigned place, const struct histogram_mark *waited);
struct lists_outcome {
    bool is_hit; /* Answered without waiting for upstream. */
    bool is_failure;
    bool is_listed;
};
void lists_record_answer(struct lists *lists, unsigned place, const struct lists_outcome *outcome);

/* The list has (with NONE: has not) turned out not to answer as a list. Logs at most once an hour.
 */
void lists_note(struct lists_place *place, enum list_cause cause, int64_t now);

/* Its trouble is over, if it was in any. */
void lists_return(struct lists_place *place, int64_t now);
