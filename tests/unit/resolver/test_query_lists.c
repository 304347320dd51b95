/* SPDX-License-Identifier: BSD-2-Clause */
#include "resolver/query_lists.h"

#include "fixture.h"

#include "resolver/query.h"
#include "resolver/resolver_private.h"

static const char conf[] = "upstreams = 192.0.2.1\nlist_route = upstream\nahead = no\n";

static const char zen[] = "9.2.0.192.zen.spamhaus.org";

static struct query_turn turn_of(struct fixture *fixture, struct query *query)
{
    return (struct query_turn){
        .resolver = fixture->resolver,
        .query = query,
        .now = 77,
        .answer = fixture->answer,
    };
}

static void test_classify(void **state)
{
    static const struct {
        const char *conf;
        const char *name;
        uint16_t type;
        enum question_class class;
        unsigned place;
    } cases[] = {
        {"", "9.2.0.192.zen.spamhaus.org", TYPE_A, QUESTION_CLASS_LIST, 0},
        {"", "9.2.0.192.zen.spamhaus.org", TYPE_TXT, QUESTION_CLASS_LIST, 0},
        /* By shape only: a list, without a place. */
        {"", "9.2.0.192.bl.example.org", TYPE_A, QUESTION_CLASS_LIST, LISTS_NONE},
        {"[list bl.example.org]\n", "9.2.0.192.bl.example.org", TYPE_A, QUESTION_CLASS_LIST, 0},
        {"[list bl.example.org]\nkind = domain\n", "example.com.bl.example.org", TYPE_A,
            QUESTION_CLASS_LIST, 0},
        {"", "example.com.bl.example.org", TYPE_A, QUESTION_CLASS_A, 99},
        {"", "mail.example.org", TYPE_MX, QUESTION_CLASS_MX, 99},
        {"", "zen.spamhaus.org", TYPE_A, QUESTION_CLASS_A, 99},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[160];
        (void)snprintf(text, sizeof text, "%s%s", conf, cases[i].conf);
        struct fixture *fixture = fixture_new(text);
        struct query query = {.key = key_of(cases[i].name, cases[i].type), .list = 99};
        struct query_turn turn = turn_of(fixture, &query);
        struct list_question list;
        bool is_list = cases[i].class == QUESTION_CLASS_LIST;
        assert_true(query_lists_classify(&turn, &list) == is_list);
        assert_int_equal(query.class, cases[i].class);
        assert_true(query.is_list == is_list);
        assert_int_equal(query.list, cases[i].place);
        bool has_place = cases[i].place < LISTS_MAX;
        assert_int_equal(fixture->resolver->lists.places[0].used_at, has_place ? 77 : 0);
        fixture_free(fixture);
    }
}

/* What is asked is tested from then on, by a miss as by a hit. */
static void test_find(void **state)
{
    static const struct {
        bool is_list;
        enum cache_kind kind;
        enum question_class class;
        unsigned place;
        bool is_tested;
    } cases[] = {
        {true, CACHE_KIND_ANSWER, QUESTION_CLASS_LIST, 0, true},
        {false, CACHE_KIND_ANSWER, QUESTION_CLASS_A, LISTS_NONE, false},
        /* A failure does not say whose it is: the name tells. */
        {false, CACHE_KIND_FAILURE, QUESTION_CLASS_A, 0, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        struct lists_place *place = &fixture->resolver->lists.places[0];
        struct query query = {.key = key_of(zen, TYPE_A), .list = LISTS_NONE};
        struct query_turn turn = turn_of(fixture, &query);
        struct list_question list;
        (void)query_lists_classify(&turn, &list);
        place->test.is_scheduled = false;
        place->used_at = 0;
        query.list = LISTS_NONE;
        turn.found = (struct cache_found){.is_list = cases[i].is_list, .kind = cases[i].kind};
        query_lists_find(&turn);
        assert_int_equal(query.class, cases[i].class);
        assert_true(query.is_list == cases[i].is_list);
        assert_int_equal(query.list, cases[i].place);
        assert_true(place->test.is_scheduled == cases[i].is_tested);
        assert_int_equal(place->used_at, cases[i].is_tested ? 77 : 0);
        fixture_free(fixture);
    }
}

/* From the question to the row of its list. */
static void test_count(void **state)
{
    static const struct {
        unsigned rcode; /* Of the answer, with a record when it is NOERROR and `has_record`. */
        bool has_record;
        bool has_message;
        bool is_hit;
        unsigned counts[5]; /* asked, hits, listed, not_listed, failed. */
    } cases[] = {
        {RCODE_NOERROR, true, true, true, {1, 1, 1, 0, 0}},
        {RCODE_NOERROR, true, true, false, {1, 0, 1, 0, 0}},
        {RCODE_NOERROR, false, true, false, {1, 0, 0, 1, 0}},
        {RCODE_NXDOMAIN, false, true, true, {1, 1, 0, 1, 0}},
        {RCODE_SERVFAIL, false, false, false, {1, 0, 0, 0, 1}},
        {RCODE_SERVFAIL, false, false, true, {1, 1, 0, 0, 1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *fixture = fixture_new(conf);
        struct query query = {.key = key_of(zen, TYPE_A)};
        struct query_turn turn = turn_of(fixture, &query);
        struct list_question list;
        struct ask ask = {.len = 0};
        const uint16_t counts[4] = {1, cases[i].has_record ? 1 : 0, 0, 0};
        (void)query_lists_classify(&turn, &list);
        header_set_flags(fixture->answer, (uint16_t)(HEADER_QR | cases[i].rcode));
        header_set_counts(fixture->answer, counts);
        turn.ask = cases[i].is_hit ? &ask : NULL;
        turn.source.stored.bytes = cases[i].has_message ? fixture->answer : NULL;
        turn.source.error.rcode = cases[i].rcode;
        query_lists_count(&turn);
        const struct list_stats *stats = &fixture->resolver->lists.places[0].stats;
        assert_int_equal(counter_read(&stats->asked), cases[i].counts[0]);
        assert_int_equal(counter_read(&stats->hits), cases[i].counts[1]);
        assert_int_equal(counter_read(&stats->listed), cases[i].counts[2]);
        assert_int_equal(counter_read(&stats->not_listed), cases[i].counts[3]);
        assert_int_equal(counter_read(&stats->failed), cases[i].counts[4]);
        fixture_free(fixture);
    }
}

/* Not to a list: nothing is read, and nobody counts it. */
static void test_count_none(void **state)
{
    struct fixture *fixture = fixture_new(conf);
    struct query query = {.key = key_of("mail.example.org", TYPE_A), .list = LISTS_NONE};
    struct query_turn turn = turn_of(fixture, &query);
    (void)state;
    query_lists_count(&turn);
    for (size_t i = 0; i <= LISTS_MAX; i++) {
        assert_int_equal(counter_read(&fixture->resolver->lists.places[i].stats.asked), 0);
    }
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classify),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_count_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
