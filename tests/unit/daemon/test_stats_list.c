/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/stats_list.h"

static struct stats_list list;

static void stand(const char *zone, const char *standing)
{
    memset(&list, 0, sizeof list);
    memcpy(list.zone, zone, strlen(zone) + 1);
    memcpy(list.standing, standing, strlen(standing) + 1);
}

static void test_standing(void **state)
{
    static const struct {
        const char *standing;
        bool is_well;
        enum list_cause cause;
    } cases[] = {
        {"well", true, LIST_CAUSE_NONE},
        {"ended", false, LIST_CAUSE_NONE},
        {"resolver", false, LIST_CAUSE_RESOLVER},
        {"quota", false, LIST_CAUSE_QUOTA},
        {"world", false, LIST_CAUSE_WORLD},
        {"silent", false, LIST_CAUSE_SILENT},
        {"a newer word", false, LIST_CAUSE_NONE},
        {"", false, LIST_CAUSE_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stand("a.example", cases[i].standing);
        assert_true(stats_list_is_well(&list) == cases[i].is_well);
        assert_int_equal(stats_list_cause(&list), cases[i].cause);
    }
}

/* Each cause is known by its name, and has its place in a list's line. */
static void test_each_cause_is_found(void **state)
{
    (void)state;
    for (unsigned cause = LIST_CAUSE_NONE + 1; cause < LIST_CAUSES; cause++) {
        const char *name = list_cause_name((enum list_cause)cause);
        assert_in_range(strlen(name), 1, sizeof list.standing - 1);
        stand("a.example", name);
        assert_int_equal(stats_list_cause(&list), cause);
    }
}

static void test_refusals_are_of_three_kinds(void **state)
{
    (void)state;
    stand("a.example", "well");
    assert_int_equal(stats_list_refusals(&list), 0);
    list.counts[STATS_LIST_refused] = 1;
    list.counts[STATS_LIST_parked] = 20;
    list.counts[STATS_LIST_misused] = 300;
    list.counts[STATS_LIST_errors] = 4000;
    assert_int_equal(stats_list_refusals(&list), 321);
}

static void test_sentences(void **state)
{
    char sentence[STATS_LIST_SENTENCE_SIZE];
    (void)state;
    stand("zen.spamhaus.org", "resolver");
    stats_list_sentence(&list, sentence);
    const char *clause = list_cause_clause(LIST_CAUSE_RESOLVER);
    assert_memory_equal(sentence, clause, strlen(clause));
    assert_non_null(strstr(sentence, list_cause_remedy(LIST_CAUSE_RESOLVER)));

    stand("no-such-list.example", "ended");
    stats_list_sentence(&list, sentence);
    assert_non_null(strstr(sentence, "was closed (some time ago)"));

    stand("a.example", "odd");
    stats_list_sentence(&list, sentence);
    assert_string_equal(sentence, "stands as \"odd\"");
}

/* What lists.def says about its end. */
static void test_an_ended_list_says_since_when(void **state)
{
    char sentence[STATS_LIST_SENTENCE_SIZE];
    size_t count;
    const struct list_zone *zones = list_zone_table(&count);
    size_t ended = 0;
    (void)state;
    for (size_t i = 0; i < count; i++) {
        if (zones[i].ended != NULL) {
            stand(zones[i].zone, "ended");
            stats_list_sentence(&list, sentence);
            assert_non_null(strstr(sentence, zones[i].ended));
            ended++;
        }
    }
    assert_true(ended > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standing),
        cmocka_unit_test(test_each_cause_is_found),
        cmocka_unit_test(test_refusals_are_of_three_kinds),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_an_ended_list_says_since_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
