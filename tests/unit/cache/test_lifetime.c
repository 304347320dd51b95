/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/types.h"

#include "cache/lifetime.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US    (86400 * SECOND_US)

struct stale_case {
    struct lifetime_subject subject;
    int64_t stale_max_us;
    int64_t expected_us;
};

static const struct stale_case stale_cases[] = {
    /* What delivers mail may be a day old. */
    {{CACHE_KIND_ANSWER, TYPE_MX, false, false}, DAY_US, DAY_US},
    {{CACHE_KIND_ANSWER, TYPE_A, false, false}, DAY_US, DAY_US},
    {{CACHE_KIND_NODATA, TYPE_AAAA, false, false}, DAY_US, DAY_US},
    /* What refuses mail may not. */
    {{CACHE_KIND_ANSWER, TYPE_A, true, false}, DAY_US, 300 * SECOND_US},
    {{CACHE_KIND_NODATA, TYPE_TXT, true, false}, DAY_US, 300 * SECOND_US},
    {{CACHE_KIND_NXDOMAIN, TYPE_A, true, false}, DAY_US, 300 * SECOND_US},
    {{CACHE_KIND_NXDOMAIN, TYPE_MX, false, false}, DAY_US, 300 * SECOND_US},
    /* The limit counts where it is lower. */
    {{CACHE_KIND_ANSWER, TYPE_A, true, false}, 60 * SECOND_US, 60 * SECOND_US},
    {{CACHE_KIND_NXDOMAIN, TYPE_A, false, false}, 60 * SECOND_US, 60 * SECOND_US},
    {{CACHE_KIND_ANSWER, TYPE_MX, false, false}, 60 * SECOND_US, 60 * SECOND_US},
    /* Never: switched off, proofs, validated answers, failures. */
    {{CACHE_KIND_ANSWER, TYPE_MX, false, false}, 0, 0},
    {{CACHE_KIND_NXDOMAIN, TYPE_MX, false, false}, 0, 0},
    {{CACHE_KIND_ANSWER, TYPE_MX, false, false}, -1, 0},
    {{CACHE_KIND_ANSWER, TYPE_TLSA, false, false}, DAY_US, 0},
    {{CACHE_KIND_NODATA, TYPE_TLSA, false, false}, DAY_US, 0},
    {{CACHE_KIND_NXDOMAIN, TYPE_TLSA, false, false}, DAY_US, 0},
    {{CACHE_KIND_ANSWER, TYPE_DS, false, false}, DAY_US, 0},
    {{CACHE_KIND_ANSWER, TYPE_DNSKEY, false, false}, DAY_US, 0},
    {{CACHE_KIND_ANSWER, TYPE_RRSIG, false, false}, DAY_US, 0},
    {{CACHE_KIND_ANSWER, TYPE_NSEC, false, false}, DAY_US, 0},
    {{CACHE_KIND_ANSWER, TYPE_NSEC3, false, false}, DAY_US, 0},
    {{CACHE_KIND_ANSWER, TYPE_MX, false, true}, DAY_US, 0},
    {{CACHE_KIND_NXDOMAIN, TYPE_MX, false, true}, DAY_US, 0},
    {{CACHE_KIND_FAILURE, TYPE_MX, false, false}, DAY_US, 0},
};

static void test_stale_by_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stale_cases / sizeof stale_cases[0]; i++) {
        const struct stale_case *c = &stale_cases[i];
        assert_int_equal(lifetime_stale_us(&c->subject, c->stale_max_us), c->expected_us);
    }
}

static void test_failures_grow(void **state)
{
    (void)state;
    static const int64_t expected_s[] = {1, 1, 2, 4, 5, 5, 5};
    for (unsigned i = 0; i < sizeof expected_s / sizeof expected_s[0]; i++) {
        assert_int_equal(lifetime_failure_us(i), expected_s[i] * SECOND_US);
    }
    assert_int_equal(lifetime_failure_us(UINT32_MAX), 5 * SECOND_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stale_by_kind),
        cmocka_unit_test(test_failures_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
