/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "resolver/pick.h"
#include "resolver/server_table.h"

static int set_up(void **state)
{
    struct settings *settings = settings_of("upstreams = 192.0.2.1 192.0.2.2 192.0.2.3\n");
    struct server_table *table = calloc(1, sizeof *table);
    assert_true(server_table_init(table, settings, NULL));
    free(settings);
    *state = table;
    return 0;
}

static int tear_down(void **state)
{
    server_table_fini(*state);
    free(*state);
    return 0;
}

/* Picks so often that one in PICK_EXPLORE does not matter: the most frequent choice. */
static size_t usual_pick(const struct server_table *table, const struct tries *tries)
{
    struct random random;
    unsigned counts[4] = {0};
    random_init_seed(&random, 3);
    for (unsigned i = 0; i < 300; i++) {
        size_t place = pick_server(table, &table->groups[0], tries, &random, 0);
        counts[place == SERVER_NONE ? 3 : place]++;
    }
    for (size_t i = 0; i < 4; i++) {
        if (counts[i] > 200) {
            return i == 3 ? SERVER_NONE : i;
        }
    }
    fail();
    return 0;
}

static void test_order(void **state)
{
    struct server_table *table = *state;
    struct tries tries = {0};
    table->servers[0].latency_us = 30;
    table->servers[1].latency_us = 10;
    assert_int_equal(usual_pick(table, &tries), 2); /* Untried: to be measured. */
    table->servers[2].latency_us = 20;
    assert_int_equal(usual_pick(table, &tries), 1);
    table->servers[1].streak = 1;
    assert_int_equal(usual_pick(table, &tries), 2);
    table->servers[2].streak = SERVER_STREAK_MAX;
    table->servers[0].streak = 2;
    assert_int_equal(usual_pick(table, &tries), 1);
    tries.asked[1] = 1;
    assert_int_equal(usual_pick(table, &tries), 0);
    tries.asked[0] = 1;
    assert_int_equal(usual_pick(table, &tries), 1); /* Probes find out about one that rests. */
    tries.is_doubtful[1] = true;
    assert_int_equal(usual_pick(table, &tries), 0);
}

static void test_failed_are_left_out(void **state)
{
    struct server_table *table = *state;
    struct tries tries = {.asked = {1, 1, 1}, .has_failed = {true, false, true}};
    assert_int_equal(usual_pick(table, &tries), 1);
    tries.has_failed[1] = true;
    assert_int_equal(usual_pick(table, &tries), SERVER_NONE);
}

/* RFC 9520 section 3.1: no more than three tries of one question at a server that stays silent. */
static void test_silent_are_left_out(void **state)
{
    struct server_table *table = *state;
    struct tries tries = {.asked = {3, 5, 5}, .silent = {PICK_SILENT_MAX, 2, 0}};
    assert_int_equal(usual_pick(table, &tries), 1);
    tries.silent[1] = PICK_SILENT_MAX;
    assert_int_equal(usual_pick(table, &tries), 2);
    tries.silent[2] = PICK_SILENT_MAX;
    assert_int_equal(usual_pick(table, &tries), SERVER_NONE);
}

/* One that replies to everything and helps with nothing was never measured, and yet is not first.
 */
static void test_failing_come_later(void **state)
{
    struct server_table *table = *state;
    struct tries tries = {0};
    table->servers[1].latency_us = 20;
    table->servers[2].latency_us = 10;
    table->servers[2].streak = 1;
    table->servers[0].failures = SERVER_FAILURES_MAX - 1;
    assert_int_equal(usual_pick(table, &tries), 0);
    table->servers[0].failures = SERVER_FAILURES_MAX;
    assert_int_equal(usual_pick(table, &tries), 1);
    table->servers[1].failures = SERVER_FAILURES_MAX;
    assert_int_equal(usual_pick(table, &tries), 2);
    table->servers[2].streak = SERVER_STREAK_MAX;
    assert_int_equal(usual_pick(table, &tries), 0);
}

static void test_exploration(void **state)
{
    struct server_table *table = *state;
    struct tries tries = {0};
    struct random random;
    unsigned counts[3] = {0};
    random_init_seed(&random, 3);
    table->servers[0].latency_us = 10;
    table->servers[1].latency_us = 900;
    table->servers[2].latency_us = 20;
    table->servers[2].streak = SERVER_STREAK_MAX;
    for (unsigned i = 0; i < 9600; i++) {
        counts[pick_server(table, &table->groups[0], &tries, &random, 0)]++;
    }
    assert_in_range(counts[1], 8, 60); /* About 9600 / 128 / 3. */
    assert_int_equal(counts[2], 0);    /* Who rests is left in peace. */
    tries.asked[0] = 1;                /* Not a first try: no time for adventures. */
    tries.has_failed[1] = true;
    for (unsigned i = 0; i < 960; i++) {
        assert_int_equal(pick_server(table, &table->groups[0], &tries, &random, 0), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silent_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failing_come_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_exploration, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
