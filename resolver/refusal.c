/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/refusal.h"

#include "base/clock.h"
#include "base/must.h"
#include "wire/header.h"
#include "wire/name.h"
#include "wire/records.h"
#include "wire/types.h"
#include "resolver/local.h"
#include "resolver/resolver_private.h"

/* Type and class of the question. */
#define REFUSAL_QUESTION_TAIL 4

static void refusal_learn(struct resolver *resolver, const struct cache_key *key,
    const struct list_answer *answer, int64_t now)
{
    struct lists *lists = &resolver->lists;
    struct list_question question;
    if (!list_question_of(key->name, key->name_len, key->type, &question) ||
        question.known != NULL || key->type != TYPE_A) {
        return;
    }
    const struct list_learn_case seen = {
        .name = key->name,
        .len = key->name_len,
        .zone_at = question.zone_at,
        .verdict = answer->verdict,
    };
    if (list_learn_note(&lists->learn, &seen, now)) {
        lists_add_learned(
            lists, key->name + question.zone_at, key->name_len - question.zone_at, now);
    }
}

static void refusal_count(struct list_stats *stats, enum list_verdict verdict)
{
    switch (verdict) {
    case LIST_VERDICT_LISTED:
    case LIST_VERDICT_NOT_LISTED:
        return;
    case LIST_VERDICT_REFUSED:
        counter_add(&stats->refused, 1);
        return;
    case LIST_VERDICT_MISUSED:
        counter_add(&stats->misused, 1);
        return;
    case LIST_VERDICT_PARKED:
        counter_add(&stats->parked, 1);
        return;
    }
}

static struct refusal refusal_make(
    struct resolver *resolver, const struct lists_place *place, enum list_cause cause, int64_t now)
{
    int64_t since_s = (now - place->cause_since) / CLOCK_US_PER_S;
    struct refusal refusal = {
        .cause = cause,
        .action = place->action,
        .keep_s = REFUSAL_KEEP_MIN_S,
        .sentence = lists_sentence(&resolver->lists, place->zone, cause),
    };
    if (since_s > REFUSAL_KEEP_MIN_S) {
        refusal.keep_s = since_s < REFUSAL_KEEP_MAX_S ? (uint32_t)since_s : REFUSAL_KEEP_MAX_S;
    }
    return refusal;
}

/* A list that found no place is not counted, but it is understood. */
static struct refusal refusal_without_place(
    struct resolver *resolver, const struct list_zone *row, enum list_cause cause)
{
    struct refusal refusal = {.cause = cause, .keep_s = REFUSAL_KEEP_MIN_S};
    if (cause != LIST_CAUSE_NONE) {
        refusal.action = resolver->lists.places[LISTS_OTHER].action;
        refusal.sentence = lists_sentence(&resolver->lists, row->zone, cause);
    }
    return refusal;
}

struct refusal refusal_judge(
    struct resolver *resolver, unsigned index, const struct cache_key *key, size_t len, int64_t now)
{
    const struct list_zone *row = lists_row_at(&resolver->lists, index, key);
    struct list_answer answer = list_answer_of(row, key->type, resolver->normalised, len);
    if (row == NULL) {
        if (index >= LISTS_MAX) {
            refusal_learn(resolver, key, &answer, now);
        }
        return (struct refusal){.cause = LIST_CAUSE_NONE};
    }
    if (index >= LISTS_MAX) {
        return refusal_without_place(resolver, row, answer.cause);
    }
    struct lists_place *place = &resolver->lists.places[index];
    list_test_note(resolver, index, key, &answer, now);
    refusal_count(&place->stats, answer.verdict);
    lists_note(place, answer.cause, now);
    bool is_of_world = place->test.is_world && answer.verdict == LIST_VERDICT_LISTED;
    enum list_cause cause = is_of_world ? LIST_CAUSE_WORLD : answer.cause;
    if (cause == LIST_CAUSE_NONE) {
        return (struct refusal){.cause = LIST_CAUSE_NONE};
    }
    return refusal_make(resolver, place, cause, now);
}

struct refusal refusal_of_world(struct resolver *resolver, unsigned index, int64_t now)
{
    must(lists_is_world(&resolver->lists, index));
    return refusal_make(resolver, &resolver->lists.places[index], LIST_CAUSE_WORLD, now);
}

size_t refusal_deny(struct resolver *resolver, const struct refusal *refusal,
    const struct cache_key *key, uint8_t *stored_out)
{
    struct list_question question = {0};
    if (!list_question_of(key->name, key->name_len, key->type, &question)) {
        question.zone_at = 0;
    }
    (void)lists_recognise(&resolver->lists, key, &question);
    return local_deny_for(key, question.zone_at, refusal->keep_s, stored_out);
}

void refusal_bound_ttls(uint8_t *stored, size_t len, uint32_t min_s, uint32_t max_s)
{
    struct reader reader = reader_of(stored, len);
    struct record record;
    if (!reader_skip(&reader, HEADER_SIZE) || !name_skip(&reader) ||
        !reader_skip(&reader, REFUSAL_QUESTION_TAIL)) {
        return;
    }
    while (reader_left(&reader) > 0 && record_read(&reader, &record)) {
        uint32_t ttl = record.ttl < min_s ? min_s : record.ttl;
        bytes_put_u32(stored + record.ttl_at, ttl > max_s ? max_s : ttl);
    }
}

const char *refusal_sentence(struct resolver *resolver, unsigned index)
{
    const struct lists_place *place = index < LISTS_MAX ? &resolver->lists.places[index] : NULL;
    bool is_refusing = place != NULL && place->cause != LIST_CAUSE_NONE &&
                       place->cause != LIST_CAUSE_EMPTY && place->cause != LIST_CAUSE_SILENT;
    return is_refusing ? lists_sentence(&resolver->lists, place->zone, place->cause) : NULL;
}
