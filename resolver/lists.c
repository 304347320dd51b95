/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/lists.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/text.h"
#include "wire/name.h"
#include "cache/key.h"
#include "resolver/events.h"

static enum list_kind lists_kind_of(enum settings_list_kind kind, const struct list_zone *known)
{
    switch (kind) {
    case SETTINGS_LIST_KIND_AUTO:
        return known != NULL ? known->kind : LIST_KIND_IP;
    case SETTINGS_LIST_KIND_IP:
        return LIST_KIND_IP;
    case SETTINGS_LIST_KIND_ALLOW:
        return LIST_KIND_ALLOW;
    case SETTINGS_LIST_KIND_DOMAIN:
        return LIST_KIND_DOMAIN;
    case SETTINGS_LIST_KIND_HASH:
        return LIST_KIND_HASH;
    }
    must_never("a kind of list");
}

/* The row of lists.def for exactly this zone, or NULL. */
static const struct list_zone *lists_known(const uint8_t *zone, size_t len)
{
    size_t at = 0;
    const struct list_zone *known = list_zone_above(zone, len, &at);
    return at == 0 ? known : NULL;
}

/* Without the final dot. */
static void lists_zone_text(const uint8_t *zone, size_t len, char text_out[NAME_TEXT_SIZE])
{
    size_t text_len = name_to_text(zone, len, text_out, NAME_TEXT_SIZE);
    text_out[text_len - 1] = '\0';
}

/* Where the list's zone begins in a section's name. Who writes the name with the customer's key in
 * front means the list, and the key must not become part of a zone's name, which is shown. */
static size_t lists_zone_at(const struct settings_list *section)
{
    size_t at = 0;
    const struct list_zone *above = list_zone_above(section->name, section->name_len, &at);
    bool is_key = above != NULL && above->has_key && at == 1u + section->name[0];
    return is_key ? at : 0;
}

static void lists_take_section(struct lists_own *own, const struct settings_list *section)
{
    size_t at = lists_zone_at(section);
    memset(own, 0, sizeof *own);
    own->name_len = (uint8_t)(section->name_len - at);
    memcpy(own->name, section->name + at, own->name_len);
    const struct list_zone *known = lists_known(own->name, own->name_len);
    own->action = section->action;
    lists_zone_text(own->name, own->name_len, own->text);
    memcpy(own->refused, section->refused, sizeof own->refused);
    if (known != NULL) {
        own->row = *known;
    }
    own->row.zone = own->text;
    own->row.kind = lists_kind_of(section->kind, known);
    if (section->key != SETTINGS_LIST_KEY_AUTO && at == 0) {
        own->row.has_key = section->key == SETTINGS_LIST_KEY_YES;
    }
    if (section->refused_count > 0) {
        own->row.codes = own->refused;
        own->row.code_count = section->refused_count;
    }
    own->row.quota = section->quota;
}

static const struct lists_own *lists_own_at(
    const struct lists *lists, const uint8_t *zone, size_t len)
{
    for (size_t i = 0; i < lists->own_count; i++) {
        const struct lists_own *own = &lists->own[i];
        if (own->name_len == len && memcmp(own->name, zone, len) == 0) {
            return own;
        }
    }
    return NULL;
}

static enum lists_action lists_action_of(enum settings_list_action action)
{
    switch (action) {
    case SETTINGS_LIST_ACTION_AUTO:
    case SETTINGS_LIST_ACTION_SERVFAIL:
        return LISTS_ACTION_SERVFAIL;
    case SETTINGS_LIST_ACTION_NXDOMAIN:
        return LISTS_ACTION_NXDOMAIN;
    case SETTINGS_LIST_ACTION_PASS:
        return LISTS_ACTION_PASS;
    }
    must_never("an action");
}

/* What the settings and lists.def say about the zone of this place. */
static void lists_dress(const struct lists *lists, struct lists_place *place)
{
    const struct lists_own *own = lists_own_at(lists, place->name, place->name_len);
    bool has_action = own != NULL && own->action != SETTINGS_LIST_ACTION_AUTO;
    place->row = own != NULL ? &own->row : lists_known(place->name, place->name_len);
    place->action = lists_action_of(has_action ? own->action : lists->action);
}

/* What is not tested any more would stand for ever as it was found last. */
static void lists_forget_test(struct lists_place *place)
{
    place->test.is_world = false;
    place->test.awaits_listed = false;
    place->test.awaits_unlisted = false;
    if (list_cause_is_tested(place->cause)) {
        place->cause = LIST_CAUSE_NONE;
    }
}

void lists_set_settings(struct lists *lists, const struct settings *settings)
{
    lists->action = settings->list_action;
    lists->has_tests = settings->list_tests;
    lists->own_count = settings->list_count;
    for (size_t i = 0; i < settings->list_count; i++) {
        lists_take_section(&lists->own[i], &settings->lists[i]);
    }
    for (unsigned i = 0; i < lists->count; i++) {
        lists_dress(lists, &lists->places[i]);
        if (!lists->has_tests || lists->places[i].row == NULL) {
            lists_forget_test(&lists->places[i]);
        }
    }
    lists->places[LISTS_OTHER].action = lists_action_of(lists->action);
}

bool lists_recognise(
    const struct lists *lists, const struct cache_key *key, struct list_question *question_out)
{
    for (size_t at = 0; lists->own_count > 0 && key->name[at] != 0; at += 1u + key->name[at]) {
        const struct lists_own *own = lists_own_at(lists, key->name + at, key->name_len - at);
        if (own == NULL) {
            continue;
        }
        bool is_shorter = question_out->known != NULL && at > question_out->zone_at;
        return !is_shorter &&
               list_question_at(&own->row, key->name, key->name_len, at, question_out);
    }
    return false;
}

static unsigned lists_seek(const struct lists *lists, const uint8_t *zone, size_t len)
{
    unsigned at = 0;
    while (at < lists->count) {
        const uint8_t *hit = memchr(lists->lens + at, (int)len, lists->count - at);
        if (hit == NULL) {
            break;
        }
        at = (unsigned)(hit - lists->lens);
        if (memcmp(lists->places[at].name, zone, len) == 0) {
            return at;
        }
        at++;
    }
    return LISTS_NONE;
}

/* A free place, or that of a list that is not in use any more. */
static unsigned lists_room(struct lists *lists, int64_t now)
{
    if (lists->count < LISTS_MAX) {
        return lists->count++;
    }
    for (unsigned i = 0; i < LISTS_MAX; i++) {
        if (now - lists->places[i].used_at > LISTS_IDLE_US) {
            return i;
        }
    }
    return LISTS_OTHER;
}

static unsigned lists_add(struct lists *lists, const uint8_t *zone, size_t len, int64_t now)
{
    unsigned index = lists_room(lists, now);
    struct lists_place *place = &lists->places[index];
    if (index == LISTS_OTHER) {
        return index;
    }
    memset(place, 0, sizeof *place);
    memcpy(place->name, zone, len);
    place->name_len = (uint8_t)len;
    lists_zone_text(zone, len, place->zone);
    place->used_at = now;
    lists->lens[index] = (uint8_t)len;
    lists_dress(lists, place);
    return index;
}

unsigned lists_use(struct lists *lists, const struct cache_key *key,
    const struct list_question *question, int64_t now)
{
    const uint8_t *zone = key->name + question->zone_at;
    size_t len = key->name_len - question->zone_at;
    unsigned index = lists_seek(lists, zone, len);
    if (index == LISTS_NONE && question->known != NULL) {
        index = lists_add(lists, zone, len, now);
    }
    if (index >= LISTS_MAX) {
        return index;
    }
    struct lists_place *place = &lists->places[index];
    place->used_at = now;
    place->key_len = (uint8_t)(question->zone_at - question->subject_end);
    memcpy(place->key, key->name + question->subject_end, place->key_len);
    return index;
}

unsigned lists_use_again(struct lists *lists, const struct cache_key *key, int64_t now)
{
    unsigned index = LISTS_NONE;
    size_t at = key->name[0] != 0 ? 1u + key->name[0] : 0; /* Behind a subject. */
    for (; key->name[at] != 0 && index == LISTS_NONE; at += 1u + key->name[at]) {
        index = lists_seek(lists, key->name + at, key->name_len - at);
    }
    if (index != LISTS_NONE) {
        lists->places[index].used_at = now;
    }
    return index;
}

bool lists_is_world(const struct lists *lists, unsigned index)
{
    return index < LISTS_MAX && lists->places[index].test.is_world;
}

bool lists_is_hash(const struct lists *lists, unsigned index)
{
    return index < LISTS_MAX && lists->places[index].row != NULL &&
           lists->places[index].row->kind == LIST_KIND_HASH;
}

unsigned lists_find(const struct lists *lists, const struct cache_key *key)
{
    struct list_question question = {0};
    bool is_list = list_question_of(key->name, key->name_len, key->type, &question);
    if (!lists_recognise(lists, key, &question) && !is_list) {
        return LISTS_NONE;
    }
    return lists_seek(lists, key->name + question.zone_at, key->name_len - question.zone_at);
}

void lists_add_learned(struct lists *lists, const uint8_t *zone, size_t len, int64_t now)
{
    if (lists_seek(lists, zone, len) == LISTS_NONE) {
        (void)lists_add(lists, zone, len, now);
    }
}

bool lists_has_quota(const struct lists *lists, unsigned index, int64_t now)
{
    if (index >= LISTS_MAX || lists->places[index].row == NULL) {
        return true;
    }
    const struct lists_place *place = &lists->places[index];
    uint64_t quota = list_quota_of(place->row);
    return quota == 0 || list_stats_day(&place->stats, now) < quota;
}

/* The longest zone counts, whoever knows it. */
struct redact_case lists_redact(const struct lists *lists, const uint8_t *name, size_t len)
{
    struct redact_case redact = {.zone_at = len};
    redact.zone = list_zone_above(name, len, &redact.zone_at);
    size_t end = redact.zone != NULL ? redact.zone_at : len - 1;
    for (size_t at = 0; lists->own_count > 0 && at <= end && name[at] != 0; at += 1u + name[at]) {
        const struct lists_own *own = lists_own_at(lists, name + at, len - at);
        if (own != NULL) {
            redact.zone = &own->row;
            redact.zone_at = at;
            break;
        }
    }
    return redact;
}

const struct list_zone *lists_row(const struct lists *lists, const struct cache_key *key)
{
    struct list_question question = {0};
    bool is_list = list_question_of(key->name, key->name_len, key->type, &question);
    return lists_recognise(lists, key, &question) || is_list ? question.known : NULL;
}

const struct list_zone *lists_row_at(
    const struct lists *lists, unsigned index, const struct cache_key *key)
{
    return index < LISTS_MAX ? lists->places[index].row : lists_row(lists, key);
}

const char *lists_sentence(struct lists *lists, const char *zone, enum list_cause cause)
{
    struct text text;
    text_init(&text, lists->sentence, sizeof lists->sentence);
    text_addf(&text, "%s %s; %s", zone, list_cause_clause(cause), list_cause_hint(cause));
    return lists->sentence;
}

static void lists_log(struct lists_place *place, int64_t now)
{
    place->unlogged++;
    if (now < place->log_at) {
        return;
    }
    log_event(&event_list_refuses, "zone=%s why=\"%s\" advice=\"%s\" answers=%" PRIu64, place->zone,
        list_cause_clause(place->cause), list_cause_remedy(place->cause), place->unlogged);
    place->log_at = now + LISTS_LOG_US;
    place->unlogged = 0;
}

void lists_return(struct lists_place *place, int64_t now)
{
    if (place->cause != LIST_CAUSE_NONE) {
        log_event(&event_list_returns, "zone=%s after_s=%" PRId64, place->zone,
            (now - place->cause_since) / CLOCK_US_PER_S);
    }
    place->cause = LIST_CAUSE_NONE;
}

void lists_note(struct lists_place *place, enum list_cause cause, int64_t now)
{
    bool is_tested = list_cause_is_tested(place->cause);
    if (cause == LIST_CAUSE_NONE) {
        if (!is_tested && ++place->good >= LISTS_GOOD_MIN) {
            lists_return(place, now);
        }
        return;
    }
    if (place->cause == LIST_CAUSE_NONE) {
        place->cause_since = now;
    }
    place->cause = cause;
    place->good = 0;
    lists_log(place, now);
}

void lists_record_wait(struct lists *lists, unsigned index, const struct histogram_mark *waited)
{
    if (index <= LISTS_OTHER) {
        histogram_record_mark(&lists->places[index].stats.wait, waited);
    }
}

void lists_record_answer(struct lists *lists, unsigned index, const struct lists_outcome *outcome)
{
    if (index > LISTS_OTHER) {
        return;
    }
    struct list_stats *stats = &lists->places[index].stats;
    counter_add(&stats->asked, 1);
    counter_add(&stats->hits, outcome->is_hit ? 1 : 0);
    if (outcome->is_failure) {
        counter_add(&stats->failed, 1);
    } else {
        counter_add(outcome->is_listed ? &stats->listed : &stats->not_listed, 1);
    }
}
