/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/pressure.h"

#define MS 1000

/* One reading of the queue after another. Whoever is suspected is found to be crowded, or not. */
struct reading {
    int64_t at_ms;
    bool is_empty;
    enum pressure_level level;
};

static void readings_expect(const struct reading *readings, size_t count, bool is_crowded)
{
    struct pressure pressure = {0};
    for (size_t i = 0; i < count; i++) {
        int64_t now = readings[i].at_ms * MS;
        enum pressure_level level = pressure_on_read(&pressure, readings[i].is_empty, now);
        if (level != readings[i].level) {
            fail_msg("level %d at %jd ms", (int)level, (intmax_t)readings[i].at_ms);
        }
        if (level == PRESSURE_SUSPECTED && is_crowded) {
            pressure_raise(&pressure, now);
        }
    }
}

#define READINGS(readings, is_crowded)                                                             \
    readings_expect(readings, sizeof readings / sizeof readings[0], is_crowded)

/* A burst is what a resolver is for. */
static void test_bursts_are_served(void **state)
{
    (void)state;
    static const struct reading bursts[] = {
        {100, false, PRESSURE_NONE},
        {299, false, PRESSURE_NONE},
        {300, true, PRESSURE_NONE},
        {301, false, PRESSURE_NONE},
        {500, false, PRESSURE_NONE},
        {501, true, PRESSURE_NONE},
        {36000000, false, PRESSURE_NONE}, /* After a quiet night. */
        {36000100, false, PRESSURE_NONE},
    };
    READINGS(bursts, true);
}

/* Clients who ask on when they are answered may keep a queue from being empty for hours. */
static void test_a_busy_queue_is_no_flood(void **state)
{
    (void)state;
    static const struct reading busy[] = {
        {100, false, PRESSURE_NONE},
        {299, false, PRESSURE_NONE},
        {300, false, PRESSURE_SUSPECTED},
        {301, false, PRESSURE_SUSPECTED},
        {36000000, false, PRESSURE_SUSPECTED},
        {36000001, true, PRESSURE_NONE},
        {36000002, false, PRESSURE_NONE},
    };
    READINGS(busy, false);
}

static void test_a_flood_is_relieved(void **state)
{
    (void)state;
    static const struct reading flood[] = {
        {100, false, PRESSURE_NONE},
        {300, false, PRESSURE_SUSPECTED}, /* Patience has ended. */
        {301, false, PRESSURE_HIGH},
        {302, true, PRESSURE_NONE}, /* New questions are asked again, */
        {303, false, PRESSURE_NONE},
        {304, false, PRESSURE_HIGH}, /* but not for longer than cached answers may wait. */
        {305, true, PRESSURE_NONE},
        {5000, false, PRESSURE_NONE},
        {5001, false, PRESSURE_HIGH},
    };
    READINGS(flood, true);
}

static void test_calm_brings_patience_back(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {100, false, PRESSURE_NONE},
        {300, false, PRESSURE_SUSPECTED},
        {301, true, PRESSURE_NONE},
        {10299, false, PRESSURE_NONE}, /* Not yet forgotten, */
        {10300, false, PRESSURE_NONE}, /* and now it is. */
        {10498, false, PRESSURE_NONE},
        {10499, false, PRESSURE_SUSPECTED},
        {10500, false, PRESSURE_HIGH},
    };
    READINGS(readings, true);
}

/* Reads `count` batches `every_us` apart from `now` on, then the end of the queue. Returns how many
 * of them were under pressure. */
static unsigned burst_read(struct pressure *pressure, int64_t now, unsigned count, int64_t every_us)
{
    unsigned high = 0;
    for (unsigned i = 0; i < count; i++) {
        high += pressure_on_read(pressure, false, now + i * every_us) == PRESSURE_HIGH;
    }
    assert_int_equal(pressure_on_read(pressure, true, now + count * every_us), PRESSURE_NONE);
    return high;
}

/* What follows a flood is no flood for having bursts. */
static void test_bursts_are_served_again_after_a_flood(void **state)
{
    (void)state;
    struct pressure pressure = {0};
    int64_t now = 1000 * MS;
    pressure_raise(&pressure, now);
    for (unsigned second = 1; second < 60; second++) {
        unsigned high = burst_read(&pressure, now + second * 1000 * MS, 10, 700);
        assert_true(high == 0 || second < 20);
    }
}

/* Emptied again and again only because much is shed. */
static void test_a_flood_that_is_held_is_still_one(void **state)
{
    (void)state;
    struct pressure pressure = {0};
    int64_t now = 1000 * MS;
    pressure_raise(&pressure, now);
    for (unsigned i = 0; i < 20000; i++) {
        assert_true(burst_read(&pressure, now, 4, 500) > 0);
        now += 3 * MS;
    }
    now += INT64_C(3600000) * MS; /* The host has slept. */
    assert_int_equal(burst_read(&pressure, now, 4, 500), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bursts_are_served),
        cmocka_unit_test(test_a_busy_queue_is_no_flood),
        cmocka_unit_test(test_a_flood_is_relieved),
        cmocka_unit_test(test_calm_brings_patience_back),
        cmocka_unit_test(test_bursts_are_served_again_after_a_flood),
        cmocka_unit_test(test_a_flood_that_is_held_is_still_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
