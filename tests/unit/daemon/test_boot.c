/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "conf/settings.h"
#include "daemon/boot.h"

static struct settings settings;

static void test_shards(void **state)
{
    (void)state;
    static const struct {
        uint64_t workers;
        uint64_t cache_size;
        uint32_t expected;
    } cases[] = {
        {1, UINT64_C(1) << 30, 1},
        {2, UINT64_C(1) << 30, 16},
        {3, UINT64_C(1) << 30, 32},
        {64, UINT64_C(1) << 40, 256},
        {8, UINT64_C(1) << 20, 1},
        {8, UINT64_C(16) << 20, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        settings.workers = cases[i].workers;
        settings.cache_size = cases[i].cache_size;
        assert_int_equal(boot_shard_count(&settings), cases[i].expected);
    }
}

static void test_descriptors(void **state)
{
    (void)state;
    struct rlimit before;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    settings.workers = 1;
    settings.tcp_clients_max = 256;
    boot_raise_descriptors(&settings);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(limit.rlim_cur > 4352 || limit.rlim_cur == limit.rlim_max);
    assert_true(limit.rlim_max == before.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void test_signals(void **state)
{
    (void)state;
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    boot_prepare_signals();
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &set), 0);
    assert_int_equal(sigismember(&set, SIGTERM), 0);
    assert_int_equal(raise(SIGPIPE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
