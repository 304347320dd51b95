/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/list_test.h"

#include <string.h>

#include "base/must.h"
#include "wire/name.h"
#include "wire/types.h"
#include "resolver/fetch.h"
#include "resolver/resolver_private.h"

/* Draws another label by lot. */
static void list_test_draw(struct random *random, struct list_test *test)
{
    for (unsigned i = 0; i < LIST_TEST_LABEL_SIZE; i++) {
        test->label[i] = (char)('a' + random_below(random, 26));
    }
    test->label[LIST_TEST_LABEL_SIZE] = '\0';
}

static const char *list_test_unlisted(const struct lists_place *place)
{
    struct list_points points = list_points_of(place->row);
    return points.is_unlisted_random ? place->test.label : points.unlisted;
}

/* The question about `subject` to the list. False: there is none, or no room for it in a name. */
static bool list_test_key(
    const struct lists_place *place, const char *subject, struct cache_key *key_out)
{
    uint8_t wire[NAME_SIZE_MAX];
    size_t len;
    if (subject[0] == '\0' || !name_from_text(subject, strlen(subject), wire, &len)) {
        return false;
    }
    size_t subject_len = len - 1; /* Without the root. */
    if (subject_len + place->key_len + place->name_len > NAME_SIZE_MAX) {
        return false;
    }
    *key_out = (struct cache_key){.type = TYPE_A, .class = CLASS_IN};
    memcpy(key_out->name, wire, subject_len);
    memcpy(key_out->name + subject_len, place->key, place->key_len);
    memcpy(key_out->name + subject_len + place->key_len, place->name, place->name_len);
    key_out->name_len = (uint8_t)(subject_len + place->key_len + place->name_len);
    return true;
}

static bool list_test_is_about(
    const struct lists_place *place, const char *subject, const struct cache_key *key)
{
    struct cache_key asked;
    return list_test_key(place, subject, &asked) && asked.type == key->type &&
           name_equal(asked.name, asked.name_len, key->name, key->name_len);
}

static bool list_test_can(const struct lists *lists, const struct lists_place *place)
{
    if (!lists->has_tests || place->row == NULL || place->row->kind == LIST_KIND_HASH) {
        return false;
    }
    struct list_points points = list_points_of(place->row);
    return points.listed[0] != '\0' || points.unlisted[0] != '\0' || points.is_unlisted_random;
}

/* The one deadline stands where the earliest test is due. */
static void list_test_arm(struct resolver *resolver)
{
    struct lists *lists = &resolver->lists;
    int64_t earliest = INT64_MAX;
    for (unsigned i = 0; i < lists->count; i++) {
        const struct list_test *test = &lists->places[i].test;
        if (test->is_scheduled && test->next_at < earliest) {
            earliest = test->next_at;
        }
    }
    deadlines_clear(&resolver->deadlines, &lists->deadline);
    if (earliest != INT64_MAX) {
        lists->deadline.kind = LIFE_LISTS;
        deadlines_set(&resolver->deadlines, &lists->deadline, earliest);
    }
}

void list_test_schedule(struct resolver *resolver, unsigned index, int64_t now)
{
    if (index >= LISTS_MAX || resolver->lists.places[index].test.is_scheduled ||
        !list_test_can(&resolver->lists, &resolver->lists.places[index])) {
        return;
    }
    struct list_test *test = &resolver->lists.places[index].test;
    test->is_scheduled = true;
    test->next_at = now + LIST_TEST_FIRST_US;
    list_test_arm(resolver);
}

/* Somebody may be asking the same: then that answer is ours too. */
static bool list_test_ask(
    struct resolver *resolver, const struct lists_place *place, const char *subject, int64_t now)
{
    struct cache_key key;
    if (!list_test_key(place, subject, &key)) {
        return false;
    }
    const struct fetch_order order = {.key = &key, .is_list = true, .purpose = FETCH_FOR_HOUSE};
    if (fetch_start_unwaited(resolver, &order, now) != NULL) {
        counter_add(&resolver->stats.list_tests, 1);
    }
    return true;
}

static void list_test_run(struct resolver *resolver, struct lists_place *place, int64_t now)
{
    struct list_test *test = &place->test;
    test->next_at = now + LIST_TEST_EVERY_US;
    test->is_failed = false;
    test->found = LIST_CAUSE_NONE;
    list_test_draw(resolver->random, test);
    struct list_points points = list_points_of(place->row);
    test->awaits_listed = list_test_ask(resolver, place, points.listed, now);
    test->awaits_unlisted = list_test_ask(resolver, place, list_test_unlisted(place), now);
}

void list_test_on_deadline(struct resolver *resolver, int64_t now)
{
    struct lists *lists = &resolver->lists;
    for (unsigned i = 0; i < lists->count; i++) {
        struct lists_place *place = &lists->places[i];
        if (!place->test.is_scheduled || place->test.next_at > now) {
            continue;
        }
        if (now - place->used_at > LISTS_IDLE_US || !list_test_can(lists, place)) {
            place->test.is_scheduled = false;
            continue;
        }
        list_test_run(resolver, place, now);
    }
    list_test_arm(resolver);
}

/* All answers of this test are in. */
static void list_test_conclude(struct resolver *resolver, struct lists_place *place, int64_t now)
{
    struct list_test *test = &place->test;
    test->failures = test->is_failed ? test->failures + 1 : 0;
    if (test->found == LIST_CAUSE_NONE && test->failures >= LIST_TEST_SILENT_MIN) {
        test->found = LIST_CAUSE_SILENT;
    }
    if (!test->is_failed) {
        test->is_world = test->found == LIST_CAUSE_WORLD;
    }
    if (test->found != LIST_CAUSE_NONE) {
        lists_note(place, test->found, now);
    } else if (!test->is_failed && list_cause_is_tested(place->cause)) {
        lists_return(place, now);
    }
    if (test->is_failed || test->found != LIST_CAUSE_NONE) {
        test->next_at = now + LIST_TEST_AGAIN_US;
        list_test_arm(resolver);
    }
}

void list_test_note(struct resolver *resolver, unsigned index, const struct cache_key *key,
    const struct list_answer *answer, int64_t now)
{
    struct lists_place *place = &resolver->lists.places[index];
    struct list_test *test = &place->test;
    if (!test->awaits_listed && !test->awaits_unlisted) {
        return;
    }
    bool is_listed_point =
        test->awaits_listed && list_test_is_about(place, list_points_of(place->row).listed, key);
    bool is_unlisted_point =
        test->awaits_unlisted && list_test_is_about(place, list_test_unlisted(place), key);
    if (!is_listed_point && !is_unlisted_point) {
        return;
    }
    test->awaits_listed &= !is_listed_point;
    test->awaits_unlisted &= !is_unlisted_point;
    test->is_failed |= answer == NULL;
    if (answer != NULL && is_listed_point && answer->verdict == LIST_VERDICT_NOT_LISTED) {
        test->found = LIST_CAUSE_EMPTY;
    }
    if (answer != NULL && is_unlisted_point && answer->verdict == LIST_VERDICT_LISTED) {
        test->found = LIST_CAUSE_WORLD;
    }
    if (!test->awaits_listed && !test->awaits_unlisted) {
        list_test_conclude(resolver, place, now);
    }
}
