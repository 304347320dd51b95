/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/export.h"
#include "daemon/look_back.h"

#define MINUTE (INT64_C(60) * CLOCK_US_PER_S)

struct fixture {
    struct export *export;
    struct look_back *look_back;
};

static int fixture_new(void **state)
{
    static struct fixture fixture;
    fixture.export = export_new();
    fixture.look_back = look_back_new();
    *state = &fixture;
    return fixture.export == NULL || fixture.look_back == NULL ? -1 : 0;
}

static int fixture_free(void **state)
{
    struct fixture *fixture = *state;
    export_free(&fixture->export);
    look_back_free(&fixture->look_back);
    return 0;
}

/* The row of the counter `questions`, the first one, and of the gauge behind it somewhere. */
static size_t gauge_row(void)
{
    size_t row = 0;
    while (resolver_metric_rows[row].kind != METRIC_KIND_GAUGE) {
        row++;
    }
    return row;
}

static void wait_add(struct histogram_sum *sum, uint64_t count, uint64_t wait_us)
{
    sum->buckets[histogram_bucket(wait_us)] += count;
    sum->count += count;
    sum->sum_us += count * wait_us;
    sum->max_us = wait_us > sum->max_us ? wait_us : sum->max_us;
}

static struct export_upstream *upstream_at(struct export *export, size_t index, uint8_t last)
{
    struct export_upstream *upstream = &export->upstreams[index];
    memset(upstream, 0, sizeof *upstream);
    (void)snprintf(upstream->group, sizeof upstream->group, "default");
    upstream->address = (struct address){.family = ADDRESS_IPV4, .port = 53};
    upstream->address.bytes[3] = last;
    upstream->state = "well";
    return upstream;
}

/* A minute long one thing, then another. */
static void test_only_what_came_lately(void **state)
{
    struct fixture *fixture = *state;
    struct export *export = fixture->export;
    struct histogram_sum *mx = &export->wait[QUESTION_CLASS_MX][OUTCOME_HIT];
    export->upstream_count = 2;
    struct export_upstream *first = upstream_at(export, 0, 1);
    struct export_upstream *second = upstream_at(export, 1, 2);
    look_back_note(fixture->look_back, export, 0);

    export->resolver[0] = 100;
    export->resolver[gauge_row()] = 7;
    wait_add(mx, 100, 200000);
    first->sent = 50;
    look_back_note(fixture->look_back, export, MINUTE);

    export->resolver[0] = 130;
    export->resolver[gauge_row()] = 3;
    wait_add(mx, 30, 1000);
    second->sent = 5;
    wait_add(&second->latency[SERVER_WAY_STREAM], 5, 20000);
    int64_t from = look_back_apply(fixture->look_back, export, MINUTE);

    assert_int_equal(from, MINUTE);
    assert_int_equal(export->resolver[0], 30);
    assert_int_equal(export->resolver[gauge_row()], 3);
    assert_int_equal(mx->count, 30);
    assert_int_equal(mx->sum_us, 30 * 1000);
    assert_in_range(mx->max_us, 1000, 1064);
    assert_in_range(histogram_quantile(mx, 990), 960, 1040);
    assert_int_equal(first->sent, 0);
    assert_int_equal(second->sent, 5);
    assert_int_equal(second->latency[SERVER_WAY_STREAM].count, 5);
    assert_int_equal(second->latency[SERVER_WAY_DATAGRAM].count, 0);
    assert_string_equal(second->state, "well");
}

/* Servers are known by what they are, not by where they stand. */
static void test_rows_change_places(void **state)
{
    struct fixture *fixture = *state;
    struct export *export = fixture->export;
    export->upstream_count = 2;
    upstream_at(export, 0, 1)->sent = 1000;
    upstream_at(export, 1, 2)->sent = 10;
    look_back_note(fixture->look_back, export, 0);
    upstream_at(export, 0, 2)->sent = 12;
    upstream_at(export, 1, 1)->sent = 1003;
    (void)look_back_apply(fixture->look_back, export, 0);
    assert_int_equal(export->upstreams[0].sent, 2);
    assert_int_equal(export->upstreams[1].sent, 3);
}

/* A server that a reload takes away for a while: who looks back meanwhile, however often, does not
 * add to what it has done. */
static void test_row_that_is_away(void **state)
{
    struct fixture *fixture = *state;
    struct export *export = fixture->export;
    export->upstream_count = 1;
    upstream_at(export, 0, 1)->sent = 100;
    look_back_note(fixture->look_back, export, 0);
    upstream_at(export, 0, 1)->sent = 110;
    look_back_note(fixture->look_back, export, 1 * MINUTE);
    for (int64_t minute = 2; minute < 5; minute++) {
        export->upstream_count = 0;
        (void)look_back_apply(fixture->look_back, export, 0);
        look_back_note(fixture->look_back, export, minute * MINUTE);
    }
    export->upstream_count = 1;
    upstream_at(export, 0, 1)->sent = 3;
    (void)look_back_apply(fixture->look_back, export, 0);
    assert_int_equal(export->upstreams[0].sent, 10 + 3);
}

/* More servers than rows: the last ones keep what they have, and nothing else suffers. */
static void test_rows_run_out(void **state)
{
    struct fixture *fixture = *state;
    struct export *export = fixture->export;
    export->upstream_count = LOOK_BACK_ROWS_MAX + 3;
    for (size_t i = 0; i < export->upstream_count; i++) {
        upstream_at(export, i, (uint8_t)(i + 1))->sent = 100;
    }
    look_back_note(fixture->look_back, export, 0);
    export->resolver[0] = 5;
    (void)look_back_apply(fixture->look_back, export, 0);
    assert_int_equal(export->resolver[0], 5);
    assert_int_equal(export->upstreams[0].sent, 0);
    assert_int_equal(export->upstreams[LOOK_BACK_ROWS_MAX - 1].sent, 0);
    assert_int_equal(export->upstreams[LOOK_BACK_ROWS_MAX].sent, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_what_came_lately, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_rows_change_places, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_row_that_is_away, fixture_new, fixture_free),
        cmocka_unit_test_setup_teardown(test_rows_run_out, fixture_new, fixture_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
