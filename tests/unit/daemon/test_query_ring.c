/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>

#include <cmocka.h>

#include "daemon/query_ring.h"

static void put(struct query_ring *ring, int64_t at, bool is_waiting)
{
    struct query_record *record = query_ring_take(ring);
    assert_non_null(record);
    *record = (struct query_record){.at = at, .waited_us = 7, .is_waiting = is_waiting};
}

static void expect_first(struct query_ring *ring, int64_t at, int64_t waited_us)
{
    const struct query_record *record = query_ring_first(ring);
    assert_non_null(record);
    assert_int_equal(record->at, at);
    assert_int_equal(record->waited_us, waited_us);
    query_ring_drop(ring);
}

/* A record is read only when its wait is known, and none overtakes another. */
static void records_are_shown_in_order(void **state)
{
    struct query_ring *ring = query_ring_new();
    (void)state;
    assert_non_null(ring);
    assert_null(query_ring_first(ring));
    put(ring, 1, true);
    put(ring, 2, true);
    put(ring, 3, false);
    query_ring_show(ring);
    assert_null(query_ring_first(ring));
    query_ring_settle(ring, 42);
    expect_first(ring, 1, 42);
    expect_first(ring, 2, 42);
    expect_first(ring, 3, 7);
    assert_null(query_ring_first(ring));
    put(ring, 4, false);
    query_ring_show(ring);
    expect_first(ring, 4, 7);
    query_ring_free(&ring);
    assert_null(ring);
    query_ring_free(&ring);
}

static void a_full_ring_takes_nothing(void **state)
{
    struct query_ring *ring = query_ring_new();
    (void)state;
    assert_non_null(ring);
    for (int64_t round = 0; round < 3; round++) {
        for (int64_t i = 0; i < QUERY_RING_RECORDS; i++) {
            put(ring, i, true);
        }
        assert_null(query_ring_take(ring));
        query_ring_settle(ring, round);
        assert_null(query_ring_take(ring));
        expect_first(ring, 0, round);
        put(ring, QUERY_RING_RECORDS, true);
        assert_null(query_ring_take(ring));
        query_ring_settle(ring, round + 1);
        for (int64_t i = 1; i < QUERY_RING_RECORDS; i++) {
            expect_first(ring, i, round);
        }
        expect_first(ring, QUERY_RING_RECORDS, round + 1);
        assert_null(query_ring_first(ring));
    }
    query_ring_free(&ring);
}

#define THREAD_RECORDS 100000

static void *read_all(void *context)
{
    struct query_ring *ring = context;
    for (int64_t next = 0; next < THREAD_RECORDS;) {
        const struct query_record *record = query_ring_first(ring);
        if (record == NULL) {
            continue;
        }
        if (record->at != next || record->waited_us != next % 8) {
            return ring;
        }
        query_ring_drop(ring);
        next++;
    }
    return NULL;
}

/* Under the thread sanitizer this shows that the two need no lock. */
static void two_threads_share_it(void **state)
{
    struct query_ring *ring = query_ring_new();
    pthread_t reader;
    void *trouble = ring;
    (void)state;
    assert_non_null(ring);
    assert_int_equal(pthread_create(&reader, NULL, read_all, ring), 0);
    for (int64_t i = 0; i < THREAD_RECORDS;) {
        struct query_record *record = query_ring_take(ring);
        if (record == NULL) {
            continue;
        }
        record->at = i;
        record->is_waiting = true;
        query_ring_settle(ring, i % 8);
        i++;
    }
    assert_int_equal(pthread_join(reader, &trouble), 0);
    assert_null(trouble);
    query_ring_free(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_shown_in_order),
        cmocka_unit_test(a_full_ring_takes_nothing),
        cmocka_unit_test(two_threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
