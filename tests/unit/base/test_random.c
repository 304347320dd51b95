/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void random_seeded_is_splitmix64(void **state)
{
    (void)state;
    struct random random;
    random_init_seed(&random, 0);
    /* The first words of SplitMix64 from 0, as its authors' program gives them. */
    assert_true(random_u64(&random) == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(random_u64(&random) == UINT64_C(0x6e789e6aa1b965f4));
}

static void random_seeded_repeats(void **state)
{
    (void)state;
    struct random a;
    struct random b;
    struct random c;
    random_init_seed(&a, 42);
    random_init_seed(&b, 42);
    random_init_seed(&c, 43);
    unsigned differs = 0;
    for (int i = 0; i < 500; i++) {
        uint64_t word = random_u64(&a);
        assert_true(word == random_u64(&b));
        differs += word != random_u64(&c) ? 1 : 0;
    }
    assert_int_equal(differs, 500);
}

/* However the bytes are asked for, across the ends of the batch too, the sequence is one. */
static void random_bytes_come_once_and_in_order(void **state)
{
    (void)state;
    struct random whole;
    struct random parts;
    uint8_t expected[1200];
    uint8_t bytes[1200];
    random_init_seed(&whole, 7);
    random_init_seed(&parts, 7);
    random_bytes(&whole, expected, sizeof(expected));
    size_t at = 0;
    for (size_t step = 0; at < sizeof(bytes); step++) {
        size_t len = step * 7;
        if (len > sizeof(bytes) - at) {
            len = sizeof(bytes) - at;
        }
        random_bytes(&parts, bytes + at, len);
        at += len;
    }
    assert_memory_equal(bytes, expected, sizeof(bytes));
}

static void random_bytes_are_not_kept(void **state)
{
    (void)state;
    struct random random;
    uint8_t bytes[100];
    static const uint8_t zeros[100];
    random_init_system(&random);
    random_bytes(&random, bytes, sizeof(bytes));
    assert_memory_equal(random.pool, zeros, sizeof(zeros));
    assert_true(memcmp(bytes, zeros, sizeof(zeros)) != 0);
}

static void random_system_does_not_repeat(void **state)
{
    (void)state;
    struct random a;
    struct random b;
    random_init_system(&a);
    random_init_system(&b);
    uint8_t first[600];
    uint8_t second[600];
    random_bytes(&a, first, sizeof(first));
    random_bytes(&b, second, sizeof(second));
    assert_true(memcmp(first, second, sizeof(first)) != 0);
    assert_true(memcmp(first, first + 256, 256) != 0); /* A new batch, not the old one again. */
}

static void random_below_stays_below_and_is_even(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 2, 3, 7, 10, 100, 65536, 0x80000001u, UINT32_MAX};
    struct random random;
    random_init_seed(&random, 1);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        for (int j = 0; j < 200; j++) {
            assert_true(random_below(&random, limits[i]) < limits[i]);
        }
    }
    unsigned counts[6] = {0};
    for (int i = 0; i < 60000; i++) {
        counts[random_below(&random, 6)]++;
    }
    for (int i = 0; i < 6; i++) {
        assert_in_range(counts[i], 9600, 10400); /* Four standard deviations; the seed is fixed. */
    }
}

/* With a limit of 3/4 of the range, a bare modulo would put two thirds into the first half. */
static void random_below_has_no_modulo_bias(void **state)
{
    (void)state;
    struct random random;
    random_init_seed(&random, 2);
    uint32_t limit = 0xc0000000u;
    unsigned low = 0;
    for (int i = 0; i < 30000; i++) {
        low += random_below(&random, limit) < limit / 2 ? 1 : 0;
    }
    assert_in_range(low, 14600, 15400);
}

static void random_widths_are_filled(void **state)
{
    (void)state;
    struct random random;
    random_init_seed(&random, 3);
    uint16_t all16 = 0;
    uint32_t all32 = 0;
    uint64_t all64 = 0;
    for (int i = 0; i < 100; i++) {
        all16 = (uint16_t)(all16 | random_u16(&random));
        all32 |= random_u32(&random);
        all64 |= random_u64(&random);
    }
    assert_int_equal(all16, UINT16_MAX);
    assert_true(all32 == UINT32_MAX);
    assert_true(all64 == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_seeded_is_splitmix64),
        cmocka_unit_test(random_seeded_repeats),
        cmocka_unit_test(random_bytes_come_once_and_in_order),
        cmocka_unit_test(random_bytes_are_not_kept),
        cmocka_unit_test(random_system_does_not_repeat),
        cmocka_unit_test(random_below_stays_below_and_is_even),
        cmocka_unit_test(random_below_has_no_modulo_bias),
        cmocka_unit_test(random_widths_are_filled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
