/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/list_stats.h"
#include "daemon/export_lists.h"

#define SECOND (1000 * MS)

static struct export_lists lists;

static struct stats_list *find(const char *zone)
{
    for (size_t i = 0; i < lists.count; i++) {
        if (strcmp(lists.items[i].zone, zone) == 0) {
            return &lists.items[i];
        }
    }
    return NULL;
}

/* A listing, asked twice; what is not listed, asked once. */
static struct fixture *worker_with(const char *listed, const char *unlisted)
{
    struct fixture *fixture = fixture_new("upstreams = 192.0.2.1\nlist_tests = no\nahead = no\n"
                                          "[list bl.example]\nkind = ip\n");
    size_t first = fixture->sent_count;
    assert_int_equal(fixture_ask(fixture, listed, TYPE_A, SECOND), ASK_PARKED);
    static const uint8_t record[] = {
        0xc0, 12, 0, TYPE_A, 0, CLASS_IN, 0, 0, 1, 44, 0, 4, 127, 0, 0, 2};
    static const uint16_t counts[3] = {1, 0, 0};
    uint8_t bytes[512];
    size_t len = reply_with(&fixture->sent[first], 0, counts, record, sizeof record, bytes);
    int64_t now = SECOND + 20 * MS;
    assert_true(
        resolver_on_reply(fixture->resolver, fixture->sent[first].exchange, bytes, len, now));
    assert_int_equal(fixture_ask(fixture, listed, TYPE_A, now), ASK_ANSWERED);
    assert_int_equal(fixture_ask(fixture, unlisted, TYPE_A, now), ASK_PARKED);
    assert_true(fixture_reply(fixture, first + 1, RCODE_NXDOMAIN, now + 40 * MS));
    return fixture;
}

static void test_one_worker(void **state)
{
    (void)state;
    struct fixture *fixture = worker_with("2.0.0.127.bl.example", "9.2.0.192.bl.example");
    memset(&lists, 0, sizeof lists);
    export_lists_add(&lists, fixture->resolver, 2 * SECOND);
    export_lists_finish(&lists);
    const struct stats_list *list = find("bl.example");
    assert_non_null(list);
    assert_string_equal(list->standing, "well");
    assert_int_equal(list->counts[STATS_LIST_asked], 3);
    assert_int_equal(list->counts[STATS_LIST_hits], 1);
    assert_int_equal(list->counts[STATS_LIST_listed], 2);
    assert_int_equal(list->counts[STATS_LIST_not_listed], 1);
    assert_int_equal(list->counts[STATS_LIST_sent], 2);
    assert_int_equal(list->day, 2);
    assert_int_equal(list->wait.count, 3);
    assert_int_equal(list->miss.count, 2);
    assert_int_equal(list->wait_max_us, 40 * MS);
    assert_int_equal(list->miss_max_us, 40 * MS);
    assert_in_range(list->wait_p50_us, 19 * MS, 21 * MS);
    assert_in_range(list->miss_p50_us, 19 * MS, 21 * MS);
    fixture_free(fixture);
}

static void test_workers_add_up(void **state)
{
    (void)state;
    struct fixture *one = worker_with("2.0.0.127.bl.example", "9.2.0.192.bl.example");
    struct fixture *two = worker_with("2.0.0.127.bl.example", "8.2.0.192.bl.example");
    memset(&lists, 0, sizeof lists);
    export_lists_add(&lists, one->resolver, 2 * SECOND);
    export_lists_add(&lists, two->resolver, 2 * SECOND);
    const struct stats_list *list = find("bl.example");
    assert_non_null(list);
    assert_int_equal(list->counts[STATS_LIST_asked], 6);
    assert_int_equal(list->wait.count, 6);
    assert_int_equal(list->day, 4);
    fixture_free(one);
    fixture_free(two);
}

/* Of several workers, the one that has seen something wrong is believed. */
static void test_the_worst_standing_counts(void **state)
{
    (void)state;
    struct fixture *fixture = worker_with("2.0.0.127.bl.example", "9.2.0.192.bl.example");
    memset(&lists, 0, sizeof lists);
    lists.count = 1;
    memcpy(lists.items[0].zone, "bl.example", sizeof "bl.example");
    memcpy(lists.items[0].standing, "quota", sizeof "quota");
    export_lists_add(&lists, fixture->resolver, 2 * SECOND);
    assert_int_equal(lists.count, 1);
    assert_string_equal(lists.items[0].standing, "quota");
    assert_int_equal(lists.items[0].counts[STATS_LIST_asked], 3);
    fixture_free(fixture);
}

/* When all places are taken, the last one is for the others, and nothing is lost. */
static void test_places_run_out(void **state)
{
    (void)state;
    struct fixture *fixture = worker_with("2.0.0.127.bl.example", "9.2.0.192.bl.example");
    memset(&lists, 0, sizeof lists);
    lists.count = STATS_LISTS_MAX - 1;
    for (size_t i = 0; i < lists.count; i++) {
        (void)snprintf(lists.items[i].zone, sizeof lists.items[i].zone, "l%zu.example", i);
    }
    export_lists_add(&lists, fixture->resolver, 2 * SECOND);
    export_lists_add(&lists, fixture->resolver, 2 * SECOND);
    assert_int_equal(lists.count, STATS_LISTS_MAX);
    assert_null(find("bl.example"));
    const struct stats_list *others = find("-");
    assert_non_null(others);
    assert_int_equal(others->counts[STATS_LIST_asked], 6);
    fixture_free(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_worker),
        cmocka_unit_test(test_workers_add_up),
        cmocka_unit_test(test_the_worst_standing_counts),
        cmocka_unit_test(test_places_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
