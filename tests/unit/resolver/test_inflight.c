/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/resolver/fixture.h"

#include "base/pool.h"
#include "resolver/inflight.h"

static void test_first_and_later(void **state)
{
    struct random random;
    struct inflight inflight;
    struct inflight_link links[200];
    (void)state;
    random_init_seed(&random, 1);
    assert_true(inflight_init(&inflight, 20, &random)); /* Chains get long: that is the point. */
    for (size_t i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%zu.example.org", i);
        links[i] = (struct inflight_link){.key = key_of(name, TYPE_A), .id = i + 1};
        assert_int_equal(inflight_find(&inflight, &links[i].key), POOL_NONE);
        inflight_add(&inflight, &links[i]);
    }
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(inflight_find(&inflight, &links[i].key), i + 1);
    }
    inflight_remove(&links[100]);
    assert_int_equal(inflight_find(&inflight, &links[100].key), POOL_NONE);
    assert_int_equal(inflight_find(&inflight, &links[101].key), 102);
    inflight_fini(&inflight);
}

static void test_key_parts_count(void **state)
{
    struct random random;
    struct inflight inflight;
    struct inflight_link link = {.key = key_of("example.org", TYPE_A), .id = 5};
    (void)state;
    random_init_seed(&random, 1);
    assert_true(inflight_init(&inflight, 20, &random));
    inflight_add(&inflight, &link);
    struct cache_key other = link.key;
    other.wants_dnssec = true;
    assert_int_equal(inflight_find(&inflight, &other), POOL_NONE);
    other = link.key;
    other.checking_disabled = true;
    assert_int_equal(inflight_find(&inflight, &other), POOL_NONE);
    other = link.key;
    other.type = TYPE_AAAA;
    assert_int_equal(inflight_find(&inflight, &other), POOL_NONE);
    inflight_fini(&inflight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_and_later), cmocka_unit_test(test_key_parts_count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
