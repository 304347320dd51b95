/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cache/key.h"

#include "tests/unit/cache/fixture.h"

static void test_equal_keys(void **state)
{
    (void)state;
    struct hash_key secret = FIXTURE_SECRET;
    struct cache_key a = fixture_key(7);
    struct cache_key b = fixture_key(7);
    memset(b.name + b.name_len, 0xee, sizeof b.name - b.name_len);
    assert_true(cache_key_equal(&a, &b));
    assert_int_equal(cache_key_hash(&a, &secret), cache_key_hash(&b, &secret));
}

/* Each part of the key makes a difference, to equality and to the hash. */
static void test_each_part_counts(void **state)
{
    (void)state;
    struct hash_key secret = FIXTURE_SECRET;
    struct cache_key base = fixture_key(7);
    struct cache_key others[7];
    for (size_t i = 0; i < 7; i++) {
        others[i] = base;
    }
    others[0].name[3] = 'x';
    others[1].name_len = 14;
    others[2].type = 28;
    others[3].class = 3;
    others[4].wants_dnssec = true;
    others[5].checking_disabled = true;
    others[6].type = 0x0100;
    for (size_t i = 0; i < 7; i++) {
        assert_false(cache_key_equal(&base, &others[i]));
        assert_true(cache_key_hash(&base, &secret) != cache_key_hash(&others[i], &secret));
        for (size_t j = 0; j < i; j++) {
            assert_true(cache_key_hash(&others[j], &secret) != cache_key_hash(&others[i], &secret));
        }
    }
}

static void test_secret_counts(void **state)
{
    (void)state;
    struct hash_key secret = FIXTURE_SECRET;
    struct cache_key key = fixture_key(7);
    uint64_t hash = cache_key_hash(&key, &secret);
    secret.k1++;
    assert_true(cache_key_hash(&key, &secret) != hash);
}

static void test_extreme_lengths(void **state)
{
    (void)state;
    struct hash_key secret = FIXTURE_SECRET;
    struct cache_key empty = {.name_len = 0};
    struct cache_key full = {.name_len = 255};
    struct cache_key full_other = full;
    full_other.name[254] = 1;
    assert_true(cache_key_equal(&empty, &empty));
    assert_false(cache_key_equal(&empty, &full));
    assert_false(cache_key_equal(&full, &full_other));
    assert_true(cache_key_hash(&full, &secret) != cache_key_hash(&full_other, &secret));
    assert_true(cache_key_hash(&full, &secret) != cache_key_hash(&empty, &secret));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_keys),
        cmocka_unit_test(test_each_part_counts),
        cmocka_unit_test(test_secret_counts),
        cmocka_unit_test(test_extreme_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
