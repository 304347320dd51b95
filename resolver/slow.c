/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/slow.h"

#include <stdlib.h>

#include "base/text.h"
#include "wire/header.h"
#include "resolver/query.h"
#include "resolver/resolver_private.h"

static bool slow_is_old(const struct slow_record *record, int64_t now)
{
    return now - record->at >= SLOW_KEPT_US;
}

/* The record of this question, if it is one of a row that goes on. */
static struct slow_record *slow_find(struct slow_ring *ring, uint64_t tag, int64_t now)
{
    for (size_t i = 0; i < ring->count; i++) {
        if (ring->tags[i] == tag && now - ring->records[i].at < SLOW_SAME_US) {
            return &ring->records[i];
        }
    }
    return NULL;
}

/* A free place, or that of the record that is missed least: an old one, else the shortest wait, or
 * with `by_time` the first to have come. */
static size_t slow_room(struct slow_ring *ring, bool by_time, int64_t now)
{
    if (ring->count < SLOW_PLACES) {
        return ring->count++;
    }
    size_t least = 0;
    for (size_t i = 0; i < SLOW_PLACES; i++) {
        const struct slow_record *record = &ring->records[i];
        if (slow_is_old(record, now)) {
            return i;
        }
        bool is_less = by_time ? record->at < ring->records[least].at
                               : record->waited_us < ring->records[least].waited_us;
        least = is_less ? i : least;
    }
    return least;
}

/* What a question has to beat from now on. */
static void slow_raise_floor(struct slow_ring *ring)
{
    ring->floor_us = 0;
    ring->floor_until = INT64_MAX;
    if (ring->count < SLOW_PLACES) {
        return;
    }
    ring->floor_us = INT64_MAX;
    for (size_t i = 0; i < SLOW_PLACES; i++) {
        const struct slow_record *record = &ring->records[i];
        int64_t ends_at = record->at + SLOW_KEPT_US;
        ring->floor_us = record->waited_us < ring->floor_us ? record->waited_us : ring->floor_us;
        ring->floor_until = ends_at < ring->floor_until ? ends_at : ring->floor_until;
    }
}

static unsigned slow_rcode(const struct query_turn *turn)
{
    const struct answer_source *source = &turn->source;
    return source->stored.bytes != NULL ? header_rcode(turn->answer) : source->error.rcode;
}

static void slow_set_reason(struct slow_record *record, const struct answer_source *source)
{
    bool has_records = source->stored.bytes != NULL;
    const char *reason = has_records ? source->stored.extra.ede_text : source->error.ede_text;
    struct text text;
    record->ede = has_records ? source->stored.extra.ede : source->error.ede;
    text_init(&text, record->reason, sizeof record->reason);
    text_add(&text, record->ede != EDE_NONE && reason != NULL ? reason : "");
}

void slow_describe(struct slow_record *record, const struct query_turn *turn)
{
    const struct query *query = turn->query;
    const struct cache_key *key = &query->key;
    const struct redact_case redact =
        lists_redact(&turn->resolver->lists, key->name, key->name_len);
    record->waited_us = turn->now - query->asked_at;
    record->joined_us = 0;
    record->type = key->type;
    record->class = key->class;
    record->wants_dnssec = key->wants_dnssec;
    record->outcome = query->outcome;
    record->rcode = slow_rcode(turn);
    slow_set_reason(record, &turn->source);
    redact_keep(&redact, key->name, key->name_len, &record->name);
    timeline_begin(&record->timeline, query->asked_at);
    if (turn->ask == NULL && turn->timeline != NULL) {
        record->timeline = *turn->timeline;
        record->joined_us = query->asked_at - turn->timeline->began_at;
    }
}

static void slow_note(struct slow_ring *ring, const struct query_turn *turn, bool by_time)
{
    const struct resolver *resolver = turn->resolver;
    uint64_t tag = cache_key_hash(&turn->query->key, &resolver->inflight.secret);
    struct slow_record *record = slow_find(ring, tag, turn->now);
    bool is_new = record == NULL;
    if (is_new) {
        size_t place = slow_room(ring, by_time, turn->now);
        record = &ring->records[place];
        ring->tags[place] = tag;
        record->count = 0;
    }
    if (is_new || turn->now - turn->query->asked_at > record->waited_us) {
        slow_describe(record, turn);
    }
    record->count += record->count < UINT32_MAX ? 1 : 0;
    record->at = turn->now;
}

void slow_on_waited(struct query_turn *turn)
{
    struct slow_ring *ring = &turn->resolver->slow.slowest;
    int64_t waited_us = turn->now - turn->query->asked_at;
    bool is_short = waited_us <= ring->floor_us && turn->now < ring->floor_until;
    if (waited_us <= 0 || is_short) {
        return;
    }
    slow_note(ring, turn, false);
    slow_raise_floor(ring);
}

void slow_on_failed(struct query_turn *turn)
{
    slow_note(&turn->resolver->slow.failed, turn, true);
}

static int slow_compare_wait(const void *a, const void *b)
{
    const struct slow_record *left = a;
    const struct slow_record *right = b;
    return (left->waited_us < right->waited_us) - (left->waited_us > right->waited_us);
}

static int slow_compare_time(const void *a, const void *b)
{
    const struct slow_record *left = a;
    const struct slow_record *right = b;
    return (left->at < right->at) - (left->at > right->at);
}

size_t slow_sort(struct slow_record *records, size_t count, bool by_time)
{
    qsort(records, count, sizeof *records, by_time ? slow_compare_time : slow_compare_wait);
    return count < SLOW_PLACES ? count : SLOW_PLACES;
}

size_t slow_copy(const struct slow_ring *ring, int64_t now, struct slow_record *out)
{
    size_t count = 0;
    for (size_t i = 0; i < ring->count; i++) {
        if (!slow_is_old(&ring->records[i], now)) {
            out[count++] = ring->records[i];
        }
    }
    return count;
}
