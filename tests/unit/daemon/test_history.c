/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "daemon/history.h"

#define CELLS  5
#define LONG   2500 /* Minutes, of which not all fit. */
#define MINUTE (INT64_C(60) * CLOCK_US_PER_S)

static const uint64_t sheets[][CELLS] = {
    {7, 0, 0, 0, 1}, /* At minute 0. */
    {9, 0, 3, 0, 1}, {9, 0, 3, UINT64_C(1) << 40, 2},
    {9, 0, 3, UINT64_C(1) << 40, 2}, /* Nothing happened in the third minute. */
    {2, 0, 4, UINT64_C(1) << 40, 2}, /* The first counter began anew. */
};

static struct history *history_of(size_t sheet_count)
{
    struct history *history = history_new(CELLS);
    assert_non_null(history);
    for (size_t i = 0; i < sheet_count; i++) {
        history_note(history, sheets[i], (int64_t)i * MINUTE);
    }
    return history;
}

static void test_since(void **state)
{
    static const struct {
        int64_t since;
        int64_t from;
        uint64_t cells[CELLS];
    } cases[] = {
        /* The sheet of now is the last one with 100 more of the second cell. */
        {4 * MINUTE + 1, 4 * MINUTE, {0, 100, 0, 0, 0}},
        {4 * MINUTE, 4 * MINUTE, {0, 100, 0, 0, 0}},
        {4 * MINUTE - 1, 3 * MINUTE, {2, 100, 1, 0, 0}},
        {2 * MINUTE, 2 * MINUTE, {2, 100, 1, 0, 0}},
        {MINUTE + 5, MINUTE, {2, 100, 1, UINT64_C(1) << 40, 1}},
        {0, 0, {4, 100, 4, UINT64_C(1) << 40, 1}},
        {-MINUTE, 0, {4, 100, 4, UINT64_C(1) << 40, 1}},
    };
    (void)state;
    struct history *history = history_of(5);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t cells[CELLS];
        memcpy(cells, sheets[4], sizeof cells);
        cells[1] += 100;
        assert_int_equal(history_since(history, cases[i].since, cells), cases[i].from);
        assert_memory_equal(cells, cases[i].cells, sizeof cells);
    }
    history_free(&history);
    assert_null(history);
}

/* Nothing is known before the first note: all that was counted is counted since then. */
static void test_young(void **state)
{
    uint64_t cells[CELLS] = {9, 9, 9, 9, 9};
    (void)state;
    struct history *history = history_of(1);
    assert_int_equal(history_since(history, -5, cells), 0);
    assert_int_equal(cells[0], 2);
    assert_int_equal(cells[4], 8);
    assert_int_equal(history_bytes(history), 0);
    history_free(&history);
}

/* Older ones are kept by tens: what is told begins a few minutes earlier, and is right from there.
 */
static void test_old_minutes_stand_by_tens(void **state)
{
    const int64_t end = 100;
    uint64_t sheet[CELLS] = {0};
    (void)state;
    struct history *history = history_new(CELLS);
    for (int64_t i = 0; i <= end; i++) {
        sheet[0] = (uint64_t)i;
        sheet[2] = i < 40 ? 0 : UINT64_C(1) << 50;
        sheet[4] = (uint64_t)i / 2;
        history_note(history, sheet, i * MINUTE);
    }
    for (int64_t i = 0; i <= end; i++) {
        uint64_t cells[CELLS];
        memcpy(cells, sheet, sizeof cells);
        int64_t from = history_since(history, i * MINUTE, cells) / MINUTE;
        int64_t earlier = i >= end - HISTORY_FINE_MINUTES ? 0 : HISTORY_COARSE_MINUTES - 1;
        assert_in_range(i - from, 0, earlier);
        assert_int_equal(cells[0], end - from);
        assert_int_equal(cells[1], 0);
        assert_int_equal(cells[2], from < 40 ? UINT64_C(1) << 50 : 0);
        assert_int_equal(cells[4], end / 2 - from / 2);
    }
    history_free(&history);
}

/* A day is kept, and hardly more. */
static void test_day_is_the_end(void **state)
{
    uint64_t cells[CELLS] = {0};
    (void)state;
    struct history *history = history_new(CELLS);
    for (uint64_t i = 0; i <= 2 * HISTORY_MINUTES_MAX; i++) {
        cells[2] = i * 1000;
        history_note(history, cells, (int64_t)i * MINUTE);
        uint64_t now[CELLS];
        memcpy(now, cells, sizeof now);
        uint64_t kept = i - (uint64_t)(history_since(history, 0, now) / MINUTE);
        uint64_t least = i < HISTORY_MINUTES_MAX ? i : HISTORY_MINUTES_MAX;
        assert_in_range(kept, least, least + HISTORY_COARSE_MINUTES);
        assert_int_equal(now[2], kept * 1000);
    }
    history_free(&history);
}

/* Busy minutes are many bytes: then less than a day is kept, within the bound. */
static void test_bytes_are_bounded(void **state)
{
    const size_t cell_count = 20000;
    uint64_t *cells = calloc(cell_count, sizeof *cells);
    (void)state;
    struct history *history = history_new(cell_count);
    assert_non_null(cells);
    for (unsigned minute = 0; minute < LONG; minute++) {
        for (size_t i = 0; i < cell_count; i++) {
            cells[i] += 1000;
        }
        history_note(history, cells, minute * MINUTE);
        assert_true(history_bytes(history) <= HISTORY_BYTES_MAX);
    }
    int64_t from = history_since(history, 0, cells);
    assert_true(from > 0 && from < (LONG - 1) * MINUTE);
    assert_int_equal(cells[0], 1000 * (LONG - 1 - (uint64_t)(from / MINUTE)));
    assert_int_equal(cells[cell_count - 1], cells[0]);
    history_free(&history);
    free(cells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_since),
        cmocka_unit_test(test_young),
        cmocka_unit_test(test_old_minutes_stand_by_tens),
        cmocka_unit_test(test_day_is_the_end),
        cmocka_unit_test(test_bytes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
