/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "tests/unit/doctor/upstream.h"

#include "base/clock.h"
#include "base/random.h"
#include "doctor/ask.h"

static const struct upstream_rule rules[] = {
    {"mx.example", TYPE_MX, UPSTREAM_NAME, "mail.example"},
    {"empty.example", 0, UPSTREAM_NODATA, ""},
    {"broken.example", 0, UPSTREAM_SERVFAIL, ""},
    {"refused.example", 0, UPSTREAM_REFUSED, ""},
    {"silent.example", 0, UPSTREAM_SILENT, ""},
    {"slow.example", 0, UPSTREAM_SLOW, "60"},
    {"huge.example", 48, UPSTREAM_BYTES, "400"},
    {NULL, 0, UPSTREAM_NODATA, NULL},
};

static void run(struct ask_batch *batch, int64_t limit_us)
{
    struct random random;
    random_init_seed(&random, 7);
    ask_batch_run(batch, &random, limit_us);
}

struct verdict_case {
    const char *name;
    uint16_t type;
    enum ask_way way;
    enum ask_verdict verdict;
    bool is_stream;
    const char *clause;
};

static void test_verdicts(void **state)
{
    static const struct verdict_case cases[] = {
        {"mx.example", TYPE_MX, ASK_BY_UDP, ASK_ANSWER, false, "answers in "},
        {"MX.example.", TYPE_MX, ASK_BY_TCP, ASK_ANSWER, true, "answers in "},
        {"empty.example", TYPE_A, ASK_BY_UDP, ASK_NODATA, false, "answers in "},
        {"nothing.example", TYPE_A, ASK_BY_UDP, ASK_NXDOMAIN, false, "answers in "},
        {"broken.example", TYPE_A, ASK_BY_UDP, ASK_FAILED, false, "answers SERVFAIL"},
        {"refused.example", TYPE_A, ASK_BY_TCP, ASK_FAILED, true, "answers REFUSED"},
        {"silent.example", TYPE_A, ASK_BY_UDP, ASK_SILENT, false, "does not answer within "},
        {"huge.example", 48, ASK_BY_UDP_ONLY, ASK_CUT, false, "too long for UDP"},
        {"huge.example", 48, ASK_BY_UDP, ASK_ANSWER, true, "answers in "},
        {".", TYPE_NS, ASK_CONNECT, ASK_ANSWER, true, "answers in "},
    };
    const size_t count = sizeof cases / sizeof cases[0];
    struct upstream upstream = {.rules = rules};
    struct ask_batch batch;
    (void)state;
    upstream_open(&upstream);
    ask_batch_init(&batch, count);
    for (size_t i = 0; i < count; i++) {
        struct ask *ask = ask_batch_add(&batch, &upstream.address, cases[i].name, cases[i].type);
        assert_non_null(ask);
        ask->way = cases[i].way;
        ask->limit_us = cases[i].verdict == ASK_SILENT ? 200 * CLOCK_US_PER_MS : ASK_LIMIT_US;
    }
    run(&batch, 20 * CLOCK_US_PER_S);
    for (size_t i = 0; i < count; i++) {
        char clause[ASK_CLAUSE_SIZE];
        const struct ask *ask = &batch.asks[i];
        assert_int_equal(ask->verdict, cases[i].verdict);
        assert_int_equal(ask->is_stream, cases[i].is_stream);
        assert_non_null(strstr(ask_clause(ask, clause), cases[i].clause));
        assert_int_equal(ask->is_repeated, cases[i].verdict == ASK_SILENT);
        assert_int_equal(ask->stored != NULL, ask_is_answered(ask) && ask->way != ASK_CONNECT);
    }
    assert_true(batch.asks[8].was_cut);
    assert_true(batch.asks[8].size > 1600);
    ask_batch_fini(&batch);
    upstream_close(&upstream);
}

static void test_a_closed_port_and_a_full_batch(void **state)
{
    struct upstream upstream = {.rules = rules, .refuses_tcp = true};
    struct ask_batch batch;
    char clause[ASK_CLAUSE_SIZE];
    (void)state;
    upstream_open(&upstream);
    ask_batch_init(&batch, 2);
    ask_batch_add(&batch, &upstream.address, "mx.example", TYPE_MX)->way = ASK_BY_TCP;
    assert_null(ask_batch_add(&batch, &upstream.address, "a..b", TYPE_MX));
    assert_non_null(ask_batch_add(&batch, &upstream.address, "mx.example", TYPE_MX));
    assert_null(ask_batch_add(&batch, &upstream.address, "mx.example", TYPE_MX));
    assert_int_equal(batch.dropped, 1);
    run(&batch, 20 * CLOCK_US_PER_S);
    assert_int_equal(batch.asks[0].verdict, ASK_BROKEN);
    assert_int_equal(batch.asks[0].error, ECONNREFUSED);
    assert_string_equal(ask_clause(&batch.asks[0], clause), "refuses TCP connections");
    assert_int_equal(batch.asks[1].verdict, ASK_ANSWER);
    upstream_close(&upstream);
    ask_batch_fini(&batch);

    ask_batch_init(&batch, 1);
    assert_non_null(ask_batch_add(&batch, &upstream.address, "mx.example", TYPE_MX));
    run(&batch, 20 * CLOCK_US_PER_S);
    assert_int_equal(batch.asks[0].verdict, ASK_BROKEN);
    assert_false(ask_is_replied(&batch.asks[0]));
    ask_batch_fini(&batch);
}

/* More than fit at once, each after the one before it or all together. */
static void test_many(void **state)
{
    struct upstream upstream = {.rules = rules};
    struct ask_batch batch;
    (void)state;
    upstream_open(&upstream);
    ask_batch_init(&batch, 300);
    for (size_t i = 0; i < 300; i++) {
        struct ask *ask = ask_batch_add(&batch, &upstream.address, "mx.example", TYPE_MX);
        ask->after = i % 3 == 2 ? ask - 1 : NULL;
    }
    run(&batch, 30 * CLOCK_US_PER_S);
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal(batch.asks[i].verdict, ASK_ANSWER);
    }
    ask_batch_fini(&batch);
    upstream_close(&upstream);
    assert_true(upstream.asked >= 300);
}

/* What silence cannot have: more than the batch's time. */
static void test_time_is_up(void **state)
{
    struct upstream upstream = {.rules = rules};
    struct ask_batch batch;
    (void)state;
    upstream_open(&upstream);
    ask_batch_init(&batch, 40);
    for (size_t i = 0; i < 40; i++) {
        assert_non_null(ask_batch_add(&batch, &upstream.address, "silent.example", TYPE_A));
    }
    int64_t began_at = clock_now();
    run(&batch, 300 * CLOCK_US_PER_MS);
    assert_in_range(clock_now() - began_at, 290 * CLOCK_US_PER_MS, 5 * CLOCK_US_PER_S);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(batch.asks[i].verdict, ASK_UNASKED);
        assert_true(batch.asks[i].is_done);
    }
    ask_batch_fini(&batch);
    upstream_close(&upstream);
}

static void test_round_trip(void **state)
{
    struct upstream upstream = {.rules = rules};
    struct ask_batch batch;
    (void)state;
    upstream_open(&upstream);
    ask_batch_init(&batch, 1);
    assert_non_null(ask_batch_add(&batch, &upstream.address, "slow.example", TYPE_A));
    run(&batch, 10 * CLOCK_US_PER_S);
    assert_int_equal(batch.asks[0].verdict, ASK_NXDOMAIN);
    assert_in_range(batch.asks[0].round_trip_us, 55 * CLOCK_US_PER_MS, 2 * CLOCK_US_PER_S);
    ask_batch_fini(&batch);
    upstream_close(&upstream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_a_closed_port_and_a_full_batch),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_time_is_up),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
