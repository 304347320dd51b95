/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/pressure.h"

#define MS 1000

/* One reading of the queue after another. */
struct reading {
    int64_t at_ms;
    bool is_empty;
    bool is_high;
};

static void readings_expect(const struct reading *readings, size_t count)
{
    struct pressure pressure = {0};
    for (size_t i = 0; i < count; i++) {
        int64_t now = readings[i].at_ms * MS;
        pressure_on_read(&pressure, readings[i].is_empty, now);
        if (pressure_is_high(&pressure, now) != readings[i].is_high) {
            fail_msg("at %jd ms", (intmax_t)readings[i].at_ms);
        }
    }
}

#define READINGS(readings) readings_expect(readings, sizeof readings / sizeof readings[0])

/* A burst is what a resolver is for. */
static void test_bursts_are_served(void **state)
{
    (void)state;
    static const struct reading one[] = {{100, false, false}, {299, false, false},
        {300, true, false}, {301, false, false}, {500, false, false}, {501, true, false}};
    static const struct reading after_a_quiet_night[] = {
        {1, true, false}, {36000000, false, false}, {36000100, false, false}};
    READINGS(one);
    READINGS(after_a_quiet_night);
}

static void test_a_flood_is_shed(void **state)
{
    (void)state;
    static const struct reading flood[] = {
        {100, false, false},
        {299, false, false},
        {300, false, true}, /* Patience has ended. */
        {301, false, true},
        {302, true, false}, /* The queue is empty: new questions are asked again, */
        {303, false, false},
        {304, false, true}, /* but only for so long as cached answers do not wait for them. */
        {305, true, false},
        {400, false, false},
        {401, false, true},
    };
    READINGS(flood);
}

static void test_calm_brings_patience_back(void **state)
{
    (void)state;
    static const struct reading readings[] = {
        {100, false, false},
        {300, false, true},
        {301, true, false},
        {1299, false, false}, /* Not yet forgotten: */
        {1300, false, false},
        {1301, true, false},
        {1302, false, false},
        {1400, false, false}, /* now it is. */
        {1501, false, false},
        {1502, false, true},
    };
    READINGS(readings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bursts_are_served),
        cmocka_unit_test(test_a_flood_is_shed),
        cmocka_unit_test(test_calm_brings_patience_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
